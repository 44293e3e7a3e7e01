//! What tests are made of: nodes, back ends, and the people who use them.

pub mod actors;
pub mod backend;
pub mod database;
pub mod definitions;
pub mod people;
pub mod prepared;
pub mod process;
pub mod rest;
pub mod sandbox;
pub mod tenants;
pub mod wait;

pub use actors::{Caller, Publisher};
pub use database::DatabaseKind;
pub use rest::Answer;
pub use sandbox::Sandbox;
pub use tenants::Tenant;
pub use wait::eventually;

/// Makes one test per database of an async function that takes a [`Sandbox`].
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($sandbox:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn run($sandbox: &mut $crate::support::Sandbox) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let mut sandbox = $crate::support::Sandbox::start($crate::support::DatabaseKind::Sqlite).await;
                run(&mut sandbox).await;
                sandbox.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if !$crate::support::database::postgres_is_there() {
                    return;
                }
                let mut sandbox = $crate::support::Sandbox::start($crate::support::DatabaseKind::Postgres).await;
                run(&mut sandbox).await;
                sandbox.stop().await;
            }
        }
    )*};
}
