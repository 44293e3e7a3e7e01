//! Revocation and introspection.

use super::fixture::{Fixture, Kind, basic, form_request};

#[actix_web::test]
async fn a_revoked_token_is_inactive_at_once_with_its_refresh_token() {
    let fixture = Fixture::new().await;
    let client = fixture.client("password refresh_token", Kind::Tool).await;
    let login = fixture.token(&client, "grant_type=password&username=admin&password=admin&scope=apim:admin").await;
    let form = format!("token={}", login.text("access_token"));
    let before = fixture.post("/oauth2/introspect", &client, &form).await;
    assert_eq!(before.body["active"], true);
    assert_eq!(before.text("username"), "admin@carbon.super");
    assert_eq!((before.text("scope"), before.text("client_id")), ("apim:admin", client.client.id.as_str()));
    for _ in 0..2 {
        let revoked = fixture.post("/oauth2/revoke", &client, &format!("{form}&token_type_hint=access_token")).await;
        assert_eq!(revoked.status, 200);
    }
    let after = fixture.post("/oauth2/introspect", &client, &form).await;
    assert_eq!(after.body, serde_json::json!({ "active": false }));
    let refresh = format!("token={}", login.text("refresh_token"));
    assert_eq!(fixture.post("/oauth2/introspect", &client, &refresh).await.body["active"], false);
}

#[actix_web::test]
async fn revoking_what_is_no_token_is_no_error_and_a_foreign_token_stays() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let registration = super::fixture::registration("other", "client_credentials", Kind::Tool);
    let other = domain::contract::KeyManager::register_client(&*fixture.service, registration).await.unwrap();
    assert_eq!(fixture.post("/oauth2/revoke", &client, "token=unheard").await.status, 200);
    assert_eq!(fixture.post("/oauth2/revoke", &client, "x=y").await.refusal(), (400, "invalid_request"));
    let token = fixture.token(&client, "grant_type=client_credentials").await;
    let form = format!("token={}", token.text("access_token"));
    assert_eq!(fixture.post("/oauth2/revoke", &other, &form).await.refusal(), (400, "unauthorized_client"));
    assert_eq!(fixture.post("/oauth2/introspect", &other, &form).await.body["active"], true);
    let unauthenticated = fixture.send(form_request("/oauth2/revoke", &form)).await;
    assert_eq!(unauthenticated.refusal(), (401, "invalid_client"));
}

#[actix_web::test]
async fn administrators_may_introspect_and_other_users_may_not() {
    let fixture = Fixture::new().await;
    fixture.add_user("dev", &["Internal/subscriber"]).await;
    let client = fixture.client("password refresh_token", Kind::Tool).await;
    let login = fixture.token(&client, "grant_type=password&username=admin&password=admin").await;
    let send = |name, password, token: &str| {
        let request = form_request("/oauth2/introspect", &format!("token={token}"));
        fixture.send(request.insert_header(basic(name, password)))
    };
    let refresh = send("admin", "admin", login.text("refresh_token")).await;
    assert_eq!((&refresh.body["active"], refresh.text("token_type")), (&true.into(), "Refresh"));
    assert_eq!(send("admin", "wrong", "x").await.refusal(), (401, "access_denied"));
    assert_eq!(send("dev", "dev", "x").await.refusal(), (403, "access_denied"));
    assert_eq!(fixture.send(form_request("/oauth2/introspect", "token=x")).await.status, 401);
}
