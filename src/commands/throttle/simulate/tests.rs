//! Logs of a few lines against drafts.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

const APPLICATION: &str = "0198f3a0-1111-7222-8333-444455556666";

/// A line of the access log, `seconds` after a full minute.
fn line(seconds: f64, fields: &Value) -> String {
    let at = domain::Timestamp::from_secs(1_700_000_040).plus(std::time::Duration::from_secs_f64(seconds));
    let mut line = json!({
        "timestamp": at.to_string(), "level": "INFO", "target": "access", "message": "call answered",
        "duration_ms": 0, "http.method": "GET", "http.path": "/pizza/1.0.0/menu", "http.status": 200,
        "api.context": "/pizza/1.0.0", "api.version": "1.0.0", "api.operation": "/menu:GET",
        "tenant.domain": "carbon.super", "application.id": APPLICATION, "application.tenant": "carbon.super",
        "user.name": "bob@carbon.super", "client.address": "10.0.0.7", "request.bytes": 0,
        "policy.subscription": "Gold", "policy.application": "Ten", "trace.id": "t",
    });
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line.to_string()
}

fn lines(seconds: &[f64]) -> Vec<String> {
    seconds.iter().map(|at| line(*at, &json!({}))).collect()
}

fn limit(count: u64) -> Value {
    json!({"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": count}})
}

fn gold(count: u64) -> Value {
    json!({"policyName": "Gold", "type": "SubscriptionThrottlePolicy", "defaultLimit": limit(count)})
}

fn arguments() -> SimulateArgs {
    SimulateArgs {
        policy: PathBuf::from("policy.json"),
        trace: PathBuf::from("-"),
        instead_of: None,
        tenant: "carbon.super".to_owned(),
        zone: domain::Zone::UTC,
        list: false,
        json: true,
    }
}

fn output(policy: &Value, lines: &[String], arguments: &SimulateArgs) -> String {
    let draft =
        Draft::read(policy.to_string().as_bytes(), Organization::super_tenant(), arguments.instead_of.as_deref());
    let mut out = Vec::new();
    run(draft.unwrap(), lines.join("\n").as_bytes(), arguments, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn report(policy: &Value, lines: &[String]) -> Value {
    serde_json::from_str(&output(policy, lines, &arguments())).unwrap()
}

fn calls(report: &Value) -> [u64; 3] {
    ["admitted", "refused", "underOtherPolicies"].map(|name| report["calls"][name].as_u64().unwrap())
}

#[test]
fn calls_over_the_draft_are_refused_until_their_window_ends() {
    let report = report(&gold(2), &lines(&[1.0, 2.0, 3.5, 59.0, 60.0, 61.0, 62.0]));
    assert_eq!(calls(&report), [4, 3, 0]);
    let key = &report["keys"][0];
    assert_eq!(key["key"], format!("sub:{APPLICATION}:/pizza/1.0.0:1.0.0:Gold"));
    assert_eq!(
        [&key["firstRefusal"], &key["lastRefusal"]],
        [&json!("2023-11-14T22:14:03.500Z"), &json!("2023-11-14T22:15:02.000Z")]
    );
    assert_eq!(key["longestRefusedSeconds"], 58.0, "from second 62 to the end of its minute");
}

#[test]
fn each_refused_call_is_listed_with_its_time() {
    let listed = output(&gold(1), &lines(&[1.0, 2.0, 3.0]), &SimulateArgs { list: true, ..arguments() });
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 3, "two calls and the report");
    assert_eq!(
        [&listed[0]["time"], &listed[1]["time"], &listed[0]["refusedUntil"]],
        [&json!("2023-11-14T22:14:02.000Z"), &json!("2023-11-14T22:14:03.000Z"), &json!("2023-11-14T22:15:00.000Z")]
    );
    let text = output(&gold(1), &lines(&[1.0, 2.0]), &SimulateArgs { list: true, json: false, ..arguments() });
    assert!(text.starts_with("2023-11-14T22:14:02.000Z  refused until 2023-11-14T22:15:00.000Z  sub:"), "{text}");
    assert!(text.contains("1 admitted, 1 refused"), "{text}");
}

#[test]
fn lines_that_are_no_governed_calls_are_skipped_and_counted() {
    let mut lines = lines(&[1.0]);
    lines.extend(["".into(), "no json".into(), json!({"target": "node", "message": "started"}).to_string()]);
    lines.push(line(2.0, &json!({"client.address": null, "http.status": 401})));
    lines.push(format!("{{\"target\": \"access\", \"x\": \"{}\"}}", "x".repeat(70_000)));
    lines.push(line(3.0, &json!({"policy.subscription": "Silver"})));
    lines.push(line(3.0, &json!({"tenant.domain": "other.example"})));
    let report = report(&gold(5), &lines);
    let trace = &report["trace"];
    assert_eq!(
        ["lines", "calls", "withoutQuota", "notCalls", "unreadable"].map(|name| trace[name].as_u64().unwrap()),
        [7, 3, 1, 1, 2]
    );
    assert_eq!(calls(&report), [1, 0, 2]);
}

#[test]
fn a_draft_can_stand_for_a_policy_of_another_name() {
    let mut draft = gold(1);
    draft["policyName"] = json!("Platinum");
    assert_eq!(calls(&report(&draft, &lines(&[1.0, 2.0]))), [0, 0, 2]);
    let arguments = SimulateArgs { instead_of: Some("Gold".to_owned()), ..arguments() };
    let report: Value = serde_json::from_str(&output(&draft, &lines(&[1.0, 2.0]), &arguments)).unwrap();
    assert_eq!(calls(&report), [1, 1, 0]);
}

#[test]
fn an_application_policy_counts_each_user_by_himself() {
    let draft = json!({"policyName": "Ten", "type": "ApplicationThrottlePolicy", "defaultLimit": limit(1)});
    let of = |user: &str| line(1.0, &json!({"user.name": user}));
    let bob = "bob@carbon.super";
    let report = report(&draft, &[of(bob), of("ann@carbon.super"), of(bob)]);
    assert_eq!(calls(&report), [2, 1, 0]);
    assert_eq!(report["keys"][0]["key"], format!("app:{APPLICATION}:{bob}"));
}

#[test]
fn bandwidth_is_charged_after_the_call() {
    let bandwidth = json!({"timeUnit": "min", "unitTime": 1, "dataAmount": 1, "dataUnit": "KB"});
    let mut draft = gold(1);
    draft["defaultLimit"] = json!({"type": "BANDWIDTHLIMIT", "bandwidth": bandwidth});
    let of = |bytes: u64| line(1.0, &json!({"request.bytes": bytes}));
    let report = report(&draft, &[of(1_000), of(1_000), of(1)]);
    assert_eq!(calls(&report), [2, 1, 0]);
    assert!(report["notTold"].to_string().contains("announced length"), "{report}");
}

#[test]
fn conditions_that_the_log_cannot_tell_are_said_and_not_guessed() {
    let condition = |kind: &str, part: &str, fields: Value| json!({"type": kind, part: fields});
    let address = json!({"ipConditionType": "IPSPECIFIC", "specificIP": "10.0.0.7"});
    let header = json!({"headerName": "X-Tier", "headerValue": "gold"});
    let draft = json!({
        "policyName": "Api", "type": "AdvancedThrottlePolicy", "defaultLimit": limit(100),
        "conditionalGroups": [
            {"conditions": [condition("HEADERCONDITION", "headerCondition", header)], "limit": limit(50)},
            {"conditions": [condition("IPCONDITION", "ipCondition", address)], "limit": limit(1)},
        ],
    });
    let of = |address: &str| {
        line(1.0, &json!({"client.address": address, "policy.advanced": "Api", "policy.advanced_level": "resource"}))
    };
    let report = report(&draft, &[of("10.0.0.7"), of("10.0.0.7"), of("10.0.0.8")]);
    assert_eq!(calls(&report), [2, 1, 0]);
    assert_eq!(report["calls"]["uncertain"], 3);
    assert_eq!(report["keys"][0]["key"], "res:/pizza/1.0.0/menu:GET_condition_1");
    assert!(report["notTold"][0].as_str().unwrap().starts_with("conditionalGroups[0]"), "{report}");
}

#[test]
fn a_custom_rule_counts_what_looks_alike() {
    let rule = "1 requests per min when $apiContext == \"/pizza/1.0.0\"";
    let draft =
        json!({"policyName": "Rule", "type": "CustomRule", "keyTemplate": "$clientIp:$userId", "siddhiQuery": rule});
    let mut lines = lines(&[1.0, 2.0]);
    lines.push(line(3.0, &json!({"api.context": "/pasta/1.0.0"})));
    lines.push(line(3.0, &json!({"client.address": "::1"})));
    let report = report(&draft, &lines);
    assert_eq!(calls(&report), [2, 1, 1]);
    assert!(report["keys"][0]["key"].as_str().unwrap().ends_with(":10.0.0.7:bob@carbon.super"), "{report}");
}

#[test]
fn late_lines_are_counted_in_their_window_while_that_is_remembered() {
    let report = report(&gold(1), &lines(&[1.0, 61.0, 2.0, 121.0, 3.0]));
    assert_eq!(calls(&report), [3, 1, 0]);
    assert_eq!(report["calls"]["late"], 1);
}

#[test]
fn a_quota_of_events_cannot_be_simulated() {
    let mut draft = gold(1);
    draft["defaultLimit"] =
        json!({"type": "EVENTCOUNTLIMIT", "eventCount": {"timeUnit": "day", "unitTime": 1, "eventCount": 5}});
    let refused = Draft::read(draft.to_string().as_bytes(), Organization::super_tenant(), None).unwrap_err();
    assert!(refused.contains("events"), "{refused}");
}

/// Gold with windows that open with a call.
fn gold_of_first_request(count: u64) -> Value {
    let mut draft = gold(count);
    draft["defaultLimit"]["window"] = json!("first-request");
    draft
}

#[test]
fn windows_of_the_first_request_open_with_the_first_call_after_the_one_before() {
    let draft = gold_of_first_request(2);
    let report = report(&draft, &lines(&[30.0, 59.0, 61.0, 89.9, 100.0, 150.0, 159.9, 160.0]));
    // From 30 to 90, from 100 to 160, and from 160 on.
    assert_eq!(calls(&report), [5, 3, 0]);
    assert_eq!(report["limit"], "2 calls per min from first request");
    assert_eq!(report["keys"][0]["longestRefusedSeconds"], 29.0, "from second 61 to the end of the first window");
    assert!(report["notTold"].to_string().contains("when the log begins"), "{report}");
    let arguments = SimulateArgs { list: true, ..arguments() };
    let listed = output(&draft, &lines(&[30.0, 59.0, 61.0]), &arguments);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(first["refusedUntil"], "2023-11-14T22:15:30.000Z");
}

#[test]
fn a_window_may_be_opened_by_a_call_that_stands_later_in_the_log() {
    // The call of second 9 ended after that of second 10; so the window ended at 69, and another one opened then.
    let own = report(&gold_of_first_request(2), &lines(&[10.0, 9.0, 11.0, 69.0, 69.5]));
    assert_eq!((calls(&own), &own["calls"]["late"]), ([4, 1, 0], &json!(0)));
    // Here calls of two windows have been counted together already, so it is left out.
    let own = report(&gold_of_first_request(2), &lines(&[10.0, 69.5, 9.0]));
    assert_eq!((calls(&own), &own["calls"]["late"]), ([2, 0, 0], &json!(1)));
    // A late call in the window before counts there, and one before that nowhere.
    let own = report(&gold_of_first_request(1), &lines(&[10.0, 80.0, 20.0, 9.0]));
    assert_eq!((calls(&own), &own["calls"]["late"]), ([2, 1, 0], &json!(1)));
}

#[test]
fn a_custom_rule_may_open_its_windows_with_a_call() {
    let rule = "1 requests per min from first request";
    let draft = json!({"policyName": "Rule", "type": "CustomRule", "keyTemplate": "$userId", "siddhiQuery": rule});
    let report = report(&draft, &lines(&[30.0, 61.0, 89.0, 90.0]));
    assert_eq!(calls(&report), [2, 2, 0]);
}

#[test]
fn days_are_those_of_the_zone_which_is_told() {
    let mut draft = gold(1);
    draft["defaultLimit"]["requestCount"]["timeUnit"] = json!("day");
    // From 22:14 in UTC, which is 23:14 in Berlin, to 23:00 and to 24:00.
    let lines = lines(&[0.0, 46.0 * 60.0, 106.0 * 60.0]);
    let in_zone = |zone: &str, json: bool| {
        let zone = domain::Zone::parse(zone).unwrap();
        output(&draft, &lines, &SimulateArgs { zone, json, ..arguments() })
    };
    let told = |zone: &str| {
        let report: Value = serde_json::from_str(&in_zone(zone, true)).unwrap();
        (report["timeZone"].clone(), calls(&report), report["keys"][0]["firstRefusal"].clone())
    };
    assert_eq!(told("UTC"), (json!("UTC"), [2, 1, 0], json!("2023-11-14T23:00:00.000Z")));
    assert_eq!(told("Europe/Berlin"), (json!("Europe/Berlin"), [2, 1, 0], json!("2023-11-15T00:00:00.000Z")));
    assert!(in_zone("Europe/Berlin", false).contains("\nzone      Europe/Berlin\n"));
}
