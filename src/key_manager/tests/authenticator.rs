//! Management requests: whose they are, and what is refused.

use domain::contract::{AuthenticationError, Authenticator};
use domain::{Organization, Secret};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use security::jwt::{self, ACCESS_TOKEN_TYPE, AccessTokenClaims, AuthorizedUserType};
use security::signing_key::{SigningAlgorithm, SigningKey};

use super::fixture::{Fixture, ISSUER, Kind};
use crate::bootstrap;

const LOGIN: &str = "grant_type=password&username=admin&password=admin&scope=apim:admin+apim:api_view";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

async fn refusal(fixture: &Fixture, token: &str) -> &'static str {
    match fixture.authenticator().bearer(&secret(token)).await {
        Err(AuthenticationError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn claims(fixture: &Fixture) -> AccessTokenClaims {
    let now = domain::Clock::now(&*fixture.clock).as_secs();
    AccessTokenClaims {
        sub: "admin@carbon.super".to_owned(),
        aut: AuthorizedUserType::ApplicationUser,
        aud: "c".to_owned(),
        azp: "c".to_owned(),
        client_id: "c".to_owned(),
        nbf: now,
        iat: now,
        exp: now + 60,
        iss: ISSUER.to_owned(),
        jti: "j".to_owned(),
        scope: "apim:admin".to_owned(),
    }
}

#[actix_web::test]
async fn a_token_names_its_user_with_scopes_and_roles() {
    let fixture = Fixture::new().await;
    let client = fixture.client("password", Kind::Tool).await;
    let token = fixture.token(&client, LOGIN).await;
    let principal = fixture.authenticator().bearer(&secret(token.text("access_token"))).await.unwrap();
    assert_eq!((principal.username.as_str(), principal.organization.is_super()), ("admin", true));
    assert_eq!(principal.scopes, ["apim:admin", "apim:api_view"]);
    assert_eq!(principal.client_id, Some(client.client.id));
    assert!(principal.is_admin());
}

#[actix_web::test]
async fn a_revoked_token_is_refused_at_once_by_an_authenticator_that_accepted_it() {
    let fixture = Fixture::new().await;
    let client = fixture.client("password", Kind::Tool).await;
    let token = fixture.token(&client, LOGIN).await;
    let authenticator = fixture.authenticator();
    let token = secret(token.text("access_token"));
    assert!(authenticator.bearer(&token).await.is_ok());
    fixture.post("/oauth2/revoke", &client, &format!("token={}", token.expose())).await;
    let outcome = authenticator.bearer(&token).await;
    assert!(matches!(outcome, Err(AuthenticationError::Refused("the access token was revoked"))), "{outcome:?}");
}

#[actix_web::test]
async fn scopes_that_the_roles_do_not_allow_any_more_are_gone() {
    let fixture = Fixture::new().await;
    fixture.add_user("dev", &["Internal/subscriber"]).await;
    let mut claims = claims(&fixture);
    claims.sub = "dev@carbon.super".to_owned();
    claims.scope = "apim:admin apim:subscribe orders:read".to_owned();
    let token = jwt::sign(&*fixture.signing_key().await, ACCESS_TOKEN_TYPE, &claims).unwrap();
    let principal = fixture.authenticator().bearer(&token).await.unwrap();
    assert_eq!(principal.scopes, ["apim:subscribe", "orders:read"]);
}

#[actix_web::test]
async fn a_token_of_a_user_or_tenant_that_does_not_exist_is_refused() {
    let fixture = Fixture::new().await;
    for subject in ["nobody@carbon.super", "admin@other.example", "admin"] {
        let claims = AccessTokenClaims { sub: subject.to_owned(), ..claims(&fixture) };
        let token = jwt::sign(&*fixture.signing_key().await, ACCESS_TOKEN_TYPE, &claims).unwrap();
        refusal(&fixture, token.expose()).await;
    }
}

#[actix_web::test]
async fn tokens_of_another_type_key_or_algorithm_are_refused() {
    const NOT_VALID: &str = "the access token is not valid";
    let fixture = Fixture::new().await;
    let key = fixture.signing_key().await;
    let claims = claims(&fixture);
    let id_token = jwt::sign(&key, "JWT", &claims).unwrap();
    assert_eq!(refusal(&fixture, id_token.expose()).await, NOT_VALID);
    let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let foreign = jwt::sign(&stranger, ACCESS_TOKEN_TYPE, &claims).unwrap();
    assert_eq!(refusal(&fixture, foreign.expose()).await, NOT_VALID);
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
    header.kid = Some(key.kid.clone());
    let secret = EncodingKey::from_secret(key.public_jwk.to_string().as_bytes());
    let confused = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
    assert_eq!(refusal(&fixture, &confused).await, NOT_VALID);
    let unsigned = {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let header = serde_json::json!({ "alg": "none", "typ": ACCESS_TOKEN_TYPE, "kid": key.kid });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(header), encode(serde_json::to_value(&claims).unwrap()))
    };
    assert_eq!(refusal(&fixture, &unsigned).await, NOT_VALID);
    let valid = jwt::sign(&key, ACCESS_TOKEN_TYPE, &claims).unwrap();
    assert!(fixture.authenticator().bearer(&valid).await.is_ok());
}

#[actix_web::test]
async fn basic_credentials_give_the_scopes_of_the_roles() {
    let fixture = Fixture::new().await;
    fixture.add_user("dev", &["Internal/subscriber"]).await;
    let authenticator = fixture.authenticator();
    let principal = authenticator.basic("dev@carbon.super", &secret("dev")).await.unwrap();
    assert!(principal.has_any_scope(&["apim:subscribe"]) && !principal.has_any_scope(&["apim:admin"]));
    assert_eq!((principal.organization, principal.client_id), (Organization::super_tenant(), None));
    for (name, password) in [("dev", "wrong"), ("nobody", "dev"), ("dev@other.example", "dev")] {
        let outcome = authenticator.basic(name, &secret(password)).await;
        assert!(matches!(outcome, Err(AuthenticationError::Refused("wrong user name or password"))), "{name}");
    }
}

#[actix_web::test]
async fn a_default_password_is_noticed_in_the_stored_hash() {
    let fixture = Fixture::new().await;
    let (shared_db, gate) = (&fixture.shared_db, &fixture.gate);
    assert!(bootstrap::has_default_password(shared_db, gate, "admin").await.unwrap());
    fixture.add_user("root", &["admin"]).await;
    assert!(!bootstrap::has_default_password(shared_db, gate, "root").await.unwrap());
    assert!(!bootstrap::has_default_password(shared_db, gate, "nobody").await.unwrap());
}
