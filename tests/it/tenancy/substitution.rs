//! A credential of one kind, sent where another kind is wanted.

use reqwest::Method;

use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Credentials, client};
use crate::support::{DatabaseKind, Sandbox, Tenant};

const PUBLISHER_APIS: &str = "/api/am/publisher/v4/apis";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credential_passes_for_another() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let tenant = Tenant::create(&sandbox, "one.example").await;
    let api = tenant.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
    let subscriber = tenant.subscriber();
    let keys = subscriber.ready_to_call("App", &api.id, "Gold").await;
    let path = "/t/one.example/pizza/1.0.0/menu";
    sandbox.caller(&keys.token).wait_for(path, 200).await;

    // An application's tokens open no management API, whatever scopes it asks for and by whatever path.
    let wish = [("grant_type", "client_credentials"), ("scope", "apim:admin apim:api_view apim:api_create openid")];
    let token_paths = ["/oauth2/token", "/t/one.example/oauth2/token"];
    let mut applications = vec![keys.token.clone()];
    for token_path in token_paths {
        let request = client().post(format!("{}{token_path}", sandbox.management_url()));
        let request = request.basic_auth(&keys.consumer_key, Some(&keys.consumer_secret)).form(&wish);
        let answer = Answer::of(request).await.expect(200);
        assert!(!answer.field("scope").contains("apim:"), "{}", answer.text);
        applications.push(answer.field("access_token"));
    }
    let login = [
        ("grant_type", "password"),
        ("username", "admin@one.example"),
        ("password", "one.example"),
        ("scope", "apim:admin apim:api_view"),
    ];
    let users = subscriber.token(&keys, &login).await.expect(200);
    applications.push(users.field("access_token"));
    for token in &applications {
        sandbox.rest(Credentials::Bearer(token.clone())).get(PUBLISHER_APIS).await.expect(403);
    }
    // A tool's token opens no API of the gateway; a refresh token and a client's secret open nothing.
    sandbox.caller(&tenant.token).get(path).await.expect(403);
    let refresh = users.field("refresh_token");
    for text in [&refresh, &keys.consumer_secret, &keys.consumer_key] {
        sandbox.rest(Credentials::Bearer(text.clone())).get(PUBLISHER_APIS).await.expect(401);
        sandbox.caller(text).get(path).await.expect(401);
    }
    let client_as_user = Credentials::Basic(keys.consumer_key.clone(), keys.consumer_secret.clone());
    sandbox.rest(client_as_user).get(PUBLISHER_APIS).await.expect(401);
    // And an access token is no refresh token.
    let form = [("grant_type", "refresh_token"), ("refresh_token", applications[3].as_str())];
    subscriber.token(&keys, &form).await.expect(400);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_apis_under_a_tenants_path_are_for_that_tenant() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let tenant = Tenant::create(&sandbox, "one.example").await;
    tenant.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
    let own = tenant.rest.get(&format!("/t/one.example{PUBLISHER_APIS}?limit=1")).await.expect(200);
    assert_eq!(own.json()["list"][0]["name"], "Pizza");
    tenant.rest.get(&format!("/t/two.example{PUBLISHER_APIS}")).await.expect(403);
    tenant.rest.get(&format!("/t/carbon.super{PUBLISHER_APIS}")).await.expect(403);
    sandbox.admin_rest().get(&format!("/t/one.example{PUBLISHER_APIS}")).await.expect(403);
    sandbox.admin_rest().get(&format!("/t/carbon.super{PUBLISHER_APIS}")).await.expect(200);
    sandbox.rest(Credentials::None).get(&format!("/t/one.example{PUBLISHER_APIS}")).await.expect(401);
    sandbox.admin_rest().get("/t/one.example/health/ready").await.expect(404);
    let request = sandbox.rest(Credentials::None).request(Method::GET, "/t/one.example/api/am/devportal/v3/apis");
    // The path says it: a header cannot lead elsewhere.
    let seen = Answer::of(request.header("X-WSO2-Tenant", "carbon.super")).await.expect(200);
    assert_eq!(seen.json()["list"][0]["name"], "Pizza");
    sandbox.stop().await;
}
