//! Dynamic client registration.

use actix_web::test::TestRequest;
use config::sections::oauth::{Oauth, SecretsMode, SigningAlgorithm};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, Kind, basic, registration};

async fn register(fixture: &Fixture, (name, password): (&str, &str), body: &Value) -> Answer {
    let request = TestRequest::post()
        .uri("/client-registration/v0.17/register")
        .insert_header(basic(name, password))
        .insert_header(("Content-Type", "application/json"))
        .set_payload(body.to_string());
    fixture.send(request).await
}

/// What apictl sends.
fn of(owner: &str) -> Value {
    json!({
        "clientName": "rest_api_import_export_admin", "callbackUrl": "www.google.lk", "owner": owner,
        "grantType": "password refresh_token", "saasApp": true, "tokenScope": "Production",
    })
}

const ADMIN: (&str, &str) = ("admin", "admin");

#[actix_web::test]
async fn registering_again_gives_the_same_client_with_its_new_state() {
    let fixture = Fixture::new().await;
    let first = register(&fixture, ADMIN, &of("admin")).await;
    assert_eq!(first.status, 200);
    assert_eq!((first.text("appOwner"), first.text("callBackURL")), ("admin", "www.google.lk"));
    assert_eq!(first.body["isSaasApplication"], true);
    let json_string: Value = serde_json::from_str(first.text("jsonString")).unwrap();
    assert_eq!(json_string["grant_types"], "password refresh_token");
    let mut changed = of("admin@carbon.super");
    changed["grantType"] = "password refresh_token client_credentials".into();
    let second = register(&fixture, ADMIN, &changed).await;
    for member in ["clientId", "clientSecret", "clientName", "appOwner"] {
        assert_eq!(second.text(member), first.text(member), "{member}");
    }
    assert!(second.text("jsonString").contains("client_credentials"));
}

#[actix_web::test]
async fn the_registered_client_gets_a_token() {
    let fixture = Fixture::new().await;
    let registered = register(&fixture, ADMIN, &of("admin")).await;
    let form = "grant_type=password&username=admin&password=admin&scope=apim:api_view apim:mcp_server_view nonsense";
    let request = super::fixture::form_request("/oauth2/token", form);
    let token =
        fixture.send(request.insert_header(basic(registered.text("clientId"), registered.text("clientSecret"))));
    let token = token.await;
    assert_eq!((token.status.as_u16(), token.text("scope")), (200, "apim:api_view apim:mcp_server_view"));
}

#[actix_web::test]
async fn only_an_administrator_registers_for_somebody_else() {
    let fixture = Fixture::new().await;
    fixture.add_user("dev", &["Internal/subscriber"]).await;
    let dev = ("dev", "dev");
    assert_eq!(register(&fixture, dev, &of("admin")).await.refusal(), (403, "access_denied"));
    assert_eq!(register(&fixture, dev, &of("dev")).await.text("appOwner"), "dev");
    assert_eq!(register(&fixture, ADMIN, &of("dev")).await.text("appOwner"), "dev");
    assert_eq!(register(&fixture, ADMIN, &of("nobody")).await.refusal(), (400, "invalid_client_metadata"));
}

#[actix_web::test]
async fn wrong_credentials_and_wrong_bodies_are_refused() {
    let fixture = Fixture::new().await;
    let refused = register(&fixture, ("admin", "wrong"), &of("admin")).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").starts_with("Basic realm="));
    for body in [json!([]), json!({}), json!({ "clientName": "" }), json!({ "clientName": 5 })] {
        assert_eq!(register(&fixture, ADMIN, &body).await.refusal(), (400, "invalid_client_metadata"), "{body}");
    }
}

#[actix_web::test]
async fn an_applications_name_cannot_be_taken_by_a_tool() {
    let fixture = Fixture::new().await;
    let name = "admin_0190_PRODUCTION";
    let wished = registration(name, "client_credentials", Kind::PortalApplication);
    domain::contract::KeyManager::register_client(&*fixture.service, wished).await.unwrap();
    let mut body = of("admin");
    body["clientName"] = name.into();
    assert_eq!(register(&fixture, ADMIN, &body).await.refusal(), (400, "invalid_client_metadata"));
}

#[actix_web::test]
async fn with_hashes_only_the_secret_is_seen_once() {
    let oauth =
        Oauth { signing_algorithm: SigningAlgorithm::Es256, secrets: SecretsMode::HashOnly, ..Oauth::default() };
    let fixture = Fixture::with(oauth).await;
    let first = register(&fixture, ADMIN, &of("admin")).await;
    assert_eq!(first.text("clientSecret").len(), 43);
    let second = register(&fixture, ADMIN, &of("admin")).await;
    assert_eq!(second.text("clientId"), first.text("clientId"));
    assert!(second.body.get("clientSecret").is_none());
}

#[actix_web::test]
async fn ten_registrations_at_the_same_time_make_one_client() {
    let fixture = Fixture::new().await;
    let register = || {
        let service = std::sync::Arc::clone(&fixture.service);
        tokio::spawn(async move {
            let wished = registration("one", "client_credentials", Kind::Tool);
            domain::contract::KeyManager::register_client(&*service, wished).await.unwrap().client.id
        })
    };
    let tasks: Vec<_> = (0..10).map(|_| register()).collect();
    let mut ids = std::collections::HashSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
}
