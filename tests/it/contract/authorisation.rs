//! Every guarded operation refuses strangers: no credentials, wrong ones, and a token without the scope.

use http::guard::Access;
use serde_json::json;

use super::operations::rooms;
use crate::support::rest::{Answer, Credentials, client};
use crate::support::{DatabaseKind, Sandbox};

/// The path with an id that is well-formed and unknown.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') { "00000000-0000-4000-8000-000000000000" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// A token of a user with all roles, but without any scope of the management APIs.
async fn token_without_scopes(sandbox: &Sandbox) -> String {
    let body = json!({"clientName": "scopeless", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    let registered = sandbox.password_rest().post("/client-registration/v0.17/register", &body).await.expect(200);
    let request = client()
        .post(format!("{}/oauth2/token", sandbox.management_url()))
        .basic_auth(registered.field("clientId"), Some(registered.field("clientSecret")))
        .form(&[("grant_type", "password"), ("username", "admin"), ("password", "admin")]);
    Answer::of(request).await.expect(200).field("access_token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_guarded_operation_refuses_strangers() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let scopeless = token_without_scopes(&sandbox).await;
    let strangers = [
        (Credentials::None, 401),
        (Credentials::Bearer("not.a.token".to_owned()), 401),
        (Credentials::Basic("admin".to_owned(), "wrong".to_owned()), 401),
        (Credentials::Bearer(scopeless), 403),
    ];
    let mut checked = 0;
    for (_, routes) in rooms() {
        for spec in routes.specs() {
            // These have tests of their own.
            if spec.access == Access::Public {
                continue;
            }
            for (credentials, expected) in &strangers {
                let is_anonymous = matches!(credentials, Credentials::None);
                if spec.access == Access::Optional && (is_anonymous || *expected == 403) {
                    continue;
                }
                // Access tokens of people are not taken at all.
                let expected = if matches!(spec.access, Access::Operator(_)) { &401 } else { expected };
                let path = format!("{}{}", routes.base(), filled(spec.path));
                let method = reqwest::Method::from_bytes(spec.method.as_str().as_bytes()).unwrap();
                let answer = Answer::of(sandbox.rest(credentials.clone()).request(method, &path)).await;
                assert_eq!(answer.status, *expected, "{} {path} {credentials:?}: {}", spec.method, answer.text);
                checked += 1;
                // Answers to HEAD have no body.
                if spec.method.as_str() == "HEAD" {
                    continue;
                }
                let body = answer.json();
                assert!(body["code"].is_i64() && body["message"].is_string(), "{} {path}: {body}", spec.method);
            }
        }
    }
    assert!(checked > 100, "only {checked} checks ran");
    sandbox.stop().await;
}
