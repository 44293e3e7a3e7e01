//! A role that a node does not play has no route, no port and no file there.

use std::collections::BTreeSet;

use crate::support::Sandbox;
use crate::support::database::postgres_is_there;
use crate::support::nodes::PROFILES;
use crate::support::rest::{Credentials, Rest};

/// What every node answers.
const COMMON: [&str; 4] = ["/health/live", "/health/ready", "/metrics", "/services/Version"];

/// Start of the paths in the tables of each profile, beyond [`COMMON`].
fn own_paths(profile: &str) -> &'static [&'static str] {
    match profile {
        "publisher" => &["/api/am/publisher/v4", "/api/am/admin/v4"],
        "devportal" => &["/api/am/devportal/v3"],
        "key-manager" => &["/internal/key-manager/v1"],
        "traffic-manager" => &["/internal/hub/v1", "/internal/nodes/v1", "/internal/data/v1", "/internal/throttle/v1"],
        "gateway" => &["/api/am/gateway/v2"],
        other => panic!("no profile {other}"),
    }
}

/// One path of each surface, with what the profiles are that serve it.
const PROBES: [(&str, &str); 9] = [
    ("/api/am/publisher/v4/apis", "publisher"),
    ("/api/am/admin/v4/environments", "publisher"),
    ("/api/am/devportal/v3/apis", "devportal"),
    ("/oauth2/jwks", "key-manager"),
    ("/.well-known/oauth-authorization-server/oauth2/token", "key-manager"),
    ("/internal/key-manager/v1/call", "key-manager"),
    ("/internal/hub/v1/fetch", "traffic-manager"),
    ("/internal/throttle/v1/look", "traffic-manager"),
    ("/api/am/gateway/v2/server-startup-healthcheck", "gateway"),
];

/// Files of a home folder's databases.
fn files(profile: &str) -> &'static [&'static str] {
    if profile == "traffic-manager" { &["broker.db", "carbon.db"] } else { &["carbon.db"] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_has_the_routes_ports_and_files_of_its_own_roles_and_no_others() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    for profile in PROFILES {
        let node = sandbox.nodes.find(profile);
        let strangers: Vec<&String> = node
            .routes()
            .iter()
            .filter(|route| {
                let path = route.split_once(' ').unwrap().1;
                !COMMON.contains(&path) && !own_paths(profile).iter().any(|own| path.starts_with(own))
            })
            .collect();
        assert!(strangers.is_empty(), "{profile}: {strangers:?}");
        let addresses = node.addresses();
        assert_eq!(addresses.gateway.is_some(), profile == "gateway", "{profile}");
        assert_eq!(addresses.leases.is_some(), profile == "traffic-manager", "{profile}");
        let rest = Rest::new(format!("https://localhost:{}", addresses.management.port()), Credentials::None);
        for (path, owner) in PROBES {
            let status = rest.get(path).await.status;
            assert_eq!(status == 404, owner != profile, "{profile} answers {status} to {path}");
        }
        let found: BTreeSet<String> = std::fs::read_dir(sandbox.nodes.home(profile).join("db"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".db"))
            .collect();
        let expected: BTreeSet<String> = files(profile).iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, expected, "{profile}");
    }
    sandbox.stop().await;
}
