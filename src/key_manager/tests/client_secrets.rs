//! Several secrets of one client.

use domain::Organization;
use domain::contract::{KeyManager, KeyManagerError};
use domain::oauth::{ClientSecret, RegisteredClient};
use serde_json::Map;

use super::fixture::{Fixture, Kind};

fn organization() -> Organization {
    Organization::super_tenant()
}

/// The client with another secret.
fn with(client: &RegisteredClient, secret: &ClientSecret) -> RegisteredClient {
    RegisteredClient { client: client.client.clone(), secret: secret.value.clone() }
}

async fn status(fixture: &Fixture, client: &RegisteredClient) -> u16 {
    fixture.token(client, "grant_type=client_credentials").await.status.as_u16()
}

#[actix_web::test]
async fn a_secret_with_a_lifetime_ends_by_itself_and_the_other_goes_on() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let id = &client.client.id;
    let second = fixture.service.add_secret(&organization(), id, Some(60), Map::new()).await.unwrap();
    let short_lived = with(&client, &second);
    assert_eq!((status(&fixture, &client).await, status(&fixture, &short_lived).await), (200, 200));
    fixture.pass(60);
    assert_eq!((status(&fixture, &client).await, status(&fixture, &short_lived).await), (200, 401));
    assert_eq!(fixture.service.list_secrets(&organization(), id).await.unwrap().len(), 1);
    let found = fixture.service.find_client(&organization(), id).await.unwrap().unwrap();
    assert!(found.secret.unwrap().matches(client.secret.unwrap().expose().as_bytes()));
}

#[actix_web::test]
async fn a_client_has_a_limited_number_of_secrets_and_expired_ones_do_not_count() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let add = async |secs| fixture.service.add_secret(&organization(), &client.client.id, secs, Map::new()).await;
    for _ in 0..9 {
        add(Some(60)).await.unwrap();
    }
    assert!(matches!(add(None).await, Err(KeyManagerError::Invalid { field, .. }) if field == "consumerSecrets"));
    fixture.pass(60);
    add(None).await.unwrap();
    assert!(
        matches!(add(Some(0)).await, Err(KeyManagerError::Invalid { field, .. }) if field == "additionalProperties")
    );
}

#[actix_web::test]
async fn another_organization_can_do_nothing_with_the_secrets() {
    let fixture = Fixture::new().await;
    let client = fixture.client("client_credentials", Kind::PortalApplication).await;
    let (id, other) = (&client.client.id, Organization::from_trusted("other.example".to_owned()));
    let secret = fixture.service.list_secrets(&organization(), id).await.unwrap().remove(0);
    let is_unknown = |error| matches!(error, KeyManagerError::UnknownClient(_));
    assert!(is_unknown(fixture.service.list_secrets(&other, id).await.unwrap_err()));
    assert!(is_unknown(fixture.service.add_secret(&other, id, None, Map::new()).await.unwrap_err()));
    assert!(is_unknown(fixture.service.revoke_secret(&other, id, &secret.id).await.unwrap_err()));
    assert!(is_unknown(fixture.service.regenerate_secret(&other, id).await.unwrap_err()));
    let value = secret.value.unwrap();
    assert!(!fixture.service.is_client_secret(&other, id, &value).await.unwrap());
    assert!(fixture.service.is_client_secret(&organization(), id, &value).await.unwrap());
}
