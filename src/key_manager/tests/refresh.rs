//! Refresh tokens: rotation, reuse, families.

use domain::oauth::RegisteredClient;

use super::fixture::{Answer, Fixture, Kind};

const LOGIN: &str = "grant_type=password&username=admin&password=admin&scope=apim:admin+apim:api_view";

async fn log_in(fixture: &Fixture) -> (RegisteredClient, Answer) {
    let client = fixture.client("password refresh_token", Kind::Tool).await;
    let answer = fixture.token(&client, LOGIN).await;
    (client, answer)
}

async fn refresh(fixture: &Fixture, client: &RegisteredClient, token: &str) -> Answer {
    fixture.token(client, &format!("grant_type=refresh_token&refresh_token={token}")).await
}

async fn is_active(fixture: &Fixture, client: &RegisteredClient, token: &str) -> bool {
    let answer = fixture.post("/oauth2/introspect", client, &format!("token={token}")).await;
    answer.body["active"].as_bool().unwrap()
}

#[actix_web::test]
async fn a_refresh_replaces_both_tokens_and_keeps_the_scopes() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let second = refresh(&fixture, &client, first.text("refresh_token")).await;
    assert_eq!((second.status.as_u16(), second.text("scope")), (200, "apim:admin apim:api_view"));
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
    assert!(!is_active(&fixture, &client, first.text("access_token")).await);
    assert!(is_active(&fixture, &client, second.text("access_token")).await);
}

#[actix_web::test]
async fn fewer_scopes_may_be_asked_for_and_more_are_dropped() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let form = format!(
        "grant_type=refresh_token&refresh_token={}&scope=apim:api_view+apim:api_create",
        first.text("refresh_token")
    );
    let second = fixture.token(&client, &form).await;
    assert_eq!(second.text("scope"), "apim:api_view");
    let third = refresh(&fixture, &client, second.text("refresh_token")).await;
    assert_eq!(third.text("scope"), "apim:admin apim:api_view", "the family keeps what it was granted first");
}

#[actix_web::test]
async fn a_token_used_twice_ends_its_family_with_all_access_tokens() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let second = refresh(&fixture, &client, first.text("refresh_token")).await;
    let other_login = fixture.token(&client, LOGIN).await;
    let again = refresh(&fixture, &client, first.text("refresh_token")).await;
    assert_eq!(again.refusal(), (400, "invalid_grant"));
    assert_eq!(refresh(&fixture, &client, second.text("refresh_token")).await.refusal(), (400, "invalid_grant"));
    assert!(!is_active(&fixture, &client, second.text("access_token")).await);
    assert!(is_active(&fixture, &client, other_login.text("access_token")).await);
}

#[actix_web::test]
async fn of_two_refreshes_at_the_same_time_at_most_one_succeeds() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let token = first.text("refresh_token");
    let (one, other) = tokio::join!(refresh(&fixture, &client, token), refresh(&fixture, &client, token));
    assert!([&one, &other].iter().filter(|answer| answer.status == 200).count() <= 1);
    assert!([&one, &other].iter().any(|answer| answer.status == 400));
}

#[actix_web::test]
async fn another_client_and_a_late_client_get_nothing() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let registration = super::fixture::registration("thief", "refresh_token", Kind::Tool);
    let thief = domain::contract::KeyManager::register_client(&*fixture.service, registration).await.unwrap();
    let token = first.text("refresh_token");
    assert_eq!(refresh(&fixture, &thief, token).await.refusal(), (400, "invalid_grant"));
    fixture.pass(86_400);
    assert_eq!(refresh(&fixture, &client, token).await.refusal(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn revoking_a_refresh_token_ends_its_family() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    let form = format!("token={}&token_type_hint=refresh_token", first.text("refresh_token"));
    assert_eq!(fixture.post("/oauth2/revoke", &client, &form).await.status, 200);
    assert!(!is_active(&fixture, &client, first.text("access_token")).await);
    assert_eq!(refresh(&fixture, &client, first.text("refresh_token")).await.refusal(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn expired_tokens_and_revocations_are_purged() {
    let fixture = Fixture::new().await;
    let (client, first) = log_in(&fixture).await;
    refresh(&fixture, &client, first.text("refresh_token")).await;
    assert_eq!(crate::purge::purge(&fixture.service).await.unwrap(), 0);
    fixture.pass(90_000);
    assert_eq!(crate::purge::purge(&fixture.service).await.unwrap(), 3, "two refresh tokens and one revocation");
}
