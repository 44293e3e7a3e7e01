//! Windows that open with a call, and what counts while no traffic manager decides, as administrators say it.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::Tenant;
use crate::support::actors::{Admin, policy};

fn limit() -> Value {
    json!({
        "type": "REQUESTCOUNTLIMIT", "window": "first-request", "onTmLoss": "deny",
        "requestCount": {"timeUnit": "day", "unitTime": 2, "requestCount": 7},
    })
}

/// A policy of the kind with everything that it can say of windows.
fn full(kind: &str) -> Value {
    let mut body = policy(kind, "Mine", 7);
    body["defaultLimit"] = limit();
    if kind == "advanced" {
        let condition = json!({"type": "HEADERCONDITION", "headerCondition": {"headerName": "X", "headerValue": "a"}});
        body["conditionalGroups"] = json!([{"conditions": [condition], "limit": limit()}]);
    }
    body
}

on_both_databases! {
    async fn what_a_limit_says_of_windows_is_kept_and_travels(sandbox) {
        let admin = sandbox.admin();
        let other = Admin { rest: Tenant::create(sandbox, "journey.example").await.rest };
        for (kind, word) in [("subscription", "sub"), ("application", "app"), ("advanced", "api")] {
            let collection = format!("/throttling/policies/{kind}");
            let id = admin.post(&collection, &full(kind)).await.expect(201).field("policyId");
            let one = format!("{collection}/{id}");
            let read = admin.get(&one).await.expect(200).json();
            assert_eq!(read["defaultLimit"], limit(), "{kind}");
            if kind == "advanced" {
                assert_eq!(read["conditionalGroups"][0]["limit"], limit());
            }
            let query = format!("/throttling/policies/export?name=Mine&type={word}&format=YAML");
            let file = Part::bytes(admin.get(&query).await.expect(200).text.into_bytes()).file_name("policy.yaml");
            other.multipart("/throttling/policies/import", Form::new().part("file", file)).await.expect(200);
            let arrived = other.get(&query).await.expect(200).json();
            assert_eq!(arrived["data"]["defaultLimit"], limit(), "{kind}");
            // What is the usual is not written: policies of tools that know no windows come back as they were.
            let mut usual = policy(kind, "Mine", 7);
            let written = admin.put(&one, &usual).await.expect(200).json();
            assert_eq!(written["defaultLimit"], usual["defaultLimit"]);
            usual["defaultLimit"]["window"] = json!("aligned");
            assert_eq!(admin.put(&one, &usual).await.expect(200).json(), written);
        }
        let sentence = "5 requests per 1 min from first request when $userId != \"admin@carbon.super\"";
        let mut rule = policy("custom", "Mine", 7);
        rule["siddhiQuery"] = json!(sentence);
        let made = admin.post("/throttling/policies/custom", &rule).await.expect(201);
        assert_eq!(made.field("siddhiQuery"), sentence);
    }

    async fn an_unknown_choice_is_refused_with_the_field_and_the_values(sandbox) {
        let admin = sandbox.admin();
        for kind in ["subscription", "application", "advanced"] {
            for (field, values) in [("window", "aligned, first-request"), ("onTmLoss", "local-share, allow, deny")] {
                for wrong in ["sliding", "", "FIRST-REQUEST"] {
                    let mut body = full(kind);
                    body["defaultLimit"][field] = json!(wrong);
                    let answer = admin.post(&format!("/throttling/policies/{kind}"), &body).await.expect(400);
                    let expected = format!("defaultLimit.{field}: must be one of {values}");
                    assert_eq!(answer.field("description"), expected);
                }
                let mut body = full(kind);
                body["defaultLimit"][field] = json!(7);
                let answer = admin.post(&format!("/throttling/policies/{kind}"), &body).await.expect(400);
                assert!(answer.field("description").contains(field), "{}", answer.text);
            }
        }
        let mut groups = full("advanced");
        groups["conditionalGroups"][0]["limit"]["window"] = json!("rolling");
        let answer = admin.post("/throttling/policies/advanced", &groups).await.expect(400);
        assert!(answer.field("description").starts_with("conditionalGroups[0].limit.window: "), "{}", answer.text);
        let mut rule = policy("custom", "Mine", 7);
        rule["siddhiQuery"] = json!("5 requests per 1 min from then on");
        let answer = admin.post("/throttling/policies/custom", &rule).await.expect(400);
        assert!(answer.field("description").contains("expected 'first request' at position 26"), "{}", answer.text);
    }
}
