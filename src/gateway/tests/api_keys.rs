//! Callers with an API key.

use domain::api_key::{ApiKey, KeyRestrictions};
use domain::application::KeyType;
use domain::event::Event;
use domain::subscription::SubscriptionState;
use domain::{Clock, Organization, SystemClock, Timestamp};
use hyper::Method;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Answer, Setting, TestGateway, token};

const KEY: &str = "kRk2-the_text";

struct Scene {
    gateway: TestGateway,
    back_end: BackEnd,
    api: domain::runtime::GatewayApi,
}

/// An API that takes API keys (and tokens when `schemes` says so), and a key of the subscribed application.
async fn scene(schemes: &[&str]) -> Scene {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.security_schemes = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
    let mut scoped = fixture::operation("GET", "/scoped");
    scoped.scopes = vec!["read".to_owned()];
    api.operations.push(scoped);
    let mut setting = Setting::new(std::slice::from_ref(&api));
    setting.subscription_tier = "Sub".to_owned();
    setting.application_tier = "App".to_owned();
    setting.subscription_policies = vec![fixture::subscription_policy("Sub", 1000)];
    setting.application_policies = vec![fixture::application_policy("App", 1000)];
    let gateway = setting.start();
    let scene = Scene { gateway, back_end, api };
    scene.add(&scene.key());
    scene
}

impl Scene {
    fn key(&self) -> ApiKey {
        fixture::api_key(self.gateway.application.id, KEY)
    }

    fn add(&self, key: &ApiKey) {
        self.gateway.tables.apply(&Event::ApiKeyCreated(key.clone()), None);
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.gateway.call(Method::GET, path, headers, "").await
    }

    async fn with_key(&self, key: &str) -> Answer {
        self.get("/pizza/1.0.0/menu", &[("apikey", key)]).await
    }
}

#[tokio::test]
async fn a_key_opens_the_api_and_stays_here() {
    let scene = scene(&["api_key"]).await;
    let answer = scene.with_key(KEY).await;
    assert_eq!(answer.body, "hello");
    assert!(!scene.back_end.last().headers.contains_key("apikey"));
    let answer = scene.get(&format!("/pizza/1.0.0/menu?a=%2f&apikey={KEY}&b"), &[]).await;
    assert_eq!(answer.body, "hello");
    assert_eq!(scene.back_end.last().target, "/menu?a=%2f&b");
    assert_eq!(scene.get("/pizza/1.0.0/scoped", &[("apikey", KEY)]).await.status, 200, "keys have no scopes");
    assert!(scene.gateway.throttle.granted_for("sub:") > 0);
    let user = format!("app:{}:user@carbon.super", scene.gateway.application.id);
    assert!(scene.gateway.throttle.granted_for(&user) > 0);
}

#[tokio::test]
async fn an_api_may_name_the_header() {
    let scene = scene(&["api_key"]).await;
    let mut api = scene.api.clone();
    api.revision_id = domain::RevisionId::random();
    api.api_key_header = Some("x-pizza-key".to_owned());
    scene.gateway.deploy(&api);
    assert_eq!(scene.get("/pizza/1.0.0/menu", &[("x-pizza-key", KEY)]).await.status, 200);
    assert!(!scene.back_end.last().headers.contains_key("x-pizza-key"));
    assert_eq!(scene.with_key(KEY).await.outcome(), (401, "900902".to_owned()));
}

#[tokio::test]
async fn a_wrong_revoked_or_expired_key_is_refused() {
    let scene = scene(&["api_key"]).await;
    for wrong in ["", "nonsense", &scene.key().hash] {
        assert_eq!(scene.with_key(wrong).await.outcome(), (401, "900901".to_owned()), "{wrong}");
    }
    let twice = scene.get("/pizza/1.0.0/menu", &[("apikey", KEY), ("apikey", KEY)]).await;
    assert_eq!(twice.outcome(), (401, "900901".to_owned()));
    let now = SystemClock.now().as_secs();
    for (expires_at, expected) in [(now - 1, 401), (now + 60, 200)] {
        let expires_at = Some(Timestamp::from_secs(expires_at));
        scene.add(&ApiKey { expires_at, ..fixture::api_key(scene.gateway.application.id, "short") });
        let answer = scene.with_key("short").await;
        assert_eq!(answer.status, expected);
        if expected == 401 {
            assert_eq!(answer.code(), "900903");
        }
    }
    let key = scene.key();
    let (organization, api_key_id, application_id) = (key.organization, key.id, key.application_id);
    scene
        .gateway
        .tables
        .apply(&Event::ApiKeyRevoked { organization, api_key_id, application_id, hash: key.hash }, None);
    assert_eq!(scene.with_key(KEY).await.outcome(), (401, "900901".to_owned()));
}

#[tokio::test]
async fn a_key_counts_only_from_where_it_may_be_used() {
    let scene = scene(&["api_key"]).await;
    for (ips, referers, referer, expected) in [
        ("127.0.0.0/8", "", None, 200),
        ("10.0.0.0/8,2001:db8::/32", "", None, 403),
        ("", "shop.example.com/*", Some("https://shop.example.com/x"), 200),
        ("", "shop.example.com/*", Some("https://evil.org/shop.example.com/"), 403),
        ("", "shop.example.com/*", None, 403),
        ("10.0.0.0/8", "shop.example.com/*", Some("https://shop.example.com/x"), 403),
    ] {
        let restrictions = KeyRestrictions::parse(ips, referers).unwrap();
        scene.add(&ApiKey { restrictions, ..scene.key() });
        let mut headers = vec![("apikey", KEY), ("x-forwarded-for", "10.1.1.1")];
        headers.extend(referer.map(|page| ("referer", page)));
        let answer = scene.get("/pizza/1.0.0/menu", &headers).await;
        assert_eq!(answer.status, expected, "{ips} {referers} {referer:?}");
        if expected == 403 {
            assert_eq!(answer.code(), "900908");
        }
    }
}

#[tokio::test]
async fn the_subscription_decides_for_keys_too() {
    let scene = scene(&["api_key"]).await;
    let mut subscription = fixture::subscription(scene.gateway.application.id, scene.api.api_id, "Sub");
    subscription.state = SubscriptionState::ProdOnlyBlocked;
    scene.gateway.tables.apply(&Event::SubscriptionUpdated(subscription.clone()), None);
    assert_eq!(scene.with_key(KEY).await.outcome(), (401, "900907".to_owned()));
    scene.add(&ApiKey { key_type: KeyType::Sandbox, ..scene.key() });
    let sandbox = scene.with_key(KEY).await;
    assert_eq!(sandbox.outcome(), (403, "900901".to_owned()), "not blocked, but there is no sandbox");
    assert!(sandbox.body.contains("Sandbox key offered to the API with no sandbox endpoint"), "{}", sandbox.body);
    let event = Event::SubscriptionDeleted {
        organization: Organization::super_tenant(),
        subscription_id: subscription.id,
        api_id: subscription.api_id,
        application_id: subscription.application_id,
    };
    scene.gateway.tables.apply(&event, None);
    assert_eq!(scene.with_key(KEY).await.outcome(), (403, "900908".to_owned()));
    let application_id = scene.gateway.application.id;
    let organization = Organization::super_tenant();
    scene.gateway.tables.apply(&Event::ApplicationDeleted { organization, application_id }, None);
    assert_eq!(scene.with_key(KEY).await.outcome(), (401, "900901".to_owned()));
}

#[tokio::test]
async fn of_two_schemes_the_first_that_is_there_decides() {
    let scene = scene(&["oauth2", "api_key", "oauth_basic_auth_api_key_mandatory"]).await;
    let good = format!("Bearer {}", token());
    let get = async |headers: &[(&str, &str)]| scene.get("/pizza/1.0.0/menu", headers).await;
    assert_eq!(get(&[("authorization", &good)]).await.status, 200);
    assert_eq!(get(&[("apikey", KEY)]).await.status, 200);
    assert_eq!(get(&[("authorization", "Basic abc"), ("apikey", KEY)]).await.status, 200);
    assert_eq!(get(&[("authorization", "Bearer x"), ("apikey", KEY)]).await.outcome(), (401, "900901".to_owned()));
    let missing = get(&[]).await;
    assert_eq!(missing.outcome(), (401, "900902".to_owned()));
    assert!(missing.body.contains("'Authorization : Bearer ACCESS_TOKEN' or 'apikey : API_KEY'"), "{}", missing.body);
    let challenge = "OAuth2 realm=\"WSO2 API Manager\", API Key realm=\"WSO2 API Manager\"";
    assert_eq!(missing.headers["www-authenticate"], challenge);
}

#[tokio::test]
async fn a_scheme_that_the_api_does_not_take_is_no_credential() {
    let keys_only = scene(&["api_key"]).await;
    let answer = keys_only.gateway.get("/pizza/1.0.0/menu").await;
    assert_eq!(answer.outcome(), (401, "900902".to_owned()));
    let tokens_only = scene(&["oauth2"]).await;
    assert_eq!(tokens_only.with_key(KEY).await.outcome(), (401, "900902".to_owned()));
    let path = "/pizza/1.0.0/menu?apikey=mine";
    assert_eq!(tokens_only.gateway.get(path).await.status, 200);
    assert_eq!(tokens_only.back_end.last().target, "/menu?apikey=mine", "nothing but a parameter here");
}

#[tokio::test]
async fn an_api_that_demands_certificates_is_closed() {
    let scene = scene(&["oauth2", "api_key", "mutualssl", "mutualssl_mandatory"]).await;
    assert_eq!(scene.with_key(KEY).await.outcome(), (401, "900902".to_owned()));
    assert_eq!(scene.gateway.get("/pizza/1.0.0/menu").await.outcome(), (401, "900902".to_owned()));
}
