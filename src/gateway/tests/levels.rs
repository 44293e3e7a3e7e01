//! Each level of limits has its code, its order and its count.

use domain::Zone;
use domain::event::Event;
use domain::runtime::GatewayApi;
use domain::tenant::TenantSettings;
use domain::throttling::advanced::Subject;
use domain::throttling::{DenyTarget, PolicyKind, Quota, RateLimit, Shape, TimeUnit, WindowKind};
use hyper::Method;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, TestGateway, token};
use crate::testing::wait::until;

const MENU: &str = "/pizza/1.0.0/";

async fn start(change: impl FnOnce(&mut GatewayApi)) -> (TestGateway, BackEnd) {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    change(&mut api);
    let mut setting = Setting::new(&[api]);
    setting.config.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    (setting.start(), back_end)
}

impl TestGateway {
    fn tell(&self, event: Event) {
        self.tables.apply(&event, None);
    }

    /// Status and code of a call; no code when it passed.
    async fn outcome(&self, method: Method, headers: &[(&str, &str)]) -> (u16, String) {
        let bearer = format!("Bearer {}", token());
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        let answer = self.call(method, MENU, &headers, "").await;
        if answer.status == 200 { (200, String::new()) } else { answer.outcome() }
    }

    /// How many calls pass, and what the next one hears.
    async fn passes(&self, headers: &[(&str, &str)]) -> (u32, (u16, String)) {
        for passed in 0..50 {
            let outcome = self.outcome(Method::GET, headers).await;
            if outcome.0 != 200 {
                return (passed, outcome);
            }
        }
        panic!("nothing limits the calls")
    }
}

fn refused(passed: u32, status: u16, code: &str) -> (u32, (u16, String)) {
    (passed, (status, code.to_owned()))
}

#[tokio::test]
async fn an_operations_policy_counts_that_operation_alone() {
    let (gateway, _) = start(|api| api.operations[0].throttling_policy = "Three".to_owned()).await;
    gateway.tell(Event::AdvancedPolicyUpdated(fixture::advanced_policy("Three", 3)));
    assert_eq!(gateway.passes(&[]).await, refused(3, 429, "900802"));
    assert_eq!(gateway.outcome(Method::POST, &[]).await.0, 200);
    assert_eq!(gateway.throttle.granted_for("res:/pizza/1.0.0/*:GET"), 3);
}

#[tokio::test]
async fn windows_are_those_that_the_policy_says_where_its_tenants_clocks_are() {
    let (gateway, _) = start(|api| api.throttling_policy = Some("P".to_owned())).await;
    let mut policy = fixture::advanced_policy("P", 5);
    let organization = policy.organization.clone();
    gateway.tell(Event::AdvancedPolicyUpdated(policy.clone()));
    gateway.outcome(Method::GET, &[]).await;
    assert_eq!(gateway.throttle.shape_of("api:"), Shape::aligned(1, TimeUnit::Hour));
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    for (time_zone, expected) in [(berlin, berlin), (Zone::UTC, Zone::UTC)] {
        let organization = organization.clone();
        gateway.tell(Event::TenantSettingsUpdated(TenantSettings { organization, time_zone }));
        gateway.outcome(Method::GET, &[]).await;
        let shape = Shape::new(1, TimeUnit::Hour, WindowKind::Aligned, expected);
        assert_eq!(gateway.throttle.shape_of("api:"), shape);
    }
    policy.limit.as_mut().unwrap().window = WindowKind::FirstRequest;
    gateway.tell(Event::AdvancedPolicyUpdated(policy));
    gateway.outcome(Method::GET, &[]).await;
    assert_eq!(gateway.throttle.shape_of("api:"), Shape::of_first_request(1, TimeUnit::Hour));
}

#[tokio::test]
async fn an_apis_policy_counts_all_its_operations_and_replaces_theirs() {
    let change = |api: &mut GatewayApi| {
        api.throttling_policy = Some("Three".to_owned());
        api.operations[0].throttling_policy = "One".to_owned();
    };
    let (gateway, _) = start(change).await;
    gateway.tell(Event::AdvancedPolicyUpdated(fixture::advanced_policy("Three", 3)));
    gateway.tell(Event::AdvancedPolicyUpdated(fixture::advanced_policy("One", 1)));
    assert_eq!(gateway.outcome(Method::POST, &[]).await.0, 200);
    assert_eq!(gateway.passes(&[]).await, refused(2, 429, "900800"));
}

#[tokio::test]
async fn a_policy_that_is_changed_keeps_the_count_and_one_that_is_deleted_refuses() {
    let (gateway, _) = start(|api| api.throttling_policy = Some("P".to_owned())).await;
    let mut policy = fixture::advanced_policy("P", 2);
    gateway.tell(Event::AdvancedPolicyUpdated(policy.clone()));
    assert_eq!(gateway.passes(&[]).await, refused(2, 429, "900800"));
    policy.limit = fixture::advanced_policy("P", 5).limit;
    gateway.tell(Event::AdvancedPolicyUpdated(policy.clone()));
    assert_eq!(gateway.passes(&[]).await, refused(3, 429, "900800"));
    let (organization, name) = (policy.organization.clone(), policy.name.clone());
    let kind = PolicyKind::Advanced;
    gateway.tell(Event::PolicyDeleted { organization, kind, policy_id: policy.id, name });
    assert_eq!(gateway.outcome(Method::GET, &[]).await, (503, "900900".to_owned()));
}

#[tokio::test]
async fn the_first_group_that_matches_gives_the_limit_and_counts_by_itself() {
    let (gateway, _) = start(|api| api.throttling_policy = Some("P".to_owned())).await;
    let mut policy = fixture::advanced_policy("P", 4);
    let address = "10.100.7.99".parse().unwrap();
    policy.groups = vec![
        fixture::group(Subject::Address { address }, 1),
        fixture::group(Subject::Header { name: "X-Tier".into(), value: "^gold$".into() }, 2),
        fixture::group(
            Subject::Claim { claim: "http://wso2.org/claims/applicationname".into(), value: "Other".into() },
            3,
        ),
    ];
    gateway.tell(Event::AdvancedPolicyUpdated(policy));
    assert_eq!(gateway.passes(&[("x-forwarded-for", "10.100.7.99"), ("x-tier", "gold")]).await.0, 1);
    assert_eq!(gateway.passes(&[("x-tier", "gold")]).await, refused(2, 429, "900800"));
    assert_eq!(gateway.passes(&[("x-tier", "golden")]).await.0, 4);
}

#[tokio::test]
async fn a_burst_is_refused_though_the_quota_is_not_used_up() {
    let (gateway, back_end) = start(|_| {}).await;
    let mut policy = fixture::subscription_policy("Burst", 1000);
    policy.rate_limit = Some(RateLimit { count: 5, time_unit: TimeUnit::Day });
    gateway.tell(Event::SubscriptionPolicyUpdated(policy));
    let api = gateway.tables.find_artifact("carbon.super", "pizza", "1.0.0").unwrap();
    gateway.subscribe(&api, "Burst");
    assert_eq!(gateway.passes(&[]).await, refused(5, 429, "900807"));
    assert_eq!(back_end.calls(), 5);
    // What the burst refused was given back to the quota.
    until(|| gateway.throttle.granted_for("sub:") == 5).await;
}

#[tokio::test]
async fn a_back_end_gets_no_more_than_its_maximum() {
    let (gateway, back_end) =
        start(|api| api.production_maximum = Some(RateLimit { count: 2, time_unit: TimeUnit::Day })).await;
    assert_eq!(gateway.passes(&[]).await, refused(2, 503, "900801"));
    assert_eq!(back_end.calls(), 2);
}

#[tokio::test]
async fn a_custom_rule_counts_what_looks_alike_under_its_template() {
    let (gateway, _) = start(|_| {}).await;
    let rule = fixture::custom_rule("$clientIp", "2 requests per hour when $clientIp in '10.0.0.0/8'");
    gateway.tell(Event::CustomRuleUpdated(rule.clone()));
    assert_eq!(gateway.passes(&[("x-forwarded-for", "10.0.0.1")]).await, refused(2, 429, "900806"));
    assert_eq!(gateway.passes(&[("x-forwarded-for", "10.0.0.2")]).await.0, 2);
    assert_eq!(gateway.outcome(Method::GET, &[]).await.0, 200, "the condition does not hold");
    let (organization, kind) = (rule.organization.clone(), PolicyKind::Custom);
    gateway.tell(Event::PolicyDeleted { organization, kind, policy_id: rule.id, name: rule.name });
    assert_eq!(gateway.outcome(Method::GET, &[("x-forwarded-for", "10.0.0.1")]).await.0, 200);
}

#[tokio::test]
async fn deny_policies_refuse_until_they_are_switched_off_or_deleted() {
    let (gateway, back_end) = start(|_| {}).await;
    let targets = [
        DenyTarget::ApiContext { context: "/pizza/1.0.0".into() },
        DenyTarget::User { user: "owner@carbon.super".into() },
        DenyTarget::Application { subscriber: "owner".into(), application: "App".into() },
        DenyTarget::Address { address: "127.0.0.1".parse().unwrap(), is_inverted: false },
        DenyTarget::Subscription {
            context: "/pizza/1.0.0".into(),
            subscriber: "owner".into(),
            application: "App".into(),
            is_sandbox: false,
        },
    ];
    for target in targets {
        let mut policy = fixture::deny_policy(target);
        gateway.tell(Event::DenyPolicyUpdated(policy.clone()));
        let before = back_end.calls();
        assert_eq!(gateway.outcome(Method::GET, &[]).await, (403, "900805".to_owned()), "{policy:?}");
        assert_eq!(back_end.calls(), before);
        policy.is_active = false;
        gateway.tell(Event::DenyPolicyUpdated(policy.clone()));
        assert_eq!(gateway.outcome(Method::GET, &[]).await.0, 200);
        policy.is_active = true;
        gateway.tell(Event::DenyPolicyUpdated(policy.clone()));
        let deleted = Event::DenyPolicyDeleted { organization: policy.organization.clone(), policy_id: policy.id };
        gateway.tell(deleted);
        assert_eq!(gateway.outcome(Method::GET, &[]).await.0, 200);
    }
}

#[tokio::test]
async fn bandwidth_is_charged_after_the_call() {
    let (gateway, back_end) = start(|_| {}).await;
    let mut policy = fixture::subscription_policy("Kilobyte", 1);
    policy.limit.as_mut().unwrap().quota = Quota::Bandwidth { bytes: 1024 };
    gateway.tell(Event::SubscriptionPolicyUpdated(policy));
    let api = gateway.tables.find_artifact("carbon.super", "pizza", "1.0.0").unwrap();
    gateway.subscribe(&api, "Kilobyte");
    let bearer = format!("Bearer {}", token());
    let headers = [("authorization", bearer.as_str())];
    let large = "x".repeat(4096);
    assert_eq!(gateway.call(Method::POST, MENU, &headers, &large).await.status, 200);
    until(|| gateway.throttle.granted_for("sub:") == 1024).await;
    assert_eq!(gateway.outcome(Method::POST, &[]).await, (429, "900804".to_owned()));
    assert_eq!(back_end.calls(), 1);
}
