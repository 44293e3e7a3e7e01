//! The store, the event hub and a gateway's sync together, without any HTTP: a committed change reaches the gateway's
//! tables and comes back as an acknowledgement.

mod audit;
pub mod chain;
mod random_changes;
mod releases;

use domain::RevisionId;
use domain::event::LogName;

use crate::support::DatabaseKind;
use crate::support::database::postgres_is_there;
use chain::{Chain, Gateway};

macro_rules! on_both {
    ($(async fn $name:ident($chain:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn run($chain: Chain) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                run(Chain::start(DatabaseKind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if postgres_is_there() {
                    run(Chain::start(DatabaseKind::Postgres).await).await;
                }
            }
        }
    )*};
}

on_both! {
    async fn a_committed_deploy_is_served_and_acknowledged_at_once(chain) {
        let mut gateway = Gateway::start(&chain);
        gateway.until(|status| status.is_loaded).await;
        let pizza = chain.create("pizza").await;
        // A change that were not announced would wait for the hub's poll, which comes later than this waits.
        for _ in 0..20 {
            let revision_id = chain.deploy(&pizza).await;
            let number = chain.head(LogName::Control).await;
            gateway.until(|status| status.control.applied.number >= number).await;
            assert_eq!(gateway.revision(&pizza), Some(revision_id));
        }
        gateway.until(|status| status.unacknowledged == 0).await;
        let revision_id = gateway.revision(&pizza).unwrap();
        let counts = chain.counts(&pizza, revision_id).await;
        assert_eq!((counts.live, counts.deployed, counts.failed), (1, 1, 0));
    }

    async fn a_gateway_that_comes_later_gets_the_same_state_and_serves_it_with_everything_else_dead(chain) {
        let (pizza, pasta) = (chain.create("pizza").await, chain.create("pasta").await);
        chain.deploy(&pizza).await;
        let newest: RevisionId = chain.deploy(&pizza).await;
        chain.deploy(&pasta).await;
        chain.undeploy(&pasta).await;
        let mut gateway = Gateway::start(&chain);
        gateway.until(|status| status.is_loaded && status.unacknowledged == 0).await;
        assert_eq!((gateway.revision(&pizza), gateway.revision(&pasta)), (Some(newest), None));
        let home = gateway.stop().await;
        // A chain of its own, whose database knows nothing of all that and never answers.
        let dead = Chain::dead().await;
        let gateway = Gateway::start_at(&dead, home);
        assert_eq!((gateway.revision(&pizza), gateway.revision(&pasta)), (Some(newest), None));
        gateway.stop().await;
    }

    async fn a_gateway_follows_another_hub_from_its_position(chain) {
        let pizza = chain.create("pizza").await;
        let mut gateway = Gateway::start(&chain);
        gateway.until(|status| status.is_loaded).await;
        chain.deploy(&pizza).await;
        let number = chain.head(LogName::Control).await;
        gateway.until(|status| status.control.applied.number >= number).await;
        let home = gateway.stop().await;
        let second = chain.with_another_hub();
        let newest = second.deploy(&pizza).await;
        let mut gateway = Gateway::start_at(&second, home);
        gateway.until(|status| status.control.applied.number > number && status.unacknowledged == 0).await;
        assert_eq!(gateway.revision(&pizza), Some(newest));
        assert_eq!(gateway.snapshots(), 0, "the position was enough");
    }
}
