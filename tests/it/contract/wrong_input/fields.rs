//! JSON bodies that are right but for one field.

use serde_json::{Value, json};

use super::World;

/// A call whose body is good.
struct Good {
    method: &'static str,
    path: String,
    body: Value,
    required: &'static [&'static str],
    /// Fields of any type, kept as they are.
    free: &'static [&'static str],
}

fn limit() -> Value {
    json!({"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 5}})
}

async fn good_calls(world: &World) -> Vec<Good> {
    const API: [&str; 3] = ["name", "version", "context"];
    const FREE: [&str; 0] = [];
    let at = |api: &str, template: &str| world.path(api, template);
    let rest = world.sandbox.admin_rest();
    let stored = rest.get(&at("publisher", "/apis/{apiId}")).await.expect(200).json();
    let application = json!({
        "name": "Tablet", "throttlingPolicy": "Unlimited", "description": "d", "tokenType": "JWT", "groups": [],
        "attributes": {}, "visibility": "PRIVATE",
    });
    let keys = json!({
        "keyType": "SANDBOX", "grantTypesToBeSupported": ["client_credentials"], "callbackUrl": "",
        "scopes": [], "validityTime": 3600, "additionalProperties": {}, "keyManager": "Resident Key Manager",
    });
    let token = json!({"consumerSecret": "x", "validityPeriod": 60, "scopes": [], "grantType": "CLIENT_CREDENTIALS"});
    let subscription = json!({
        "apiId": world.ids["apiId"], "applicationId": world.ids["applicationId"], "throttlingPolicy": "Gold",
    });
    let create = json!({
        "name": "Pasta", "version": "1.0.0", "context": "/pasta", "description": "d", "policies": ["Gold"],
        "transport": ["https"], "securityScheme": ["oauth2"], "authorizationHeader": "Authorization",
        "visibility": "PUBLIC", "visibleRoles": [], "isDefaultVersion": false, "scopes": [], "tags": [],
        "audiences": [], "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://b"}},
        "operations": [{"target": "/a", "verb": "GET", "authType": "Any", "throttlingPolicy": "Unlimited", "scopes": []}],
    });
    let mut good = vec![
        Good { method: "POST", path: at("publisher", "/apis"), body: create, required: &API, free: &FREE },
        Good { method: "PUT", path: at("publisher", "/apis/{apiId}"), body: stored, required: &API, free: &READ_ONLY },
        Good {
            method: "POST",
            path: at("publisher", "/apis/{apiId}/revisions"),
            body: json!({"description": "d"}),
            required: &[],
            free: &FREE,
        },
        Good {
            method: "POST",
            path: at("devportal", "/applications"),
            body: application.clone(),
            required: &["name", "throttlingPolicy"],
            free: &FREE,
        },
        Good {
            method: "PUT",
            path: at("devportal", "/applications/{applicationId}"),
            body: application,
            required: &["name", "throttlingPolicy"],
            free: &FREE,
        },
        Good {
            method: "POST",
            path: at("devportal", "/applications/{applicationId}/generate-keys"),
            body: keys,
            required: &["keyType", "grantTypesToBeSupported"],
            free: &FREE,
        },
        Good {
            method: "POST",
            path: at("devportal", "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token"),
            body: token,
            required: &[],
            free: &FREE,
        },
        Good {
            method: "POST",
            path: at("devportal", "/applications/{applicationId}/reset-throttle-policy"),
            body: json!({"userName": "admin"}),
            required: &["userName"],
            free: &FREE,
        },
        Good {
            method: "POST",
            path: at("devportal", "/subscriptions"),
            body: subscription,
            required: &["apiId", "applicationId", "throttlingPolicy"],
            free: &FREE,
        },
    ];
    for kind in super::POLICY_KINDS {
        let body = json!({"policyName": "Some", "displayName": "S", "description": "d", "defaultLimit": limit()});
        let kept = json!({"policyName": "Few", "displayName": "S", "description": "d", "defaultLimit": limit()});
        let required: &[&str] = &["policyName", "defaultLimit"];
        let path = at("admin", &format!("/throttling/policies/{kind}"));
        good.push(Good { method: "POST", path, body, required, free: &FREE });
        let path = at("admin", &format!("/throttling/policies/{kind}/{{policyId}}"));
        good.push(Good { method: "PUT", path, body: kept, required, free: &FREE });
    }
    good.extend(rules_and_refusals(world));
    good
}

fn rules_and_refusals(world: &World) -> Vec<Good> {
    const RULE: [&str; 3] = ["policyName", "keyTemplate", "siddhiQuery"];
    const DENY: [&str; 2] = ["conditionType", "conditionValue"];
    let rule = |name: &str| {
        let mut rule = crate::support::actors::policy("custom", name, 5);
        rule["isDeployed"] = json!(true);
        rule
    };
    let deny = json!({
        "conditionType": "IP", "conditionValue": {"fixedIp": "10.0.0.1", "invert": false}, "conditionStatus": true,
    });
    let good = |method, path: &str, body, required: &'static [&'static str]| Good {
        method,
        path: world.path("admin", path),
        body,
        required,
        free: &[],
    };
    vec![
        good("POST", "/throttling/policies/custom", rule("Some"), &RULE),
        good("PUT", "/throttling/policies/custom/{ruleId}", rule("Few"), &RULE),
        good("POST", "/throttling/deny-policies", deny, &DENY),
        good("PUT", "/tenant-config", json!({"TimeZone": "UTC"}), &[]),
        good("PATCH", "/throttling/deny-policy/{conditionId}", json!({"conditionStatus": true}), &["conditionStatus"]),
    ]
}

/// What the server sets, whatever a client sends.
const READ_ONLY: [&str; 9] = [
    "id",
    "createdTime",
    "lastUpdatedTime",
    "lastUpdatedTimestamp",
    "lifeCycleStatus",
    "hasThumbnail",
    "isRevision",
    "revisionId",
    "provider",
];

/// Values of types that the field does not have.
fn other_types(value: &Value) -> Vec<Value> {
    match value {
        Value::String(_) => vec![json!({"a": 1}), json!([1]), json!(true)],
        Value::Number(_) => vec![json!({"a": 1}), json!([1]), json!("many")],
        Value::Bool(_) => vec![json!({"a": 1}), json!("maybe"), json!([])],
        Value::Array(_) => vec![json!({"a": 1}), json!("text"), json!([{"a": [1]}, 7])],
        Value::Object(_) => vec![json!([1]), json!("text"), json!(7)],
        Value::Null => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_field_is_refused_by_its_name() {
    let mut world = World::start().await;
    for good in good_calls(&world).await {
        let mut wrong: Vec<(String, &str, Value)> = Vec::new();
        let Value::Object(fields) = &good.body else { panic!("{} has no object", good.path) };
        for field in good.required {
            let mut body = fields.clone();
            body.remove(*field);
            wrong.push((format!("without {field}"), field, Value::Object(body)));
            for value in [Value::Null, json!("")] {
                let mut body = good.body.clone();
                body[*field] = value;
                wrong.push((format!("with {field} {}", body[*field]), field, body));
            }
        }
        for (field, value) in fields.iter().filter(|(field, _)| !good.free.contains(&field.as_str())) {
            for other in other_types(value) {
                let mut body = good.body.clone();
                body[field] = other;
                wrong.push((format!("with {field} {}", body[field]), field, body));
            }
            if value.is_string() {
                let mut body = good.body.clone();
                body[field] = json!("x".repeat(70_000));
                wrong.push((format!("with a long {field}"), field, body));
            }
        }
        for (what, field, body) in wrong {
            let request = world.request_at(good.method, &good.path).json(&body);
            world.refuses(&format!("{} {} {what}", good.method, good.path), request, Some(field)).await;
        }
    }
    world.end(300).await;
}
