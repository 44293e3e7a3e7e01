//! Tenants: issuers, keys, users and clients of one are nothing in another.

use actix_web::test::TestRequest;
use domain::contract::{AuthenticationError, Authenticator, KeyManager, TenantKeys};
use domain::oauth::{ClientRegistration, RegisteredClient};
use domain::{Organization, Secret};
use jsonwebtoken::dangerous::insecure_decode;
use security::jwt::{ACCESS_TOKEN_TYPE, AccessTokenClaims, sign};
use store::StoreError;
use store::shared::users::tenants::{self, TenantState};

use super::fixture::{Fixture, ISSUER, Kind, basic, basic_of, form_request, registration};

const ONE: &str = "one.example";
const TWO: &str = "two.example";

fn organization(domain: &str) -> Organization {
    Organization::from_trusted(domain.to_owned())
}

/// A key manager with two tenants, each with an administrator `admin` whose password is the domain.
async fn with_tenants() -> Fixture {
    let fixture = Fixture::new().await;
    for domain in [ONE, TWO] {
        add_tenant(&fixture, domain).await;
    }
    fixture
}

async fn add_tenant(fixture: &Fixture, domain: &'static str) {
    let hash = Secret::new(fixture.gate.hash(Secret::new(domain.to_owned())).await.unwrap());
    let now = domain::Clock::now(&*fixture.clock);
    fixture
        .shared_db
        .write(move |conn| {
            tenants::insert(conn, &organization(domain), "admin", &hash, now)?;
            tenants::set_state(conn, &organization(domain), TenantState::Active)
        })
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    fixture.service.signing.ensure_keys(&organization(domain)).await.unwrap();
}

async fn client_of(fixture: &Fixture, domain: &str, kind: Kind) -> RegisteredClient {
    let wished = ClientRegistration {
        organization: organization(domain),
        ..registration("client", "client_credentials password refresh_token", kind)
    };
    fixture.service.register_client(wished).await.unwrap()
}

fn claims(token: &str) -> AccessTokenClaims {
    insecure_decode::<AccessTokenClaims>(token).unwrap().claims
}

fn login(username: &str, password: &str) -> String {
    format!("grant_type=password&username={username}&password={password}&scope=apim:admin+openid")
}

#[actix_web::test]
async fn a_tenants_tokens_come_from_its_own_issuer_and_key_and_name_their_tenant() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let issuer = "https://localhost:9443/t/one.example/oauth2/token";
    for (path, username) in [
        ("/oauth2/token", "admin@one.example"),
        ("/t/one.example/oauth2/token", "admin@one.example"),
        ("/t/one.example/oauth2/token", "admin"),
    ] {
        let answer = fixture.post(path, &client, &login(username, ONE)).await;
        let token = answer.text("access_token").to_owned();
        let claims = claims(&token);
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (issuer, "admin@one.example"), "{path} {username}");
        let principal = fixture.authenticator().bearer(&Secret::new(token)).await.unwrap();
        assert_eq!((principal.username.as_str(), principal.organization.as_str()), ("admin", ONE));
        assert!(principal.has_any_scope(&["apim:admin"]));
    }
    let jwks = async |path: &str| fixture.send(TestRequest::get().uri(path)).await.body["keys"][0]["kid"].clone();
    let kids = [
        jwks("/oauth2/jwks").await,
        jwks("/t/one.example/oauth2/jwks").await,
        jwks("/t/two.example/oauth2/jwks").await,
    ];
    assert!(kids[0] != kids[1] && kids[1] != kids[2] && kids.iter().all(serde_json::Value::is_string), "{kids:?}");
    assert_eq!(jwks("/t/carbon.super/oauth2/jwks").await, kids[0]);
}

#[actix_web::test]
async fn a_token_that_another_tenants_key_signed_is_refused() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let token = fixture.post("/t/one.example/oauth2/token", &client, &login("admin", ONE)).await;
    let good = claims(token.text("access_token"));
    let key = fixture.service.signing.current(&organization(ONE)).await.unwrap();
    for (iss, sub) in [
        (ISSUER.to_owned(), "admin@carbon.super"),
        ("https://localhost:9443/t/two.example/oauth2/token".to_owned(), "admin@two.example"),
        (good.iss.clone(), "admin@carbon.super"),
        (good.iss.clone(), "admin@two.example"),
        ("https://localhost:9443/t/three.example/oauth2/token".to_owned(), "admin@three.example"),
    ] {
        let forged = AccessTokenClaims { iss, sub: sub.to_owned(), ..good.clone() };
        let token = sign(&key, ACCESS_TOKEN_TYPE, &forged).unwrap();
        let outcome = fixture.authenticator().bearer(&token).await;
        assert!(matches!(outcome, Err(AuthenticationError::Refused(_))), "{forged:?}: {outcome:?}");
    }
}

#[actix_web::test]
async fn clients_and_users_of_another_tenant_are_refused_on_a_tenants_paths() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let elsewhere = "/t/two.example/oauth2/token";
    let answer = fixture.post(elsewhere, &client, "grant_type=client_credentials").await;
    assert_eq!(answer.refusal(), (401, "invalid_client"));
    let own = "/t/one.example/oauth2/token";
    assert_eq!(fixture.post(own, &client, &login("admin@two.example", TWO)).await.refusal(), (400, "invalid_grant"));
    let answer = fixture.token(&client, &login("admin@two.example", TWO)).await;
    assert_eq!(answer.refusal(), (400, "invalid_grant"));
    let unknown = fixture.post("/t/three.example/oauth2/token", &client, "grant_type=client_credentials").await;
    assert_eq!(unknown.refusal(), (404, "invalid_request"));
    let revoked = fixture.post("/t/two.example/oauth2/revoke", &client, "token=x").await;
    assert_eq!(revoked.refusal(), (401, "invalid_client"));
}

#[actix_web::test]
async fn a_tool_of_the_super_tenant_serves_users_of_every_tenant_and_gets_their_tenants_tokens() {
    let fixture = with_tenants().await;
    let client = fixture.client("password refresh_token client_credentials", Kind::Tool).await;
    let answer = fixture.token(&client, &login("admin@two.example", TWO)).await;
    let first = claims(answer.text("access_token"));
    assert_eq!(first.iss, "https://localhost:9443/t/two.example/oauth2/token");
    let form = format!("grant_type=refresh_token&refresh_token={}", answer.text("refresh_token"));
    let elsewhere = fixture.post("/t/one.example/oauth2/token", &client, &form).await;
    assert_eq!(elsewhere.refusal(), (400, "invalid_grant"));
    let refreshed = fixture.post("/t/two.example/oauth2/token", &client, &form).await;
    assert_eq!(claims(refreshed.text("access_token")).iss, first.iss);
    let own = fixture.post("/t/one.example/oauth2/token", &client, "grant_type=client_credentials").await;
    assert_eq!(own.refusal(), (400, "unauthorized_client"));
    // The client's end is the end of all its tokens, whoever they speak for.
    fixture.pass(1);
    let super_tenant = Organization::super_tenant();
    fixture.service.delete_client(&super_tenant, &client.client.id).await.unwrap();
    let token = Secret::new(refreshed.text("access_token").to_owned());
    assert!(fixture.authenticator().bearer(&token).await.is_err());
}

#[actix_web::test]
async fn introspection_shows_tokens_of_the_own_tenant_only() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let token = fixture.post("/oauth2/token", &client, &login("admin@one.example", ONE)).await;
    let form = format!("token={}", token.text("access_token"));
    let ask = async |path: &str, credentials| {
        let answer = fixture.send(form_request(path, &form).insert_header(credentials)).await;
        (answer.status.as_u16(), answer.body["active"] == true)
    };
    assert_eq!(ask("/oauth2/introspect", basic("admin@one.example", ONE)).await, (200, true));
    assert_eq!(ask("/t/one.example/oauth2/introspect", basic("admin", ONE)).await, (200, true));
    assert_eq!(ask("/t/one.example/oauth2/introspect", basic_of(&client)).await, (200, true));
    assert_eq!(ask("/oauth2/introspect", basic("admin@two.example", TWO)).await, (200, false));
    assert_eq!(ask("/oauth2/introspect", basic("admin", "admin")).await, (200, false));
    assert_eq!(ask("/t/two.example/oauth2/introspect", basic_of(&client)).await, (401, false));
    assert_eq!(ask("/t/two.example/oauth2/introspect", basic("admin@one.example", ONE)).await, (401, false));
}

#[actix_web::test]
async fn userinfo_answers_users_with_scope_openid_and_nobody_else() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let token = fixture.token(&client, &login("admin@one.example", ONE)).await.text("access_token").to_owned();
    let ask = async |path: &str, header: String| {
        let mut statuses = Vec::new();
        for request in [TestRequest::get(), TestRequest::post()] {
            let request = request.uri(path).insert_header(("Authorization", header.clone()));
            statuses.push(fixture.send(request).await);
        }
        assert_eq!(statuses[0].status, statuses[1].status);
        statuses.remove(0)
    };
    for path in ["/oauth2/userinfo", "/t/one.example/oauth2/userinfo"] {
        assert_eq!(ask(path, format!("Bearer {token}")).await.text("sub"), "admin@one.example");
    }
    let elsewhere = ask("/t/two.example/oauth2/userinfo", format!("Bearer {token}")).await;
    assert_eq!(elsewhere.status, 401);
    assert!(elsewhere.header("www-authenticate").contains("invalid_token"));
    let odd = ask("/oauth2/userinfo", format!("Basic {token}")).await;
    assert_eq!((odd.status.as_u16(), odd.header("www-authenticate")), (401, "Bearer realm=\"localhost\""));
    let bare = fixture.token(&client, "grant_type=password&username=admin@one.example&password=one.example").await;
    let bare = ask("/oauth2/userinfo", format!("Bearer {}", bare.text("access_token"))).await;
    assert_eq!(bare.status, 403);
    assert!(bare.header("www-authenticate").contains("insufficient_scope"));
    let application = fixture.token(&client, "grant_type=client_credentials&scope=openid").await;
    assert_eq!(ask("/oauth2/userinfo", format!("Bearer {}", application.text("access_token"))).await.status, 401);
}

#[actix_web::test]
async fn a_tenants_discovery_names_the_tenants_endpoints() {
    let fixture = with_tenants().await;
    for path in [
        "/t/one.example/oauth2/token/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/one.example/oauth2/token",
    ] {
        let metadata = fixture.send(TestRequest::get().uri(path)).await;
        assert_eq!(metadata.text("issuer"), "https://localhost:9443/t/one.example/oauth2/token");
        assert_eq!(metadata.text("token_endpoint"), metadata.text("issuer"));
        for member in ["jwks_uri", "userinfo_endpoint", "revocation_endpoint", "introspection_endpoint"] {
            assert!(metadata.text(member).starts_with("https://localhost:9443/t/one.example/oauth2/"), "{member}");
        }
    }
    let unknown =
        fixture.send(TestRequest::get().uri("/t/no.example/oauth2/token/.well-known/openid-configuration")).await;
    assert_eq!(unknown.status, 404);
}

#[actix_web::test]
async fn nothing_of_a_tenant_works_while_it_is_not_active() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::Tool).await;
    let token = fixture.token(&client, &login("admin@one.example", ONE)).await;
    let token = Secret::new(token.text("access_token").to_owned());
    assert!(fixture.authenticator().bearer(&token).await.is_ok());
    for state in [TenantState::Inactive, TenantState::Creating] {
        let changed = fixture.shared_db.write(move |conn| tenants::set_state(conn, &organization(ONE), state)).await;
        changed.map_err(|error: StoreError| error).unwrap();
        assert!(fixture.authenticator().bearer(&token).await.is_err());
        let outcome = fixture.authenticator().basic("admin@one.example", &Secret::new(ONE.to_owned())).await;
        assert!(outcome.is_err());
        let answer = fixture.token(&client, "grant_type=client_credentials").await;
        assert_eq!(answer.refusal(), (401, "invalid_client"));
        let jwks = fixture.send(TestRequest::get().uri("/t/one.example/oauth2/jwks")).await;
        assert_eq!(jwks.status, 404);
    }
}

#[actix_web::test]
async fn a_portal_application_gets_no_management_scope_by_any_grant_or_path() {
    let fixture = with_tenants().await;
    let client = client_of(&fixture, ONE, Kind::PortalApplication).await;
    for path in ["/oauth2/token", "/t/one.example/oauth2/token"] {
        for form in [
            "grant_type=client_credentials&scope=apim:admin+apim:api_view+service_catalog:service_view".to_owned(),
            login("admin@one.example", ONE),
        ] {
            let answer = fixture.post(path, &client, &form).await;
            assert!(!answer.text("scope").contains("apim:") && !answer.text("scope").contains("service_catalog:"));
            let Some(refresh) = answer.body["refresh_token"].as_str() else { continue };
            let form = format!("grant_type=refresh_token&refresh_token={refresh}&scope=apim:admin");
            assert!(!fixture.post(path, &client, &form).await.text("scope").contains("apim:"));
        }
    }
}

#[actix_web::test]
async fn a_tenants_registration_is_for_its_own_users() {
    let fixture = with_tenants().await;
    let register = async |tenant: &str, (name, password): (&str, &str)| {
        let body = r#"{"clientName": "tool", "grantType": "client_credentials", "callbackUrl": ""}"#;
        let request = TestRequest::post()
            .uri(&format!("/t/{tenant}/client-registration/v0.17/register"))
            .insert_header(basic(name, password))
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body);
        fixture.send(request).await
    };
    let short = register(ONE, ("admin", ONE)).await;
    let whole = register(ONE, ("admin@one.example", ONE)).await;
    assert_eq!((short.status.as_u16(), short.text("appOwner")), (200, "admin@one.example"));
    assert_eq!(whole.text("clientId"), short.text("clientId"));
    for stranger in [("admin@two.example", TWO), ("admin", TWO), ("admin", "admin"), ("admin@carbon.super", "admin")] {
        assert_eq!(register(ONE, stranger).await.status, 401, "{stranger:?}");
    }
    assert_eq!(register("carbon.super", ("admin", "admin")).await.text("appOwner"), "admin");
    assert_eq!(register("no.example", ("admin", "admin")).await.status, 404);
}
