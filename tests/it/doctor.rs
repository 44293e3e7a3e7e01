//! `gatewright doctor` beside the nodes of a split deployment, well and ill.

use std::path::Path;
use std::process::Command;

use config::Sources;
use domain::{Clock, SystemClock};
use gatewright::doctor::{self, Finding, Verdict};
use security::cluster::ClusterKeys;

use crate::support::Sandbox;
use crate::support::database::postgres_is_there;
use crate::support::free_port::free_port;
use crate::support::nodes::{PROFILES, mint};

/// What the doctor finds at `home`, with further keys of the configuration.
async fn examine(home: &Path, profile: &str, environment: &[(&str, String)]) -> Vec<Finding> {
    let environment = environment.iter().map(|(name, value)| (format!("GATEWRIGHT__{name}"), value.clone())).collect();
    let sources = Sources { home: home.to_owned(), profile: profile.to_owned(), environment, ..Sources::default() };
    let loaded = config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    doctor::examine(&loaded, home).await
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// The one finding on `subject`.
fn find<'a>(findings: &'a [Finding], subject: &str) -> &'a Finding {
    let found = findings.iter().find(|finding| finding.subject.starts_with(subject));
    found.unwrap_or_else(|| panic!("nothing on {subject} in:\n{}", shown(findings)))
}

fn assert_broken(findings: &[Finding], subject: &str, detail: &str) {
    let finding = find(findings, subject);
    assert_eq!(finding.verdict, Verdict::Broken, "{finding}");
    assert!(finding.detail.contains(detail), "{finding}");
    assert!(finding.advice.is_some(), "{finding}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_deployment_has_no_complaint() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    for profile in PROFILES {
        let port = sandbox.nodes.addresses(profile).management.port().to_string();
        let home = sandbox.nodes.home(profile);
        let findings = examine(home, profile, &[("SERVER__MANAGEMENT_PORT", port)]).await;
        let is_broken = findings.iter().any(|finding| finding.verdict == Verdict::Broken);
        assert!(!is_broken, "{profile}:\n{}", shown(&findings));
        assert_eq!(find(&findings, "this node, node").detail, "running");
        if profile == "traffic-manager" {
            assert!(find(&findings, "cluster keys").detail.contains("root keys 1"));
        } else {
            let peer = find(&findings, "traffic-manager https://");
            assert_eq!(
                (peer.verdict, peer.detail.as_str()),
                (Verdict::Fine, "answers, takes this node's token, is ready")
            );
            assert_eq!(find(&findings, "membership").verdict, Verdict::Fine);
        }
        if profile == "gateway" {
            assert!(find(&findings, "this node, gateway").detail.contains("0 entries behind"));
            assert_eq!(find(&findings, "key-manager https://").verdict, Verdict::Fine);
        } else {
            assert_eq!(find(&findings, "apim_db").verdict, Verdict::Fine);
        }
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_down_fails_unless_another_answers() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let home = sandbox.nodes.home("publisher");
    let down = format!("https://localhost:{}", free_port());
    let alone = examine(home, "publisher", &[("CLUSTER__KEY_MANAGERS", format!("[\"{down}\"]"))]).await;
    assert_broken(&alone, &format!("key-manager {down}"), "no connection");

    let lives = format!("https://localhost:{}", sandbox.nodes.addresses("key-manager").management.port());
    let both = examine(home, "publisher", &[("CLUSTER__KEY_MANAGERS", format!("[\"{down}\", \"{lives}\"]"))]).await;
    assert_eq!(find(&both, &format!("key-manager {down}")).verdict, Verdict::Doubtful);
    assert_eq!(find(&both, &format!("key-manager {lives}")).verdict, Verdict::Fine);

    let unknown = "https://no-such-host.invalid:9443".to_owned();
    let nowhere = examine(home, "publisher", &[("CLUSTER__KEY_MANAGERS", format!("[\"{unknown}\"]"))]).await;
    assert_broken(&nowhere, "key-manager https://no-such-host.invalid", "cannot be resolved");

    // A node that is no key manager.
    let other = format!("https://localhost:{}", sandbox.nodes.addresses("traffic-manager").management.port());
    let wrong = examine(home, "publisher", &[("CLUSTER__KEY_MANAGERS", format!("[\"{other}\"]"))]).await;
    assert_broken(&wrong, "key-manager https://", "no secured connection");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_told() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let home = tempfile::tempdir().unwrap();
    let configuration = sandbox.nodes.home("gateway").join("conf/deployment.toml");
    crate::support::sandbox::configure(home.path(), &std::fs::read_to_string(configuration).unwrap());
    let token = |text: String| [("CLUSTER__TOKEN", text)];

    // A node that has not joined yet, with its good token.
    let newcomer = examine(home.path(), "gateway", &[]).await;
    assert_eq!(find(&newcomer, "membership").verdict, Verdict::Doubtful);
    assert_eq!(find(&newcomer, "traffic-manager https://").verdict, Verdict::Fine, "{}", shown(&newcomer));

    let malformed = examine(home.path(), "gateway", &token("secret".to_owned())).await;
    assert_broken(&malformed, "joining token", "gatewright token mint");

    let folder = tempfile::tempdir().unwrap();
    let foreign = ClusterKeys::load_or_create(folder.path(), SystemClock.now()).unwrap();
    let foreign = examine(home.path(), "gateway", &token(mint(&foreign, "gateway"))).await;
    assert_broken(&foreign, "traffic-manager https://", "no secured connection");

    // The right cluster, but signed by a root key that it does not know.
    let own = sandbox.nodes.home("traffic-manager").join("security/cluster");
    let copy = tempfile::tempdir().unwrap();
    for file in ["ca.key", "ca.crt"] {
        std::fs::copy(own.join(file), copy.path().join(file)).unwrap();
    }
    ClusterKeys::add_root(copy.path()).unwrap();
    let keys = ClusterKeys::load(copy.path()).unwrap().unwrap();
    let refused = examine(home.path(), "gateway", &token(mint(&keys, "gateway"))).await;
    assert_broken(&refused, "traffic-manager https://", "refuses this node's token");

    // Credentials of a gateway do not open what a publisher needs.
    let publisher = sandbox.nodes.home("publisher");
    let borrowed = publisher.join("security/node.json");
    std::fs::copy(sandbox.nodes.home("gateway").join("security/node.json"), &borrowed).unwrap();
    let borrowed = examine(publisher, "publisher", &[]).await;
    assert_broken(&borrowed, "key-manager https://", "refuses this node's token");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_told() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let away = format!("postgres://gatewright:s3cretive@127.0.0.1:{}/apim", free_port());
    let findings = examine(sandbox.nodes.home("key-manager"), "key-manager", &[("DATABASE__APIM_DB__URL", away)]).await;
    assert_broken(&findings, "apim_db", "cannot be reached");
    assert!(!shown(&findings).contains("s3cretive"), "{}", shown(&findings));
    assert_eq!(find(&findings, "shared_db").verdict, Verdict::Fine);
    sandbox.stop().await;
}

#[test]
fn the_command_looks_at_a_home_that_is_not_there_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["doctor", "--home"])
        .arg(&home)
        .env("GATEWRIGHT__SERVER__MANAGEMENT_PORT", free_port().to_string())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("ok    configuration: profile all-in-one"), "{printed}");
    assert!(printed.contains("warn  this node: does not answer"), "{printed}");
    assert!(!home.exists(), "{printed}");
}

#[test]
fn the_command_fails_on_an_error_of_the_configuration() {
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["--profile", "gateway", "doctor", "--home", "/nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("FAIL  configuration"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cluster.traffic_managers"));
}
