//! Sentences that are rules, and those that are none.

use std::borrow::Cow;
use std::net::IpAddr;

use super::template::TemplateError;
use super::*;

struct Call {
    user: &'static str,
    client: &'static str,
}

impl Facts for Call {
    fn text(&self, variable: Variable) -> Cow<'_, str> {
        match variable {
            Variable::UserId => self.user.into(),
            Variable::ApiContext => "/pizza/1.0.0".into(),
            Variable::ResourceKey => "/pizza/1.0.0/menu:GET".into(),
            Variable::ClientIp => self.client.into(),
            _ => "x".into(),
        }
    }

    fn client(&self) -> IpAddr {
        self.client.parse().unwrap()
    }
}

const BOB: Call = Call { user: "bob@carbon.super", client: "10.1.2.3" };
const EVE: Call = Call { user: "eve@carbon.super", client: "192.0.2.7" };

fn applies(text: &str) -> [bool; 2] {
    let rule = Rule::parse(text).unwrap();
    [rule.applies(&BOB), rule.applies(&EVE)]
}

#[test]
fn a_rule_has_a_limit_and_counts_all_calls_without_a_condition() {
    let rule = Rule::parse("5 requests per min").unwrap();
    assert_eq!(rule.limit, Limit::new(Quota::RequestCount { requests: 5 }, 1, TimeUnit::Min));
    assert_eq!(Rule::parse(" 1 Request  PER 30 Seconds ").unwrap().limit.unit_time, 30);
    assert_eq!(applies("5 requests per 1 min"), [true, true]);
}

#[test]
fn a_window_may_open_with_the_first_request() {
    let rule = Rule::parse("5 requests per 2 hours from first request when $userId == 'bob@carbon.super'").unwrap();
    assert_eq!((rule.limit.window, rule.limit.unit_time), (WindowKind::FirstRequest, 2));
    assert_eq!([rule.applies(&BOB), rule.applies(&EVE)], [true, false]);
    assert_eq!(Rule::parse("5 requests per hour").unwrap().limit.window, WindowKind::Aligned);
    let refusal = Rule::parse("5 requests per hour from then on").unwrap_err().to_string();
    assert_eq!(refusal, "expected 'first request' at position 25");
}

#[test]
fn conditions_compare_texts_prefixes_and_addresses() {
    assert_eq!(applies("1 requests per min when $userId == 'bob@carbon.super'"), [true, false]);
    assert_eq!(applies("1 requests per min when $userId != \"bob@carbon.super\""), [false, true]);
    assert_eq!(applies("1 requests per min when $userId in ('eve@carbon.super', 'x')"), [false, true]);
    assert_eq!(applies("1 requests per min when $resourceKey startswith '/pizza/'"), [true, true]);
    assert_eq!(applies("1 requests per min when $clientIp in '10.0.0.0/8'"), [true, false]);
    assert_eq!(applies("1 requests per min when $clientIp == '192.0.2.7'"), [false, true]);
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    let rule = |condition: &str| applies(&format!("1 requests per min when {condition}"));
    let (bob, inner) = ("$userId == 'bob@carbon.super'", "$clientIp in '10.0.0.0/8'");
    assert_eq!(rule(&format!("{bob} or not {inner} and {bob}")), [true, false]);
    assert_eq!(rule(&format!("({bob} or not {inner}) and {bob}")), [true, false]);
    assert_eq!(rule(&format!("not ({bob} or {inner})")), [false, true]);
}

#[test]
fn what_is_no_rule_is_refused_with_its_place() {
    let refusal = |text: &str| Rule::parse(text).unwrap_err().to_string();
    assert_eq!(refusal("many requests"), "expected a number of requests at position 0");
    assert_eq!(
        refusal("5 requests per fortnight"),
        "expected a unit: sec, min, hour, day, week, month, year at position 15"
    );
    assert_eq!(refusal("5 requests per min when"), "expected a variable such as $userId, 'not' or '(' at position 23");
    assert!(refusal("5 requests per min when $user == 'x'").contains("'$user' at position 24 is no variable"));
    assert_eq!(refusal("5 requests per min when $userId == 'x"), "expected a closing quote at position 37");
    assert_eq!(
        refusal("5 requests per min when $clientIp == 'x'"),
        "expected an address or a network like 10.0.0.0/8 at position 37"
    );
    assert_eq!(refusal("5 requests per min if x"), "expected 'from first request', 'when' or the end at position 19");
    assert!(refusal("FROM RequestStream SELECT userId INSERT INTO EligibilityStream;").contains("another engine"));
}

#[test]
fn deep_and_long_rules_are_refused() {
    let deep = format!("1 requests per min when {}$userId == 'x'", "not ".repeat(100));
    assert_eq!(Rule::parse(&deep), Err(RuleError::TooComplex));
    let wide = format!("1 requests per min when $userId in ('x'{})", ",'x'".repeat(100));
    assert_eq!(Rule::parse(&wide), Err(RuleError::TooComplex));
    assert_eq!(Rule::parse(&" ".repeat(5_000)), Err(RuleError::TooLong));
}

#[test]
fn a_template_fills_in_what_is_known_of_the_call() {
    let template = KeyTemplate::parse("$userId:$apiContext-fixed").unwrap();
    assert_eq!(template.key(&BOB), "bob@carbon.super:/pizza/1.0.0-fixed");
    assert_eq!(KeyTemplate::parse("fixed"), Err(TemplateError::NoVariable));
    assert_eq!(KeyTemplate::parse("$userid"), Err(TemplateError::UnknownVariable { name: "userid".into() }));
}
