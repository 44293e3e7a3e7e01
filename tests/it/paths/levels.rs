//! Every level of limits, by the policies that people make, for the super tenant and for another one.

use std::time::{Duration, Instant};

use domain::throttling::{Shape, TimeUnit, WindowKind};
use domain::{Clock, SystemClock, Zone};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_every_topology;
use crate::support::actors::{Admin, Keys, Publisher, Subscriber, policy};
use crate::support::wait::eventually;
use crate::support::{Answer, Sandbox, Tenant};

/// Of the policy whose windows open with the first request.
const WINDOW: Duration = Duration::from_secs(4);

/// The people of one tenant.
struct Company {
    domain: &'static str,
    publisher: Publisher,
    subscriber: Subscriber,
    admin: Admin,
}

impl Company {
    async fn both(sandbox: &Sandbox) -> [Self; 2] {
        let own = Self {
            domain: "carbon.super",
            publisher: sandbox.publisher(),
            subscriber: sandbox.subscriber(),
            admin: sandbox.admin(),
        };
        let tenant = Tenant::create(sandbox, "acme.example").await;
        let other = Self {
            domain: "acme.example",
            publisher: tenant.publisher(),
            subscriber: tenant.subscriber(),
            admin: Admin { rest: tenant.rest.clone() },
        };
        [own, other]
    }

    /// Path of an API with its version, as callers and deny policies name it.
    fn context(&self, name: &str) -> String {
        if self.domain == "carbon.super" { format!("/{name}/1") } else { format!("/t/{}/{name}/1", self.domain) }
    }

    async fn make(&self, kind: &str, body: &Value) -> String {
        self.admin.post(&format!("/throttling/policies/{kind}"), body).await.expect(201).field("policyId")
    }

    /// Publishes `/<name>/1` with `GET` and `POST /a`, with further fields of the API.
    async fn publish(&self, name: &str, fields: &Value) -> String {
        let mut body = json!({
            "name": name, "version": "1", "context": format!("/{name}"), "policies": ["Unlimited"],
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": self.publisher.backend_url}},
            "operations": [{"target": "/a", "verb": "GET"}, {"target": "/a", "verb": "POST"}],
        });
        for (field, value) in fields.as_object().unwrap() {
            body[field] = value.clone();
        }
        let id = self.publisher.post("/apis", &body).await.expect(201).field("id");
        let revision = self.publisher.create_revision(&id).await;
        self.publisher.deploy(&id, &revision).await.expect(201);
        self.publisher.change_lifecycle(&id, "Publish").await.expect(200);
        // The log has an order: gateways that have the API have every policy that was made before.
        self.publisher.wait_until_deployed(&id).await;
        id
    }

    async fn keys(&self, application: &str, application_policy: &str, api: &str, policy: &str) -> Keys {
        let application = self.subscriber.create_application(application, application_policy).await;
        self.subscriber.subscribe(&application, api, policy).await.expect(201);
        self.subscriber.generate_keys(&application, "PRODUCTION").await
    }
}

/// One caller of one path.
struct Calls<'a> {
    sandbox: &'a Sandbox,
    token: String,
    path: String,
}

impl Calls<'_> {
    async fn send(&self, method: Method, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.sandbox.caller(&self.token).rest.request(method, &self.path).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    /// How many calls pass before one is refused with this status and code. Until the first has passed the gateway may not
    /// know the subscription yet, which costs nothing.
    async fn pass_until(&self, headers: &[(&str, &str)], status: u16, code: &str) -> u32 {
        let mut passed = 0;
        eventually(&format!("{} is refused with {code}", self.path), async || {
            let answer = self.send(Method::GET, headers, "").await;
            let is_refused = answer.status == status && answer.json()["code"] == code;
            match answer.status {
                200 => passed += 1,
                _ if is_refused => return Some(()),
                _ => assert_eq!(passed, 0, "{} {}", answer.status, answer.text),
            }
            None
        })
        .await;
        passed
    }
}

/// What a refusal says of the time until the next window.
fn refused_for(refusal: &Answer) -> Duration {
    Duration::from_secs(refusal.header("retry-after").unwrap().parse().unwrap())
}

on_every_topology! {
    async fn each_level_admits_its_limit_and_has_its_code(sandbox) {
        for company in Company::both(sandbox).await {
            for kind in ["application", "subscription", "advanced"] {
                company.make(kind, &policy(kind, "Three", 3)).await;
            }
            let mut burst = policy("subscription", "Burst", 1_000);
            (burst["rateLimitCount"], burst["rateLimitTimeUnit"]) = (json!(5), json!("min"));
            company.make("subscription", &burst).await;
            let context = company.context("Custom");
            let mut rule = policy("custom", "Five", 5);
            rule["keyTemplate"] = json!("$apiContext:$userId");
            rule["siddhiQuery"] = json!(format!("5 requests per year when $apiContext == '{context}'"));
            company.make("custom", &rule).await;

            let tiers = json!({"policies": ["Unlimited", "Three", "Burst"]});
            let plain = company.publish("Plain", &tiers).await;
            let limited = |application: &'static str, application_policy: &'static str, tier: &'static str| {
                company.keys(application, application_policy, &plain, tier)
            };
            let by_application = limited("A", "Three", "Unlimited").await;
            let by_subscription = limited("B", "Unlimited", "Three").await;
            let by_burst = limited("C", "Unlimited", "Burst").await;
            let path = |name: &str| format!("{}/a", company.context(name));
            let calls = |keys: &Keys, name| Calls { sandbox, token: keys.token.clone(), path: path(name) };
            assert_eq!(calls(&by_application, "Plain").pass_until(&[], 429, "900803").await, 3);
            assert_eq!(calls(&by_subscription, "Plain").pass_until(&[], 429, "900804").await, 3);
            // Minutes may change in between.
            let passed = calls(&by_burst, "Plain").pass_until(&[], 429, "900807").await;
            assert!((5..=10).contains(&passed), "{passed}");

            let operations = json!([
                {"target": "/a", "verb": "GET", "throttlingPolicy": "Three"}, {"target": "/a", "verb": "POST"},
            ]);
            for (name, fields, status, code, admitted) in [
                ("Whole", json!({"apiThrottlingPolicy": "Three"}), 429, "900800", 3..=3),
                ("Operation", json!({"operations": operations}), 429, "900802", 3..=3),
                ("Custom", json!({}), 429, "900806", 5..=5),
                // A second may end in between.
                ("Maximum", json!({"maxTps": {"production": 2}}), 503, "900801", 2..=40),
            ] {
                let id = company.publish(name, &fields).await;
                let keys = company.keys(name, "Unlimited", &id, "Unlimited").await;
                let passed = calls(&keys, name).pass_until(&[], status, code).await;
                assert!(admitted.contains(&passed), "{name} of {}: {passed}", company.domain);
            }
        }
    }

    async fn a_count_that_is_reset_starts_from_nothing_and_ends_at_the_limit_again(sandbox) {
        for company in Company::both(sandbox).await {
            company.make("application", &policy("application", "Three", 3)).await;
            let api = company.publish("Reset", &json!({})).await;
            let keys = company.keys("App", "Three", &api, "Unlimited").await;
            let path = format!("{}/a", company.context("Reset"));
            let calls = Calls { sandbox, token: keys.token.clone(), path };
            assert_eq!(calls.pass_until(&[], 429, "900803").await, 3);
            let reset = format!("/applications/{}/reset-throttle-policy", keys.application_id);
            let refused = company.subscriber.post(&reset, &json!({"userName": "admin@elsewhere"})).await.expect(400);
            assert!(refused.field("description").contains("userName"), "{}", refused.text);
            for _ in 0..2 {
                company.subscriber.post(&reset, &json!({"userName": "admin"})).await.expect(200);
                eventually("the first call passes again", async || {
                    (calls.send(Method::GET, &[], "").await.status == 200).then_some(())
                })
                .await;
                assert_eq!(calls.pass_until(&[], 429, "900803").await, 2);
            }
        }
    }

    async fn a_window_of_the_first_request_opens_with_it_and_lasts_as_long_as_it_says(sandbox) {
        for company in Company::both(sandbox).await {
            let mut three = policy("application", "Three", 3);
            three["defaultLimit"]["requestCount"]["timeUnit"] = json!("sec");
            three["defaultLimit"]["requestCount"]["unitTime"] = json!(4);
            three["defaultLimit"]["window"] = json!("first-request");
            company.make("application", &three).await;
            let api = company.publish("First", &json!({})).await;
            let keys = company.keys("App", "Three", &api, "Unlimited").await;
            let path = format!("{}/a", company.context("First"));
            let calls = Calls { sandbox, token: keys.token.clone(), path };
            // Windows of the calendar would not wait for four seconds after the call that is the first.
            let mut opened = None;
            for _ in 0..2 {
                let sent = eventually("the first call of a window passes", async || {
                    let sent = Instant::now();
                    (calls.send(Method::GET, &[], "").await.status == 200).then_some(sent)
                })
                .await;
                if let Some(before) = opened {
                    // The window was opened after the call was sent and before it was answered.
                    let elapsed = Instant::now() - before;
                    assert!(elapsed >= WINDOW, "{elapsed:?}");
                }
                opened = Some(sent);
                let passed = calls.pass_until(&[], 429, "900803").await;
                if sent.elapsed() < WINDOW {
                    assert_eq!(passed, 2, "{}", company.domain);
                }
                let refused = calls.send(Method::GET, &[], "").await;
                if sent.elapsed() < WINDOW {
                    let retry_after: u64 = refused.expect(429).header("retry-after").unwrap().parse().unwrap();
                    assert!((1..=WINDOW.as_secs()).contains(&retry_after), "{retry_after}");
                }
            }
        }
    }

    /// The tenant's clocks are set to another zone while the day's calls are used up: another day begins with them.
    async fn a_day_is_the_tenants_as_soon_as_its_zone_is_known(sandbox) {
        for company in Company::both(sandbox).await {
            let mut three = policy("application", "Three", 3);
            three["defaultLimit"]["requestCount"]["timeUnit"] = json!("day");
            company.make("application", &three).await;
            let api = company.publish("Daily", &json!({})).await;
            let keys = company.keys("App", "Three", &api, "Unlimited").await;
            let path = format!("{}/a", company.context("Daily"));
            let calls = Calls { sandbox, token: keys.token.clone(), path };
            for zone in ["UTC", "Asia/Kolkata"] {
                company.admin.put("/tenant-config", &json!({"TimeZone": zone})).await.expect(200);
                eventually("the first call of the day passes", async || {
                    (calls.send(Method::GET, &[], "").await.status == 200).then_some(())
                })
                .await;
                let passed = calls.pass_until(&[], 429, "900803").await;
                let refused = calls.send(Method::GET, &[], "").await.expect(429);
                // One second more or less, by rounding and by the way of the answer.
                let midnight = SystemClock.now().plus(refused_for(&refused)).plus(Duration::from_secs(2));
                let zone = Zone::parse(zone).unwrap();
                let day = Shape::new(1, TimeUnit::Day, WindowKind::Aligned, zone).window(midnight);
                assert!(midnight.since(day.start) < Duration::from_secs(4), "{}", refused.text);
                // A day may end in between.
                assert!((2..=5).contains(&passed), "{passed}");
            }
        }
    }

    async fn groups_of_conditions_have_limits_of_their_own(sandbox) {
        for company in Company::both(sandbox).await {
            let mut groups = policy("advanced", "Groups", 6);
            let limited = |requests: u32, condition: Value| {
                let limit = json!({"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "year", "unitTime": 1, "requestCount": requests}});
                json!({"conditions": [condition], "limit": limit})
            };
            groups["conditionalGroups"] = json!([
                limited(1, json!({"type": "HEADERCONDITION", "headerCondition": {"headerName": "X-Tier", "headerValue": "^gold$"}})),
                limited(2, json!({"type": "QUERYPARAMETERCONDITION", "queryParameterCondition": {"parameterName": "name", "parameterValue": "admin"}})),
                limited(3, json!({"type": "JWTCLAIMSCONDITION", "jwtClaimsCondition": {"claimUrl": "http://wso2.org/claims/applicationname", "attribute": "^Chosen$"}})),
                limited(4, json!({"type": "IPCONDITION", "invertCondition": true, "ipCondition": {"ipConditionType": "IPRANGE", "startingIP": "127.0.0.0", "endingIP": "127.255.255.255"}})),
            ]);
            company.make("advanced", &groups).await;
            let api = company.publish("Grouped", &json!({"apiThrottlingPolicy": "Groups"})).await;
            let chosen = company.keys("Chosen", "Unlimited", &api, "Unlimited").await;
            let other = company.keys("Other", "Unlimited", &api, "Unlimited").await;
            let path = format!("{}/a", company.context("Grouped"));
            let calls = |keys: &Keys, path: &str| Calls { sandbox, token: keys.token.clone(), path: path.to_owned() };
            assert_eq!(calls(&chosen, &path).pass_until(&[("x-tier", "gold")], 429, "900800").await, 1);
            assert_eq!(calls(&chosen, &format!("{path}?name=admin")).pass_until(&[], 429, "900800").await, 2);
            assert_eq!(calls(&chosen, &path).pass_until(&[], 429, "900800").await, 3);
            // Who meets no condition has the default.
            assert_eq!(calls(&other, &path).pass_until(&[("x-tier", "golden")], 429, "900800").await, 6);
        }
    }

    async fn what_is_denied_is_refused_until_the_policy_goes(sandbox) {
        for company in Company::both(sandbox).await {
            let api = company.publish("Denied", &json!({})).await;
            let keys = company.keys("App", "Unlimited", &api, "Unlimited").await;
            let calls = Calls { sandbox, token: keys.token.clone(), path: format!("{}/a", company.context("Denied")) };
            let until = async |status: u16| {
                eventually(&format!("{} answers {status}", calls.path), async || {
                    let answer = calls.send(Method::GET, &[], "").await;
                    (answer.status == status).then_some(answer)
                })
                .await
            };
            until(200).await;
            for (kind, value) in [
                ("API", json!(company.context("Denied"))),
                ("APPLICATION", json!("admin:App")),
                ("USER", json!(format!("admin@{}", company.domain))),
                ("IP", json!({"fixedIp": "127.0.0.1", "invert": false})),
                ("IPRANGE", json!({"startingIp": "127.0.0.1", "endingIp": "127.0.0.9", "invert": false})),
                ("SUBSCRIPTION", json!(format!("{}:admin-App:PRODUCTION", company.context("Denied")))),
            ] {
                let body = json!({"conditionType": kind, "conditionValue": value, "conditionStatus": true});
                let id = company.admin.post("/throttling/deny-policies", &body).await.expect(201).field("conditionId");
                assert_eq!(until(403).await.json()["code"], "900805", "{kind}");
                let path = format!("/throttling/deny-policy/{id}");
                company.admin.patch(&path, &json!({"conditionStatus": false})).await.expect(200);
                until(200).await;
                company.admin.patch(&path, &json!({"conditionStatus": true})).await.expect(200);
                until(403).await;
                company.admin.delete(&path).await.expect(200);
                until(200).await;
            }
        }
    }

    async fn bandwidth_is_used_up_by_what_was_sent(sandbox) {
        for company in Company::both(sandbox).await {
            let mut kilobyte = policy("application", "Kilobyte", 1);
            kilobyte["defaultLimit"] = json!({
                "type": "BANDWIDTHLIMIT",
                "bandwidth": {"dataAmount": 1, "dataUnit": "KB", "timeUnit": "year", "unitTime": 1},
            });
            company.make("application", &kilobyte).await;
            let api = company.publish("Large", &json!({})).await;
            let keys = company.keys("App", "Kilobyte", &api, "Unlimited").await;
            let calls = Calls { sandbox, token: keys.token.clone(), path: format!("{}/a", company.context("Large")) };
            eventually("four kilobytes pass", async || {
                (calls.send(Method::POST, &[], &"x".repeat(4096)).await.status == 200).then_some(())
            })
            .await;
            // It is charged after the call.
            eventually("nothing is left", async || {
                let answer = calls.send(Method::POST, &[], "x").await;
                (answer.status == 429 && answer.json()["code"] == "900803").then_some(())
            })
            .await;
        }
    }
}
