//! `gatewright tenant add`, without a node and beside one.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use domain::{Clock, Organization, Secret, SystemClock};
use serde_json::json;
use store::shared::users::tenants;
use store::{OpenOptions, Shared, SharedDb, StoreError, Timeouts, migrate};

use crate::support::process::Process;
use crate::support::rest::{Credentials, Rest};
use crate::support::sandbox::{FREE_PORTS, configure};

fn add(home: &Path, domain: &str, password: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright"));
    command.arg("--home").arg(home).args(["tenant", "add", "--domain", domain, "--admin", "boss@mail.example"]);
    match password {
        Some(password) => {
            let file = home.join("password");
            std::fs::write(&file, format!("{password}\n")).unwrap();
            command.arg("--password-file").arg(file);
        }
        None => {
            command.env("GATEWRIGHT_TENANT_ADMIN_PASSWORD", "from the environment");
        }
    }
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_are_made_before_a_node_starts_and_while_it_runs() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    let path = home.path().to_owned();
    let early = add(&path, "early.example", Some("secret"));
    assert!(early.status.success(), "{early:?}");
    assert!(String::from_utf8_lossy(&early.stdout).contains("tenant early.example (1) is active"), "{early:?}");
    let started = path.clone();
    let node = tokio::task::spawn_blocking(move || Process::start(&started, &[])).await.unwrap();
    let late = add(&path, "late.example", None);
    assert!(late.status.success(), "{late:?}");
    for (domain, password) in [("early.example", "secret"), ("late.example", "from the environment")] {
        let user = Credentials::Basic(format!("boss@mail.example@{domain}"), password.to_owned());
        let rest = Rest::new(&node.management_url, user);
        let body = json!({"name": "First", "version": "1.0.0", "context": "/first"});
        let created = rest.post("/api/am/publisher/v4/apis", &body).await.expect(201);
        assert_eq!(created.field("context"), format!("/t/{domain}/first"));
        let body = json!({"clientName": "tool", "grantType": "client_credentials", "callbackUrl": ""});
        let client = rest.post("/client-registration/v0.17/register", &body).await.expect(200);
        let request = crate::support::rest::client()
            .post(format!("{}/t/{domain}/oauth2/token", node.management_url))
            .basic_auth(client.field("clientId"), Some(client.field("clientSecret")))
            .form(&[("grant_type", "client_credentials"), ("scope", "apim:api_view")]);
        let token = crate::support::Answer::of(request).await.expect(200).field("access_token");
        let rest = Rest::new(&node.management_url, Credentials::Bearer(token));
        rest.get("/api/am/publisher/v4/apis").await.expect(200);
    }
    for (domain, reason) in [("Upper.example", "lower case"), ("late.example", "already"), ("carbon.super", "already")]
    {
        let refused = add(&path, domain, Some("secret"));
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains(reason), "{refused:?}");
    }
    node.kill();
}

/// As a crash leaves it after the first step: the row with roles and administrator, and nothing else.
async fn half_make(home: &Path, domain: &'static str) {
    std::fs::create_dir_all(home.join("db")).unwrap();
    let options = OpenOptions {
        url: format!("sqlite:{}", home.join("db/shared.db").display()),
        pool_size: 1,
        acquire_timeout: Duration::from_secs(5),
        timeouts: Timeouts::default(),
    };
    migrate::run::<Shared>(&options.url).unwrap();
    let db: SharedDb = SharedDb::open(&options, &tokio::runtime::Handle::current()).unwrap();
    let hash = Secret::new(security::password::hash(&Secret::new("secret".to_owned())).unwrap());
    let organization = Organization::from_trusted(domain.to_owned());
    let now = SystemClock.now();
    let made: Result<_, StoreError> =
        db.write(move |conn| tenants::insert(conn, &organization, "admin", &hash, now)).await;
    made.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_a_crash_left_half_made_is_finished_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    half_make(home.path(), "half.example").await;
    let started = home.path().to_owned();
    let node = tokio::task::spawn_blocking(move || Process::start(&started, &[])).await.unwrap();
    let user = Credentials::Basic("admin@half.example".to_owned(), "secret".to_owned());
    let rest = Rest::new(&node.management_url, user);
    let policies = rest.get("/api/am/admin/v4/throttling/policies/application").await.expect(200).json();
    assert!(policies["count"].as_i64() > Some(1), "{policies}");
    let jwks = rest.get("/t/half.example/oauth2/jwks").await.expect(200).json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    node.kill();
}
