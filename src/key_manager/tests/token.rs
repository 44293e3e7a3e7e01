//! The token endpoint.

use actix_web::test::TestRequest;
use config::sections::oauth::{Oauth, SigningAlgorithm, UnknownScopes};
use security::jwt::{self, ACCESS_TOKEN_TYPE, AccessTokenClaims, AuthorizedUserType, Expected, VerificationKeys};
use serde_json::json;

use super::fixture::{Fixture, ISSUER, Kind, basic, form_request};
use domain::Clock;

async fn claims(fixture: &Fixture, token: &str) -> AccessTokenClaims {
    let jwks = fixture.send(TestRequest::get().uri("/oauth2/jwks")).await.body;
    let keys = VerificationKeys::from_jwk_set(&jwks).unwrap();
    let expected = Expected { typ: ACCESS_TOKEN_TYPE, issuer: ISSUER };
    jwt::verify(token, &keys, expected, fixture.clock.now()).unwrap()
}

#[actix_web::test]
async fn client_credentials_give_a_token_of_the_owner_without_a_refresh_token() {
    let fixture = Fixture::with(Oauth { signing_algorithm: SigningAlgorithm::Rs256, ..Oauth::default() }).await;
    let client = fixture.client("client_credentials refresh_token", Kind::PortalApplication).await;
    let answer = fixture.token(&client, "grant_type=client_credentials").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let members: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "scope", "token_type", "expires_in"]);
    assert_eq!((answer.text("scope"), answer.text("token_type")), ("default", "Bearer"));
    assert_eq!(answer.body["expires_in"], 3600);
    let header = jsonwebtoken::decode_header(answer.text("access_token")).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), jsonwebtoken::Algorithm::RS256));
    let claims = claims(&fixture, answer.text("access_token")).await;
    assert_eq!(claims.sub, "admin@carbon.super");
    assert_eq!(claims.aut, AuthorizedUserType::Application);
    assert_eq!([&claims.aud, &claims.azp, &claims.client_id], [&client.client.id; 3]);
    assert_eq!((claims.exp - claims.iat, claims.nbf), (3600, claims.iat));
}

#[actix_web::test]
async fn a_second_token_leaves_the_first_one_valid() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let first = fixture.token(&client, "grant_type=client_credentials").await;
    let second = fixture.token(&client, "grant_type=client_credentials").await;
    assert_ne!(first.text("access_token"), second.text("access_token"));
    for token in [first, second] {
        let form = format!("token={}", token.text("access_token"));
        assert_eq!(fixture.post("/oauth2/introspect", &client, &form).await.body["active"], true);
    }
}

#[actix_web::test]
async fn a_tool_gets_scopes_by_its_owners_or_users_roles_and_no_others() {
    let fixture = Fixture::new().await;
    fixture.add_user("creator", &["Internal/creator", "Internal/everyone"]).await;
    let client = fixture.client("client_credentials password refresh_token", Kind::Tool).await;
    let own = fixture.token(&client, "grant_type=client_credentials&scope=apim:admin+apim:unheard+PRODUCTION").await;
    assert_eq!(own.text("scope"), "apim:admin");
    let form = "grant_type=password&username=creator&password=creator&scope=apim:api_create+apim:api_publish";
    let answer = fixture.token(&client, form).await;
    assert_eq!(answer.text("scope"), "apim:api_create");
    let members: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "refresh_token", "scope", "token_type", "expires_in"]);
    let claims = claims(&fixture, answer.text("access_token")).await;
    assert_eq!((claims.sub.as_str(), claims.aut), ("creator@carbon.super", AuthorizedUserType::ApplicationUser));
}

#[actix_web::test]
async fn a_portal_application_never_gets_management_scopes() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let answer =
        fixture.token(&client, "grant_type=client_credentials&scope=apim:admin+service_catalog:service_view").await;
    assert_eq!(answer.text("scope"), "default");
}

#[actix_web::test]
async fn unknown_scopes_are_granted_only_when_configured() {
    let oauth =
        Oauth { signing_algorithm: SigningAlgorithm::EdDsa, unknown_scopes: UnknownScopes::Grant, ..Oauth::default() };
    let fixture = Fixture::with(oauth).await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let answer = fixture.token(&client, "grant_type=client_credentials&scope=PRODUCTION+apim:admin").await;
    assert_eq!(answer.text("scope"), "PRODUCTION");
}

#[actix_web::test]
async fn a_json_body_works_with_and_without_its_media_type() {
    let fixture = Fixture::new().await;
    let client = fixture.client("password", Kind::Tool).await;
    let body = json!({
        "grant_type": "password", "username": "admin@carbon.super", "password": "admin", "scope": "apim:admin",
        "client_id": client.client.id, "client_secret": client.secret.as_ref().unwrap().expose(),
    });
    for content_type in [Some("application/json"), None] {
        let mut request = TestRequest::post().uri("/oauth2/token").set_payload(body.to_string());
        if let Some(content_type) = content_type {
            request = request.insert_header(("Content-Type", content_type));
        }
        let answer = fixture.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("scope")), (200, "apim:admin"));
        assert!(answer.body.get("refresh_token").is_none(), "the client is not registered for refreshing");
    }
}

#[actix_web::test]
async fn a_client_authenticates_in_the_header_or_in_the_body_and_never_in_both() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let (id, secret) = (&client.client.id, client.secret.as_ref().unwrap().expose().clone());
    let in_body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = fixture.send(form_request("/oauth2/token", &in_body)).await;
    assert_eq!(answer.status, 200);
    let repeated_id = format!("grant_type=client_credentials&client_id={id}");
    assert_eq!(fixture.token(&client, &repeated_id).await.status, 200);
    assert_eq!(fixture.token(&client, &in_body).await.refusal(), (400, "invalid_request"));
    let other_id = "grant_type=client_credentials&client_id=other";
    assert_eq!(fixture.token(&client, other_id).await.refusal(), (400, "invalid_request"));
}

#[actix_web::test]
async fn a_wrong_secret_and_an_unknown_client_are_answered_alike_with_a_challenge() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let send =
        |header| fixture.send(form_request("/oauth2/token", "grant_type=client_credentials").insert_header(header));
    let wrong = send(basic(&client.client.id, "wrong")).await;
    let unknown = send(basic("unknown", "wrong")).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client"));
    assert_eq!(wrong.header("www-authenticate"), "Basic realm=\"localhost\"");
    assert_eq!(wrong.body, unknown.body);
    let none = fixture.send(form_request("/oauth2/token", "grant_type=client_credentials")).await;
    assert_eq!(none.refusal(), (401, "invalid_client"));
}

#[actix_web::test]
async fn only_registered_and_known_grants_are_served() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let password = "grant_type=password&username=admin&password=admin";
    assert_eq!(fixture.token(&client, password).await.refusal(), (400, "unauthorized_client"));
    assert_eq!(fixture.token(&client, "grant_type=magic").await.refusal(), (400, "unsupported_grant_type"));
    assert_eq!(fixture.token(&client, "scope=x").await.refusal(), (400, "invalid_request"));
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_user_are_answered_alike() {
    let fixture = Fixture::new().await;
    let client = fixture.client("password", Kind::Tool).await;
    let wrong = fixture.token(&client, "grant_type=password&username=admin&password=wrong").await;
    let unknown = fixture.token(&client, "grant_type=password&username=nobody@carbon.super&password=wrong").await;
    assert_eq!(wrong.refusal(), (400, "invalid_grant"));
    assert_eq!(wrong.body, unknown.body);
}

#[actix_web::test]
async fn lifetimes_are_the_clients_own() {
    let fixture = Fixture::new().await;
    let mut registration = super::fixture::registration("own", "client_credentials password", Kind::Tool);
    registration.application_token_lifetime_secs = Some(60);
    registration.user_token_lifetime_secs = Some(-1);
    let client = domain::contract::KeyManager::register_client(&*fixture.service, registration).await.unwrap();
    let application = fixture.token(&client, "grant_type=client_credentials").await;
    assert_eq!(application.body["expires_in"], 60);
    let user = fixture.token(&client, "grant_type=password&username=admin&password=admin").await;
    assert_eq!(user.body["expires_in"], i32::MAX);
    fixture.pass(66);
    let active = async |token: &str| {
        fixture.post("/oauth2/introspect", &client, &format!("token={token}")).await.body["active"].clone()
    };
    assert_eq!(active(application.text("access_token")).await, false);
    assert_eq!(active(user.text("access_token")).await, true);
}
