//! Discovery, key sets and rotation.

use actix_web::test::TestRequest;
use config::sections::oauth::{Oauth, SigningAlgorithm};
use domain::Organization;
use domain::application::RESIDENT_KEY_MANAGER;
use domain::event::{Event, LogName};
use store::outbox;

use super::fixture::{Fixture, ISSUER, Kind};
use crate::signing::Signing;

#[actix_web::test]
async fn discovery_names_endpoints_that_are_served_and_only_those() {
    let fixture = Fixture::new().await;
    for path in
        ["/oauth2/token/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/oauth2/token"]
    {
        let metadata = fixture.send(TestRequest::get().uri(path)).await;
        assert_eq!((metadata.status.as_u16(), metadata.text("issuer")), (200, ISSUER));
        for member in ["token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
            let path = metadata.text(member).strip_prefix("https://localhost:9443").unwrap();
            assert_eq!(fixture.send(super::fixture::form_request(path, "")).await.status, 401, "{path}");
        }
        let jwks = metadata.text("jwks_uri").strip_prefix("https://localhost:9443").unwrap();
        assert_eq!(fixture.send(TestRequest::get().uri(jwks)).await.status, 200);
        assert!(metadata.body.get("authorization_endpoint").is_none());
    }
}

#[actix_web::test]
async fn the_issuer_is_announced_with_its_keys_at_the_first_start() {
    let fixture = Fixture::new().await;
    let events = fixture.apim_db.read(|conn| outbox::read_after(conn, LogName::Control, 0, 10)).await.unwrap();
    let Some(Event::IssuerUpdated(issuer)) = events.last().map(|entry| &entry.event) else { panic!("{events:?}") };
    assert_eq!((issuer.issuer.as_str(), issuer.name.as_str()), (ISSUER, RESIDENT_KEY_MANAGER));
    assert_eq!(issuer.organization, Organization::super_tenant());
    let jwks = fixture.send(TestRequest::get().uri("/oauth2/jwks")).await.body;
    assert_eq!(issuer.jwks, jwks);
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_rotated_key_is_published_before_it_signs_and_the_old_one_stays_while_its_tokens_live() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let kid = async || {
        let answer = fixture.token(&client, "grant_type=client_credentials").await;
        jsonwebtoken::decode_header(answer.text("access_token")).unwrap().kid.unwrap()
    };
    let published =
        async || fixture.send(TestRequest::get().uri("/oauth2/jwks")).await.body["keys"].as_array().unwrap().len();
    let reload = async || {
        fixture.service.signing.reload().await.unwrap();
    };
    let old = kid().await;
    fixture.service.rotate_signing_key().await.unwrap();
    reload().await;
    assert_eq!((kid().await, published().await), (old.clone(), 2));
    fixture.pass(600);
    reload().await;
    assert_ne!(kid().await, old);
    assert_eq!(published().await, 2);
    fixture.pass(3600);
    assert_eq!(published().await, 1);
}

#[actix_web::test]
async fn a_restart_uses_the_stored_key_and_another_algorithm_publishes_a_successor() {
    let fixture = Fixture::new().await;
    let reopened_kid = async |signing_algorithm| {
        let oauth = Oauth { signing_algorithm, ..Oauth::default() };
        let (apim_db, key) = (fixture.apim_db.clone(), fixture.key_encryption_key.clone());
        let signing = Signing::new(apim_db, key, oauth, ISSUER.to_owned(), fixture.clock.clone());
        signing.ensure(&Organization::super_tenant()).await.unwrap();
        signing.current(&Organization::super_tenant()).await.unwrap().kid.clone()
    };
    let kid = fixture.signing_key().await.kid.clone();
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::EdDsa] {
        assert_eq!(reopened_kid(algorithm).await, kid);
    }
    let jwks = fixture.send(TestRequest::get().uri("/oauth2/jwks")).await.body;
    let algorithms: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["EdDSA", "ES256"]);
}
