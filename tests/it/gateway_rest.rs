//! The gateway's own REST API.

use crate::support::definitions::PIZZA;
use crate::support::rest::Credentials;
use crate::support::{DatabaseKind, Sandbox, eventually};

const BASE: &str = "/api/am/gateway/v2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_artifact_is_there_as_soon_as_the_gateway_serves_it() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let anybody = sandbox.rest(Credentials::None);
    anybody.get(&format!("{BASE}/server-startup-healthcheck")).await.expect(200);
    let path = format!("{BASE}/api-artifact?apiName=Pizza&version=1.0.0&tenantDomain=carbon.super");
    sandbox.password_rest().get(&path).await.expect(404);
    sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
    let operator = sandbox.password_rest();
    let answer = eventually("the artifact is there", async || {
        Some(operator.get(&path).await).filter(|answer| answer.status == 200)
    })
    .await;
    let artifact: serde_json::Value = serde_json::from_str(&answer.field("api")).unwrap();
    assert_eq!((&artifact["name"], &artifact["context"]), (&"Pizza".into(), &"/pizza/1.0.0".into()));
    for tenant in ["other.org", "carbon.super%00"] {
        let path = format!("{BASE}/api-artifact?apiName=Pizza&version=1.0.0&tenantDomain={tenant}");
        operator.get(&path).await.expect(404);
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_operators_with_their_password_see_artifacts() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let path = format!("{BASE}/api-artifact?apiName=Pizza&version=1.0.0");
    let wrong = Credentials::Basic("admin".to_owned(), "wrong".to_owned());
    for credentials in [Credentials::None, wrong, sandbox.admin_rest().credentials] {
        sandbox.rest(credentials).get(&path).await.expect(401);
    }
    let refused = sandbox.password_rest().get(&format!("{BASE}/api-artifact?version=1.0.0")).await.expect(400);
    assert!(refused.text.contains("apiName"), "{}", refused.text);
    sandbox.stop().await;
}
