//! Every guarded operation, asked for the things of another tenant, answers as for things that do not exist.

use std::collections::BTreeMap;

use http::guard::Access;
use reqwest::Method;
use serde_json::{Value, json};

use super::operations::rooms;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Rest};
use crate::support::{DatabaseKind, Sandbox, Tenant};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
/// Stands in everything that the owner names.
const MARK: &str = "Zebra";

/// What the owner has: ids by the names that paths give to them.
struct Belongings {
    ids: BTreeMap<&'static str, String>,
    policies: BTreeMap<&'static str, String>,
}

impl Belongings {
    async fn of(tenant: &Tenant) -> Self {
        let (publisher, subscriber) = (tenant.publisher(), tenant.subscriber());
        let definition = PIZZA.replace("order:cancel", "Zebra:cancel");
        let api = publisher.publish(&definition, "ZebraApi", "/zebra", &["Gold"]).await.id;
        let revisions = publisher.get(&format!("/apis/{api}/revisions")).await.expect(200).json();
        let keys = subscriber.ready_to_call("ZebraApp", &api, "Gold").await;
        let listed = subscriber.get(&format!("/subscriptions?apiId={api}")).await.expect(200).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut ids = BTreeMap::from([
            ("apiId", api),
            ("revisionId", text(&revisions["list"][0]["id"])),
            ("applicationId", keys.application_id),
            ("keyMappingId", keys.key_mapping_id),
            ("subscriptionId", text(&listed["list"][0]["subscriptionId"])),
        ]);
        let admin = crate::support::actors::Admin { rest: tenant.rest.clone() };
        let mut policies = BTreeMap::new();
        for kind in ["application", "subscription", "advanced"] {
            policies.insert(kind, admin.create_policy(kind, &format!("Zebra-{kind}"), 7).await);
        }
        ids.insert("ruleId", admin.create_policy("custom", "Zebra-custom", 7).await);
        let deny = json!({"conditionType": "USER", "conditionValue": "Zebra"});
        ids.insert(
            "conditionId",
            admin.post("/throttling/deny-policies", &deny).await.expect(201).field("conditionId"),
        );
        Self { ids, policies }
    }

    /// The path with the owner's ids, and whether it names any of them.
    fn fill(&self, path: &str) -> (String, bool) {
        let mut names_any = false;
        let segments: Vec<&str> = path
            .split('/')
            .map(|segment| {
                let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                    return segment;
                };
                let policy = self.policies.iter().find(|(kind, _)| name == "policyId" && path.contains(*kind));
                match policy.map(|(_, id)| id).or_else(|| self.ids.get(name)) {
                    Some(id) => {
                        names_any = true;
                        id
                    }
                    None => UNKNOWN,
                }
            })
            .collect();
        (segments.join("/"), names_any)
    }

    fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// The text without the ids that were asked for.
    fn without_ids(&self, text: &str) -> String {
        let ids = self.ids.values().chain(self.policies.values());
        ids.fold(text.to_owned(), |text, id| text.replace(id.as_str(), UNKNOWN))
    }
}

/// Bodies that are read before the id is looked up.
fn body(method: &str, path: &str) -> Value {
    let limit = json!({"timeUnit": "min", "unitTime": 1, "requestCount": 7});
    match (method, path) {
        (_, path) if path.starts_with("/throttling/policies") => {
            json!({
                "policyName": "X", "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": limit},
                "keyTemplate": "$userId", "siddhiQuery": "7 requests per min",
            })
        }
        ("PATCH", "/throttling/deny-policy/{conditionId}") => json!({"conditionStatus": false}),
        ("PUT", "/applications/{applicationId}") => json!({"name": "X", "throttlingPolicy": "Unlimited"}),
        ("PUT", "/apis/{apiId}") => json!({"name": "X", "version": "1.0.0", "context": "/x"}),
        (_, path) if path.ends_with("/generate-keys") => {
            json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]})
        }
        (_, path) if path.ends_with("-revision") => json!([{"name": "Default", "vhost": "localhost"}]),
        _ => json!({}),
    }
}

async fn send(rest: &Rest, method: &str, path: &str, body: &Value) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = rest.request(method.clone(), path);
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
    Answer::of(if has_body { request.json(body) } else { request }).await
}

/// The answer is that for an unknown id, to the letter.
async fn tells_nothing(stranger: &Rest, owner: &Belongings, method: &str, path: &str, body: &Value) -> u16 {
    let answer = send(stranger, method, path, body).await;
    let unknown_body: Value = serde_json::from_str(&owner.without_ids(&body.to_string())).unwrap();
    let unknown = send(stranger, method, &owner.without_ids(path), &unknown_body).await;
    let shown = owner.without_ids(&answer.text);
    assert!(answer.status >= 400, "{method} {path} answers {} {}", answer.status, answer.text);
    assert_eq!(
        (answer.status, &shown),
        (unknown.status, &unknown.text),
        "{method} {path} tells that there is something"
    );
    assert!(!shown.contains(MARK), "{method} {path} shows what is the other tenant's: {shown}");
    answer.status
}

/// Operations that take ids elsewhere than in their path.
fn with_ids_elsewhere(owner: &Belongings) -> Vec<(&'static str, String, Value)> {
    let (api, application) = (owner.id("apiId"), owner.id("applicationId"));
    let revision = owner.id("revisionId");
    let publisher = "/api/am/publisher/v4";
    let wish = json!({"applicationId": application, "apiId": api, "throttlingPolicy": "Gold"});
    let target = json!([{"name": "Default", "vhost": "localhost"}]);
    vec![
        ("POST", format!("{publisher}/apis/change-lifecycle?apiId={api}&action=Publish"), json!({})),
        ("POST", format!("{publisher}/apis/{api}/deploy-revision?revisionId={revision}"), target.clone()),
        ("POST", format!("{publisher}/apis/{api}/undeploy-revision?revisionId={revision}"), target),
        ("POST", "/api/am/devportal/v3/subscriptions".to_owned(), wish),
        ("GET", format!("/api/am/devportal/v3/subscriptions?applicationId={application}"), json!({})),
        ("GET", format!("/api/am/admin/v4/throttling/policies/export?policyId={}", owner.id("ruleId")), json!({})),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_guarded_operation_knows_nothing_of_another_tenants_things() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let owner_tenant = Tenant::create(&sandbox, "owner.example").await;
    let other = Tenant::create(&sandbox, "other.example").await;
    let owner = Belongings::of(&owner_tenant).await;
    let api_path = format!("/api/am/publisher/v4/apis/{}", owner.id("apiId"));
    let before = owner_tenant.rest.get(&api_path).await.expect(200).text;
    let (mut hidden, mut refused_before) = (0, Vec::new());
    for stranger in [&other.rest, &sandbox.admin_rest()] {
        for (_, routes) in rooms() {
            for spec in routes.specs() {
                let (path, names_any) = owner.fill(spec.path);
                if !names_any || spec.access == Access::Public {
                    continue;
                }
                let path = format!("{}{path}", routes.base());
                let body = body(spec.method.as_str(), spec.path);
                match tells_nothing(stranger, &owner, spec.method.as_str(), &path, &body).await {
                    403 | 404 => hidden += 1,
                    // The input was refused before the id was looked at, as for any other id.
                    _ => refused_before.push(format!("{} {}", spec.method, spec.path)),
                }
            }
        }
        for (method, path, body) in with_ids_elsewhere(&owner) {
            let status = tells_nothing(stranger, &owner, method, &path, &body).await;
            assert!([403, 404].contains(&status), "{method} {path} answers {status}");
        }
    }
    assert!(hidden >= 40, "only {hidden} operations were proved; refused before: {refused_before:#?}");
    lists_show_nothing(&other.rest).await;
    assert_eq!(owner_tenant.rest.get(&api_path).await.expect(200).text, before);
    sandbox.stop().await;
}

/// No list of one tenant holds anything of the other.
async fn lists_show_nothing(stranger: &Rest) {
    for (_, routes) in rooms() {
        for spec in routes.specs().filter(|spec| spec.method == "GET" && !spec.path.contains('{')) {
            let path = format!("{}{}", routes.base(), spec.path);
            let answer = stranger.get(&path).await;
            assert!(!answer.text.contains(MARK) && !answer.text.contains("owner.example"), "{path}: {}", answer.text);
        }
    }
}
