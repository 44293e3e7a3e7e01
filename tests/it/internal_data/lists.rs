//! What the lists hold, how they are filtered, and in what parts they come.

use serde_json::{Value, json};

use super::{BASE, list, operator, paths, pull};
use crate::on_every_topology;
use crate::support::definitions::PIZZA;
use crate::support::rest::Rest;

/// Asks for the list with each of the queries and expects so many entries.
async fn filters(hub: &Rest, path: &str, cases: &[(&str, usize)]) {
    for (query, count) in cases {
        let found = list(hub, &format!("{path}?{query}")).await;
        assert_eq!(found.len(), *count, "{path}?{query}: {found:#?}");
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

on_every_topology! {
    async fn tools_learn_who_may_call_what(sandbox) {
        let (publisher, subscriber, hub) = (sandbox.publisher(), sandbox.subscriber(), operator(sandbox));
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await.id;
        let keys = subscriber.ready_to_call("Phone", &api, "Gold").await;
        let application = &keys.application_id;

        let apis = list(&hub, &format!("/apis?apiId={api}")).await;
        let found = &apis[0];
        assert_eq!((&found["uuid"], &found["name"], &found["context"]), (&json!(api), &json!("Pizza"), &json!("/pizza/1.0.0")));
        assert_eq!((&found["status"], &found["apiType"], &found["provider"]), (&json!("PUBLISHED"), &json!("HTTP"), &json!("admin")));
        let cancel = found["urlMappings"].as_array().unwrap().iter().find(|one| one["urlPattern"] == "/order/{orderId}/cancel");
        let expected = json!({
            "authScheme": "Any", "throttlingPolicy": "Unlimited", "httpMethod": "POST",
            "urlPattern": "/order/{orderId}/cancel", "scopes": ["order:cancel"],
        });
        assert_eq!(cancel, Some(&expected));

        let applications = list(&hub, &format!("/applications?appId={application}")).await;
        let (app_id, api_id) = (number(&applications[0]["id"]), number(&found["apiId"]));
        let shown = (&applications[0]["name"], &applications[0]["subName"], &applications[0]["tokenType"]);
        assert_eq!(shown, (&json!("Phone"), &json!("admin"), &json!("JWT")));
        filters(&hub, "/applications", &[(&format!("appId={app_id}"), 1), ("appId=1", 0)]).await;

        let subscriptions = list(&hub, &format!("/subscriptions?apiId={api_id}&appId={app_id}")).await;
        let expected = json!({
            "subscriptionId": subscriptions[0]["subscriptionId"], "subscriptionUUID": subscriptions[0]["subscriptionUUID"],
            "policyId": "Gold", "apiId": api_id, "apiUUID": api, "appId": app_id, "applicationUUID": application,
            "subscriptionState": "UNBLOCKED",
        });
        assert_eq!(subscriptions, [expected]);
        filters(&hub, "/subscriptions", &[(&format!("apiId={api}"), 1), (&format!("apiId={application}"), 0), ("appId=1", 0)]).await;

        let consumer_key = &keys.consumer_key;
        let mappings = list(&hub, &format!("/application-key-mappings?consumerKey={consumer_key}")).await;
        let expected = json!({
            "applicationId": app_id, "applicationUUID": application, "consumerKey": consumer_key,
            "keyType": "PRODUCTION", "keyManager": "Resident Key Manager",
        });
        assert_eq!(mappings, [expected]);
        let cases = [("keymanager=Resident%20Key%20Manager", 1), ("keymanager=Other", 0), ("consumerKey=unknown", 0)];
        filters(&hub, "/application-key-mappings", &cases).await;

        let scopes = list(&hub, "/scopes?scopeKey=order:cancel").await;
        let expected = json!({"name": "order:cancel", "displayName": "order:cancel", "description": "cancels orders", "roles": []});
        assert_eq!(scopes, [expected]);
        filters(&hub, "/scopes", &[("", 1), ("scopeKey=other", 0)]).await;
    }

    async fn artifacts_are_those_that_are_deployed(sandbox) {
        let (publisher, hub) = (sandbox.publisher(), operator(sandbox));
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await.id;
        let artifacts = list(&hub, "/runtime-artifacts").await;
        let artifact: Value = serde_json::from_str(artifacts[0].as_str().unwrap()).unwrap();
        assert_eq!((&artifact["api_id"], &artifact["context"]), (&json!(api), &json!("/pizza/1.0.0")));
        let (own, other) = (format!("apiId={api}"), "apiId=00000000-0000-4000-8000-000000000000");
        let cases = [
            (own.as_str(), 1), (other, 0), ("gatewayLabel=Default", 1), ("gatewayLabel=Mars", 0), ("name=Pizza&version=1.0.0", 1),
            ("name=Pasta", 0), ("version=2", 0), ("type=gatewright", 1), ("type=Synapse", 0),
        ];
        filters(&hub, "/runtime-artifacts", &cases).await;
        let cases = [
            ("context=/pizza/1.0.0&version=1.0.0", 1), ("context=/pizza", 0), ("version=2", 0), ("gatewayLabel=Default", 1),
            ("gatewayLabel=Mars", 0),
        ];
        filters(&hub, "/apis", &cases).await;
        let attributes = pull(&hub, "/synapse-attributes?apiName=Pizza&version=1.0.0", "").await.expect(200).json();
        assert_eq!(attributes, json!({"count": 1, "labels": ["Default"], "apiId": api}));

        // A change of the working copy is not yet what gateways of the environment serve.
        let mut changed = publisher.get(&format!("/apis/{api}")).await.expect(200).json();
        changed["operations"] = json!([{"target": "/new", "verb": "GET"}]);
        publisher.put(&format!("/apis/{api}"), &changed).await.expect(200);
        let mappings = async |path: &str| list(&hub, path).await[0]["urlMappings"].as_array().unwrap().len();
        assert_eq!((mappings("/apis").await, mappings("/apis?gatewayLabel=Default").await), (1, 4));
    }

    async fn policies_tell_their_limits(sandbox) {
        let (admin, hub) = (sandbox.admin(), operator(sandbox));
        admin.create_policy("subscription", "Few", 7).await;
        admin.create_policy("application", "Fewer", 5).await;
        let few = list(&hub, "/subscription-policies?policyName=Few").await;
        let limit = json!({
            "type": "REQUESTCOUNTLIMIT", "quotaType": "requestCount",
            "requestCount": {"timeUnit": "year", "unitTime": 1, "requestCount": 7},
        });
        assert_eq!((&few[0]["tenantId"], &few[0]["tenantDomain"]), (&json!(-1234), &json!("carbon.super")));
        assert_eq!((&few[0]["defaultLimit"], &few[0]["stopOnQuotaReach"]), (&limit, &json!(true)));
        let fewer = list(&hub, "/application-policies?policyName=Fewer").await;
        assert_eq!((&fewer[0]["quotaType"], &fewer[0]["defaultLimit"]["requestCount"]["requestCount"]), (&json!("requestCount"), &json!(5)));
        let group = json!({
            "limit": {"type": "BANDWIDTHLIMIT", "bandwidth": {"timeUnit": "min", "unitTime": 2, "dataAmount": 3, "dataUnit": "MB"}},
            "conditions": [{"type": "IPCONDITION", "ipCondition": {"ipConditionType": "IPSPECIFIC", "specificIP": "10.0.0.1"}}],
        });
        let wish = json!({
            "policyName": "Advanced", "conditionalGroups": [group],
            "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 9}},
        });
        admin.post("/throttling/policies/advanced", &wish).await.expect(201);
        let advanced = list(&hub, "/api-policies?policyName=Advanced").await;
        let group = &advanced[0]["conditionGroups"][0];
        assert_eq!((&group["policyId"], &group["quotaType"]), (&advanced[0]["id"], &json!("bandwidthVolume")));
        let condition = json!([{"conditionType": "IPSpecific", "name": "IPSpecific", "value": "10.0.0.1", "isInverted": false}]);
        assert_eq!((&group["condition"], &group["defaultLimit"]["bandwidth"]["dataAmount"]), (&condition, &json!(3072)));
        for path in ["/subscription-policies", "/application-policies", "/api-policies"] {
            filters(&hub, path, &[("policyName=Nobody's", 0)]).await;
        }
        filters(&hub, "/global-policies", &[("", 0), ("policyName=Few", 0)]).await;
    }

    async fn rules_and_refusals_are_told(sandbox) {
        let (admin, hub) = (sandbox.admin(), operator(sandbox));
        admin.create_policy("custom", "Rule", 7).await;
        let rules = list(&hub, "/global-policies").await;
        assert_eq!((&rules[0]["name"], &rules[0]["keyTemplate"]), (&json!("Rule"), &json!("$userId")));
        assert_eq!(rules[0]["siddhiQuery"], "7 requests per year");
        assert_eq!(pull(&hub, "/keyTemplates", "").await.expect(200).json(), json!(["$userId"]));
        let deny = async |kind: &str, value: Value| {
            let body = json!({"conditionType": kind, "conditionValue": value});
            admin.post("/throttling/deny-policies", &body).await.expect(201).field("conditionId")
        };
        deny("USER", json!("anna")).await;
        let off = deny("USER", json!("bob")).await;
        deny("IP", json!({"fixedIp": "10.0.0.1", "invert": true})).await;
        deny("IPRANGE", json!({"startingIp": "10.0.0.1", "endingIp": "10.0.0.9"})).await;
        admin.patch(&format!("/throttling/deny-policy/{off}"), &json!({"conditionStatus": false})).await.expect(200);
        let block = pull(&hub, "/block", "").await.expect(200).json();
        assert_eq!((&block["user"], &block["api"]), (&json!(["anna@carbon.super"]), &json!([])));
        let (one, range) = (&block["ip"][0], &block["ip"][1]);
        assert_eq!((&one["type"], &one["fixedIp"], &one["invert"]), (&json!("IP"), &json!("10.0.0.1"), &json!(true)));
        assert_eq!((&range["type"], &range["endingIp"], &range["tenantDomain"]), (&json!("IPRANGE"), &json!("10.0.0.9"), &json!("carbon.super")));
    }

    async fn what_was_revoked_is_told_until_it_expires(sandbox) {
        let (subscriber, hub) = (sandbox.subscriber(), operator(sandbox));
        let api = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await.id;
        let keys = subscriber.ready_to_call("Phone", &api, "Gold").await;
        let before = pull(&hub, "/revokedjwt", "ALL").await.expect(200).json();
        let revoked = |events: &Value| events["revokedJWTList"].as_array().unwrap().len();
        subscriber.revoke(&keys, &keys.token).await.expect(200);
        let after = pull(&hub, "/revokedjwt", "").await.expect(200).json();
        assert_eq!(revoked(&after), revoked(&before) + 1, "{after}");
        assert!(after["revokedJWTList"].as_array().unwrap().iter().all(|one| one["expiry_time"].as_i64() > Some(1_700_000_000_000)));
        let page = pull(&hub, "/revokedjwt?limit=0", "ALL").await.expect(200).json();
        assert_eq!(revoked(&page), 0);
    }

    async fn lists_come_whole_or_in_pages(sandbox) {
        let hub = operator(sandbox);
        let all = list(&hub, "/subscription-policies").await;
        let page = pull(&hub, "/subscription-policies?limit=2&offset=1", "").await.expect(200).json();
        assert_eq!(page["list"].as_array().unwrap()[..], all[1..3], "{page}");
        assert_eq!((&page["pagination"]["total"], &page["pagination"]["limit"]), (&json!(all.len()), &json!(2)));
        assert_eq!(page["pagination"]["next"], "/subscription-policies?limit=2&offset=3");
    }

    async fn wrong_parameters_are_refused_by_name(sandbox) {
        let hub = operator(sandbox);
        for (path, field) in [
            ("/apis?apiId=17", "apiId"), ("/apis?limit=many", "limit"), ("/apis?offset=-1", "offset"),
            ("/applications?appId=-1", "appId"), ("/applications?appId=99999999999", "appId"),
            ("/subscriptions?apiId=%00", "apiId"), ("/subscriptions?appId=x", "appId"),
            ("/runtime-artifacts?apiId=..%2F..", "apiId"), ("/revokedjwt?limit=x", "limit"),
            ("/global-policies?limit=x", "limit"), ("/synapse-attributes?version=1.0.0", "apiName"),
            ("/synapse-attributes?apiName=Pizza", "version"),
            ("/synapse-attributes?apiName=Pizza&version=1&tenantDomain=No%20domain", "tenantDomain"),
        ] {
            let refused = pull(&hub, path, "carbon.super").await.expect(400).field("description");
            assert!(refused.starts_with(field), "{path}: {refused}");
        }
        for path in paths() {
            let path = path.strip_prefix(BASE).unwrap();
            // It has a parameter for the tenant in place of the header.
            if path.starts_with("/synapse-attributes") {
                continue;
            }
            let refused = pull(&hub, path, "No domain").await.expect(400).field("description");
            assert!(refused.starts_with("xWSO2Tenant"), "{path}: {refused}");
        }
        for (path, field) in [
            ("/apis", "context"), ("/apis", "gatewayLabel"), ("/scopes", "scopeKey"), ("/api-policies", "policyName"),
            ("/application-key-mappings", "consumerKey"), ("/runtime-artifacts", "name"), ("/synapse-attributes", "apiName"),
        ] {
            let refused = pull(&hub, &format!("{path}?{field}=a%00b"), "carbon.super").await.expect(400).field("description");
            assert_eq!(refused, format!("{field}: must not contain NUL"), "{path}");
            let answer = pull(&hub, &format!("{path}?{field}=%ff"), "carbon.super").await;
            assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.text);
        }
    }
}
