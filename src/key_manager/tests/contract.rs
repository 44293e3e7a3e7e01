//! The contract `KeyManager`.

use domain::Organization;
use domain::contract::{KeyManager, KeyManagerError};
use domain::event::{Event, LogName};
use domain::runtime::Revocation;
use store::outbox;

use super::fixture::{Fixture, Kind, registration};

fn organization() -> Organization {
    Organization::super_tenant()
}

#[actix_web::test]
async fn an_application_gets_its_client_and_a_first_token() {
    let fixture = Fixture::new().await;
    let wished = registration("admin_0190_PRODUCTION", "client_credentials", Kind::PortalApplication);
    let registered = fixture.service.register_client(wished.clone()).await.unwrap();
    let again = fixture.service.register_client(wished).await.unwrap();
    assert_eq!(again.client.id, registered.client.id);
    let id = &registered.client.id;
    let found = fixture.service.find_client(&organization(), id).await.unwrap().unwrap();
    assert!(found.secret.unwrap().matches(registered.secret.unwrap().expose().as_bytes()));
    let issue = async |secs| fixture.service.issue_application_token(&organization(), id, &[], secs).await;
    let token = issue(None).await.unwrap();
    assert_eq!((token.expires_in, token.scopes.as_slice()), (3600, ["default".to_owned()].as_slice()));
    assert_eq!(issue(Some(60)).await.unwrap().expires_in, 60);
    assert_eq!(issue(Some(-1)).await.unwrap().expires_in, i64::from(i32::MAX));
}

#[actix_web::test]
async fn another_organization_does_not_see_the_client() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let other = Organization::from_trusted("other.example".to_owned());
    assert!(fixture.service.find_client(&other, &client.client.id).await.unwrap().is_none());
    fixture.service.delete_client(&other, &client.client.id).await.unwrap();
    assert!(fixture.service.find_client(&organization(), &client.client.id).await.unwrap().is_some());
}

#[actix_web::test]
async fn a_deleted_clients_tokens_are_refused_and_gateways_hear_of_it() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::Tool).await;
    let token = fixture.token(&client, "grant_type=client_credentials").await;
    fixture.pass(1);
    fixture.service.delete_client(&organization(), &client.client.id).await.unwrap();
    assert_eq!(fixture.token(&client, "grant_type=client_credentials").await.refusal(), (401, "invalid_client"));
    let request = super::fixture::form_request("/oauth2/introspect", &format!("token={}", token.text("access_token")));
    let seen = fixture.send(request.insert_header(super::fixture::basic("admin", "admin"))).await;
    assert_eq!(seen.body["active"], false);
    let events = fixture.apim_db.read(|conn| outbox::read_after(conn, LogName::Revocation, 0, 10)).await.unwrap();
    let [entry] = events.as_slice() else { panic!("{events:?}") };
    assert!(matches!(
        &entry.event,
        Event::Revoked(revoked) if matches!(&revoked.revocation, Revocation::ConsumerKey { consumer_key, .. }
            if *consumer_key == client.client.id)
    ));
    fixture.service.delete_client(&organization(), "unheard").await.unwrap();
}

#[actix_web::test]
async fn what_cannot_be_issued_is_told() {
    let fixture = Fixture::new().await;
    let outcome = fixture.service.issue_application_token(&organization(), "unheard", &[], None).await;
    assert!(matches!(outcome, Err(KeyManagerError::UnknownClient(_))));
    let client = fixture.client("password", Kind::PortalApplication).await;
    let outcome = fixture.service.issue_application_token(&organization(), &client.client.id, &[], None).await;
    assert!(matches!(outcome, Err(KeyManagerError::Invalid { field, .. }) if field == "grantType"));
    let outcome = fixture.service.register_client(registration(" ", "password", Kind::Tool)).await;
    assert!(matches!(outcome, Err(KeyManagerError::Invalid { field, .. }) if field == "clientName"));
}
