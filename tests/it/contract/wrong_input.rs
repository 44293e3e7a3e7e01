//! Wrong input to every served operation gives a 4xx in WSO2's form, changes nothing, and leaves the node ready.

mod bodies;
mod fields;
mod forms;
mod oauth;
mod paths;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::operations::{Operation, rooms, served};
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, client};
use crate::support::{DatabaseKind, Sandbox};

/// Well-formed, and nobody's.
pub(super) const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Kinds of throttling policies whose parameter is `policyId`.
const POLICY_KINDS: [&str; 3] = ["application", "subscription", "advanced"];

/// A node with one of everything, and what its lists and objects looked like before.
struct World {
    sandbox: Sandbox,
    /// Real ids by the parameter's name; of policies by `PolicyKind/policyId`.
    ids: BTreeMap<String, String>,
    before: BTreeMap<String, Value>,
    /// What was wrong with answers; told together at the end.
    complaints: Vec<String>,
    checked: usize,
}

impl World {
    async fn start() -> Self {
        // The profile for one machine lets definitions be fetched from it.
        let sandbox = Sandbox::start_with(DatabaseKind::Sqlite, "[fetch]\nallow_loopback = false\n").await;
        let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
        let api = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url)).await;
        let api = api.expect(201).field("id");
        let revision = publisher.create_revision(&api).await;
        publisher.deploy(&api, &revision).await.expect(201);
        publisher.change_lifecycle(&api, "Publish").await.expect(200);
        publisher.wait_until_deployed(&api).await;
        // The first look makes the default application.
        subscriber.get("/applications").await.expect(200);
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let subscription = subscriber.subscribe(&application, &api, "Gold").await.expect(201).field("subscriptionId");
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let mut ids = BTreeMap::from([
            ("apiId".to_owned(), api),
            ("revisionId".to_owned(), revision),
            ("applicationId".to_owned(), application),
            ("subscriptionId".to_owned(), subscription),
            ("keyMappingId".to_owned(), keys.key_mapping_id),
        ]);
        for kind in POLICY_KINDS {
            ids.insert(format!("{kind}/policyId"), admin.create_policy(kind, "Few", 7).await);
        }
        ids.insert("ruleId".to_owned(), admin.create_policy("custom", "Few", 7).await);
        let deny = json!({"conditionType": "USER", "conditionValue": "nobody"});
        let deny = admin.post("/throttling/deny-policies", &deny).await.expect(201).field("conditionId");
        ids.insert("conditionId".to_owned(), deny);
        let mut world = Self { sandbox, ids, before: BTreeMap::new(), complaints: Vec::new(), checked: 0 };
        world.before = world.state().await;
        world
    }

    /// Everything that a wrong call might have changed, by the path that shows it.
    async fn state(&self) -> BTreeMap<String, Value> {
        let mut state = BTreeMap::new();
        for (api, method, template) in served().into_keys() {
            // Token requests make no two equal answers, and definitions are shown elsewhere too.
            // A live quota tells what time it is.
            if method != "GET" || template.ends_with("/settings") || template.ends_with("/quota") {
                continue;
            }
            let path = self.path(&api, &template);
            let answer = self.sandbox.admin_rest().get(&path).await;
            if answer.status == 200 {
                state.insert(path, serde_json::from_str(&answer.text).unwrap_or(json!(answer.text)));
            }
        }
        state
    }

    /// The operation's path with real ids where there are some.
    fn path(&self, api: &str, template: &str) -> String {
        let base = rooms().into_iter().find(|(name, _)| *name == api).unwrap().1.base();
        let filled = template.split('/').map(|segment| {
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else { return segment };
            let kind = POLICY_KINDS.into_iter().find(|kind| template.contains(&format!("/{kind}/")));
            let policy = kind.and_then(|kind| self.ids.get(&format!("{kind}/{name}")));
            match name {
                "policyLevel" => "application",
                name => policy.or_else(|| self.ids.get(name)).map_or(UNKNOWN, String::as_str),
            }
        });
        format!("{base}{}", filled.collect::<Vec<_>>().join("/"))
    }

    fn request(&self, operation: &Operation) -> reqwest::RequestBuilder {
        let (api, method, template) = operation;
        self.request_at(method, &self.path(api, template))
    }

    fn request_at(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.sandbox.admin_rest().request(method, path)
    }

    /// Sends and expects a refusal; with `field`, one that names it.
    async fn refuses(&mut self, what: &str, request: reqwest::RequestBuilder, field: Option<&str>) {
        let answer = Answer::of(request).await;
        self.checked += 1;
        let is_refused = (400..500).contains(&answer.status);
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let description = body["description"].as_str().unwrap_or_default();
        // Answers to HEAD have no body to look at.
        let is_error = what.starts_with("HEAD ")
            || (body["code"].is_i64() && body["message"].is_string() && !description.is_empty());
        // What is not found is named by its id.
        let is_named = answer.status == 404 || field.is_none_or(|field| description.contains(field));
        if !is_refused || !is_error || !is_named {
            let shown: String = answer.text.chars().take(300).collect();
            self.complaints.push(format!("{what}: {} {shown}", answer.status));
        }
    }

    /// Nothing changed, the node is ready, and no answer was wrong.
    async fn end(mut self, checked_min: usize) {
        let after = self.state().await;
        for (path, before) in &self.before {
            if after.get(path) != Some(before) {
                self.complaints.push(format!("{path} changed: {before} became {:?}", after.get(path)));
            }
        }
        let ready = Answer::of(client().get(format!("{}/health/ready", self.sandbox.management_url()))).await;
        assert_eq!(ready.status, 200, "the node is not ready any more: {}", ready.text);
        self.sandbox.stop().await;
        assert!(self.complaints.is_empty(), "{} complaints:\n{}", self.complaints.len(), self.complaints.join("\n"));
        assert!(self.checked >= checked_min, "only {} checks ran", self.checked);
    }
}
