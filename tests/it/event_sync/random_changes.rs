//! A long random series of changes through the management APIs: what a gateway made of the events is what a snapshot
//! holds, in every kind. Otherwise the comparison of both would raise false alarms.

use std::collections::BTreeMap;

use domain::content;
use domain::{Clock, SystemClock, Timestamp};
use node_store::{Carbon, LastGood};
use serde_json::{Value, json};
use store::apim::runtime_data;
use store::{ApimDb, OpenOptions};

use super::chain::LONG;
use crate::support::DatabaseKind;
use crate::support::actors::{Keys, policy, properties};
use crate::support::rest::Answer;
use crate::support::sandbox::Sandbox;
use crate::support::wait::eventually;

const CHANGES: usize = 120;
/// Changes between two comparisons.
const COMPARED_EVERY: usize = 12;

/// The node with everything that was made on it.
struct World {
    sandbox: Sandbox,
    rolls: u64,
    count: usize,
    /// What was done last.
    choice: usize,
    apis: Vec<String>,
    revisions: Vec<(String, String)>,
    applications: Vec<String>,
    subscriptions: Vec<Value>,
    keys: Vec<Keys>,
    api_keys: Vec<(String, String)>,
    policies: Vec<(&'static str, String, String)>,
    deny_policies: Vec<String>,
}

impl World {
    fn roll(&mut self, sides: usize) -> usize {
        self.rolls = self.rolls.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.rolls >> 33) % sides.max(1) as u64) as usize
    }

    fn name(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{}", self.count)
    }

    fn one_of(&mut self, ids: &[String]) -> Option<String> {
        if ids.is_empty() { None } else { Some(ids[self.roll(ids.len())].clone()) }
    }

    async fn create_api(&mut self) {
        let name = self.name("Api");
        let fields = properties(&name, &format!("/{name}"), &["Unlimited", "Gold", "Silver"], "http://localhost:1");
        let made = self.sandbox.publisher().post("/apis", &fields).await.expect(201);
        self.apis.push(made.field("id"));
    }

    /// One change; that it is refused in the present state is as good as one that is made.
    async fn change(&mut self) -> Option<Answer> {
        let (publisher, subscriber, admin) =
            (self.sandbox.publisher(), self.sandbox.subscriber(), self.sandbox.admin());
        let api = {
            let ids = self.apis.clone();
            self.one_of(&ids)
        };
        let application = {
            let ids = self.applications.clone();
            self.one_of(&ids)
        };
        let choice = self.roll(25);
        self.choice = choice;
        match choice {
            0 | 1 => {
                self.create_api().await;
                None
            }
            2..5 => {
                let api = api?;
                let revision = publisher.post(&format!("/apis/{api}/revisions"), &json!({})).await;
                if revision.status != 201 {
                    return Some(revision);
                }
                let revision = revision.field("id");
                self.revisions.push((api.clone(), revision.clone()));
                Some(publisher.deploy(&api, &revision).await)
            }
            5 => {
                let index = self.roll(self.revisions.len());
                let (api, revision) = self.revisions.get(index)?.clone();
                let path = format!("/apis/{api}/undeploy-revision?revisionId={revision}");
                Some(publisher.post(&path, &json!([{"name": "Default", "vhost": "localhost"}])).await)
            }
            6..9 => {
                let action =
                    ["Publish", "Publish", "Publish", "Block", "Deprecate", "Demote%20to%20Created"][self.roll(6)];
                Some(publisher.change_lifecycle(&api?, action).await)
            }
            9 => {
                let api = api?;
                let found = publisher.get(&format!("/apis/{api}")).await;
                if found.status != 200 {
                    return Some(found);
                }
                let mut fields = found.json();
                fields["isDefaultVersion"] = json!(self.roll(2) == 0);
                Some(publisher.put(&format!("/apis/{api}"), &fields).await)
            }
            10 => Some(publisher.delete(&format!("/apis/{}", api?)).await),
            11 => {
                let name = self.name("application");
                self.applications.push(subscriber.create_application(&name, "Unlimited").await);
                None
            }
            12 => {
                let body = json!({"name": self.name("renamed"), "throttlingPolicy": "10PerMin", "tokenType": "JWT"});
                Some(subscriber.put(&format!("/applications/{}", application?), &body).await)
            }
            13 if self.roll(3) == 0 => Some(subscriber.delete(&format!("/applications/{}", application?)).await),
            13..16 => {
                let made = subscriber.subscribe(&application?, &api?, "Gold").await;
                if made.status == 201 {
                    self.subscriptions.push(made.json());
                }
                Some(made)
            }
            16 => {
                let index = self.roll(self.subscriptions.len());
                let mut own = self.subscriptions.get(index)?.clone();
                let id = own["subscriptionId"].as_str().unwrap().to_owned();
                own["throttlingPolicy"] = json!("Silver");
                Some(match self.roll(4) {
                    0 => subscriber.delete(&format!("/subscriptions/{id}")).await,
                    1 => {
                        publisher
                            .post(
                                &format!("/subscriptions/block-subscription?subscriptionId={id}&blockState=BLOCKED"),
                                &json!({}),
                            )
                            .await
                    }
                    2 => {
                        publisher
                            .post(&format!("/subscriptions/unblock-subscription?subscriptionId={id}"), &json!({}))
                            .await
                    }
                    _ => subscriber.put(&format!("/subscriptions/{id}"), &own).await,
                })
            }
            17 => {
                let application = application?;
                let body = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"], "validityTime": 3600});
                let path = format!("/applications/{application}/generate-keys");
                let answer = subscriber.post(&path, &body).await;
                if answer.status == 200 {
                    self.keys.push(Keys {
                        application_id: application,
                        key_mapping_id: answer.field("keyMappingId"),
                        consumer_key: answer.field("consumerKey"),
                        consumer_secret: answer.field("consumerSecret"),
                        token: answer.json()["token"]["accessToken"].as_str().unwrap().to_owned(),
                    });
                }
                Some(answer)
            }
            18 => {
                let index = self.roll(self.keys.len());
                let keys = self.keys.get(index)?.clone();
                Some(match self.roll(3) {
                    0 => {
                        let path = format!("/applications/{}/oauth-keys/{}", keys.application_id, keys.key_mapping_id);
                        subscriber.delete(&path).await
                    }
                    _ => subscriber.revoke(&keys, &keys.token).await,
                })
            }
            19 => {
                let application = application?;
                let name = self.name("key");
                let path = format!("/applications/{application}/api-keys/PRODUCTION/generate");
                let made = subscriber.post(&path, &json!({"keyName": name, "validityPeriod": 3600})).await;
                if made.status == 200 {
                    self.api_keys.push((application, made.field("apikey")));
                }
                Some(made)
            }
            20 => {
                let index = self.roll(self.api_keys.len());
                let (application, key) = self.api_keys.get(index)?.clone();
                let path = format!("/applications/{application}/api-keys/PRODUCTION/revoke");
                Some(subscriber.post(&path, &json!({"apikey": key})).await)
            }
            21 => {
                let index = self.roll(self.deny_policies.len() * 2);
                let Some(id) = self.deny_policies.get(index).cloned() else {
                    let body = json!({"conditionType": "USER", "conditionValue": self.name("user")});
                    let made = admin.post("/throttling/deny-policies", &body).await.expect(201);
                    self.deny_policies.push(made.field("conditionId"));
                    return Some(made);
                };
                let path = format!("/throttling/deny-policy/{id}");
                Some(match self.roll(3) {
                    0 => admin.delete(&path).await,
                    roll => admin.patch(&path, &json!({"conditionStatus": roll == 1})).await,
                })
            }
            22 => {
                let zone = ["UTC", "Europe/Berlin", "Asia/Kolkata"][self.roll(3)];
                Some(admin.put("/tenant-config", &json!({"TimeZone": zone})).await)
            }
            _ => {
                let kind = ["subscription", "application", "advanced", "custom"][self.roll(4)];
                let index = self.roll(self.policies.len() * 2);
                let Some((kind, name, id)) = self.policies.get(index).cloned() else {
                    let name = self.name("Policy");
                    let id = admin.create_policy(kind, &name, 1_000).await;
                    self.policies.push((kind, name, id));
                    return None;
                };
                let path = format!("/throttling/policies/{kind}/{id}");
                if self.roll(2) == 0 {
                    return Some(admin.delete(&path).await);
                }
                let requests = self.roll(1_000);
                Some(admin.put(&path, &policy(kind, &name, requests as u64)).await)
            }
        }
    }
}

/// The node's database, opened a second time.
async fn open(url: String) -> ApimDb {
    let runtime = tokio::runtime::Handle::current();
    let options = OpenOptions { url, pool_size: 1, acquire_timeout: LONG, timeouts: store::Timeouts::default() };
    tokio::task::spawn_blocking(move || ApimDb::open(&options, &runtime).unwrap()).await.unwrap()
}

async fn assert_equal(db: &ApimDb, gateway: &LastGood, seed: u64) {
    let environments = ["Default".to_owned()];
    let read = async || {
        let (environments, now) = (environments.clone(), SystemClock.now());
        db.read(move |conn| runtime_data::snapshot(conn, &environments, now)).await.unwrap()
    };
    let (expected, own) = eventually("the gateway is at the head", async || {
        let (expected, own) = (read().await, gateway.content().unwrap().snapshot);
        let is_level = own.control == expected.control && own.revocation == expected.revocation;
        is_level.then_some((expected, own))
    })
    .await;
    let after = Timestamp::from_millis(0);
    let (expected, own) = (content::documents(&expected, after).unwrap(), content::documents(&own, after).unwrap());
    for (kind, rows) in &expected {
        assert_eq!(&own[kind], rows, "{kind} of the gateway and of the database, seed {seed}");
    }
    assert_eq!(content::digests(&own), content::digests(&expected), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_add_up_to_what_a_snapshot_holds() {
    let seed = SystemClock.now().as_millis() as u64;
    println!("seed {seed}");
    let sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let folder = sandbox.nodes.home("gateway").join("db");
    let db = open(format!("sqlite:{}", folder.join("apim.db").display())).await;
    let gateway = LastGood::new(Carbon::open(&folder.join("carbon.db"), SystemClock.now()).unwrap());
    let mut world = World {
        sandbox,
        rolls: seed,
        count: 0,
        choice: 0,
        apis: Vec::new(),
        revisions: Vec::new(),
        applications: Vec::new(),
        subscriptions: Vec::new(),
        keys: Vec::new(),
        api_keys: Vec::new(),
        policies: Vec::new(),
        deny_policies: Vec::new(),
    };
    for number in 0..3 {
        world.create_api().await;
        world
            .applications
            .push(world.sandbox.subscriber().create_application(&format!("first{number}"), "Unlimited").await);
    }
    let mut taken = BTreeMap::<usize, usize>::new();
    for number in 1..=CHANGES {
        if let Some(answer) = world.change().await {
            assert!(answer.status < 500, "{answer:?}, seed {seed}");
            *taken.entry(world.choice).or_default() += usize::from(answer.status < 300);
        }
        if number % COMPARED_EVERY == 0 {
            assert_equal(&db, &gateway, seed).await;
        }
    }
    println!("taken by choice: {taken:?}");
    let taken: usize = taken.values().sum();
    assert!(taken > CHANGES / 6, "only {taken}, seed {seed}");
}
