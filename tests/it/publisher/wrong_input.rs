//! Wrong input to the publisher's operations: a 4xx that names what is wrong, and a node that stays ready.

use reqwest::Method;
use serde_json::Value;

use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;
use crate::support::{DatabaseKind, Sandbox};

const BASE: &str = "/api/am/publisher/v4";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Method, path (`{api}` is an API that exists, `{unknown}` an id of nothing), status, and what the description names.
const CALLS: &[(&str, &str, u16, &str)] = &[
    ("GET", "/apis/{unknown}/revisions/{unknown}", 404, ""),
    ("GET", "/apis/{api}/revisions/{unknown}", 404, ""),
    ("GET", "/apis/{api}/revisions/..%2F..%2Fx", 404, ""),
    ("DELETE", "/apis/{api}/revisions/not-an-id", 404, ""),
    ("POST", "/apis/{api}/restore-revision", 400, "revisionId"),
    ("POST", "/apis/{api}/restore-revision?revisionNumber=99999999999999999999", 404, ""),
    ("POST", "/apis/{unknown}/restore-revision?revisionNumber=1", 404, ""),
    ("GET", "/apis/{unknown}/deployments", 404, ""),
    ("GET", "/apis/{unknown}/lifecycle-history", 404, ""),
    ("POST", "/apis/validate", 400, "query"),
    ("POST", "/apis/validate?query=version:1", 400, "query"),
    ("POST", "/apis/copy-api?apiId={api}", 400, "newVersion"),
    ("POST", "/apis/copy-api?newVersion=2", 400, "apiId"),
    ("POST", "/apis/copy-api?newVersion=2/3&apiId={api}", 400, "newVersion"),
    ("POST", "/apis/copy-api?newVersion=0123456789012345678901234567890&apiId={api}", 400, "newVersion"),
    ("POST", "/apis/copy-api?newVersion=2&defaultVersion=perhaps&apiId={api}", 400, "defaultVersion"),
    ("POST", "/apis/copy-api?newVersion=1.0.0&apiId={api}", 409, "version"),
    ("POST", "/apis/copy-api?newVersion=2&apiId={unknown}", 404, ""),
    ("POST", "/apis/change-lifecycle?action=Publish&apiId={api}&lifecycleChecklist=x:true", 400, "lifecycleChecklist"),
    ("GET", "/subscriptions?apiId={unknown}", 404, ""),
    ("GET", "/subscriptions?limit=-1", 400, "limit"),
    ("POST", "/subscriptions/block-subscription?subscriptionId={unknown}&blockState=BLOCKED", 404, ""),
    ("POST", "/subscriptions/block-subscription?subscriptionId={unknown}&blockState=GONE", 400, "blockState"),
    ("POST", "/subscriptions/block-subscription?subscriptionId={unknown}", 400, "blockState"),
    ("POST", "/subscriptions/block-subscription?blockState=BLOCKED", 400, "subscriptionId"),
    ("POST", "/subscriptions/unblock-subscription", 400, "subscriptionId"),
    ("POST", "/subscriptions/unblock-subscription?subscriptionId=x", 404, ""),
    ("PUT", "/apis/{api}/swagger", 415, ""),
    ("GET", "/apis/export", 400, "apiId"),
    ("GET", "/apis/export?name=Pizza", 400, "apiId"),
    ("GET", "/apis/export?apiId={unknown}", 404, ""),
    ("GET", "/apis/export?name=Pizza&version=9", 404, ""),
    ("GET", "/apis/export?name=Pizza&version=1.0.0&providerName=nobody", 404, ""),
    ("GET", "/apis/export?apiId={api}&format=XML", 400, "format"),
    ("GET", "/apis/export?apiId={api}&revisionNumber=7", 404, ""),
    ("GET", "/apis/export?apiId={api}&latestRevision=true", 404, ""),
    ("POST", "/apis/import", 415, ""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_call_is_refused_and_named() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let publisher = sandbox.publisher();
    let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
    let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
    let before = publisher.get("/apis").await.expect(200).json();
    for (method, path, status, named) in CALLS {
        let path = path.replace("{api}", &id).replace("{unknown}", UNKNOWN);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = Answer::of(publisher.rest.request(method.clone(), &format!("{BASE}{path}"))).await;
        assert_eq!(answer.status, *status, "{method} {path}: {}", answer.text);
        let body: Value = answer.json();
        assert!(body["code"].is_i64() && body["message"].is_string(), "{method} {path}: {body}");
        assert!(body["description"].as_str().unwrap().contains(named), "{method} {path}: {body}");
    }
    assert_eq!(publisher.get("/apis").await.expect(200).json(), before);
    sandbox.rest(crate::support::rest::Credentials::None).get("/health/ready").await.expect(200);
    sandbox.stop().await;
}
