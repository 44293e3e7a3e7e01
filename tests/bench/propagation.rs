//! `make bench-propagation`: how fast a deployment is acknowledged and a revocation refused by ten gateways, each a
//! process of its own, with two traffic managers, a key manager, a publisher and a developer portal over PostgreSQL, all on
//! one machine. Prints a table and writes JSON. Figures depend on the machine: compare them within one run only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[path = "../it/support/faketime.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod faketime;
#[path = "../it/support/fleet.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod fleet;
#[path = "../it/support/free_port.rs"]
mod free_port;
#[path = "../it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "../it/support/rest.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod rest;

use std::time::{Duration, Instant};

use fleet::{Fleet, PASSWORD};
use futures_util::future::join_all;
use postgres::Postgres;
use rest::{Answer, Credentials, Rest, client};
use serde_json::{Value, json};

const DEPLOYS: usize = 200;
const REVOCATIONS: usize = 200;
const GATEWAYS: [&str; 10] = ["gw01", "gw02", "gw03", "gw04", "gw05", "gw06", "gw07", "gw08", "gw09", "gw10"];

/// The nodes, and an administrator's token.
struct Site {
    fleet: Fleet,
    admin: Credentials,
    gateways: Vec<Gateway>,
}

/// A gateway, and a connection that stays open.
struct Gateway {
    base: String,
    client: reqwest::Client,
}

impl Gateway {
    async fn status(&self, path: &str, token: &str) -> u16 {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    /// The moment at which a call was first answered so.
    async fn until(&self, path: &str, token: &str, status: u16) -> Instant {
        while self.status(path, token).await != status {}
        Instant::now()
    }
}

impl Site {
    async fn start(postgres: &Postgres) -> Self {
        let mut plan = vec![
            ("tm1", "traffic-manager"),
            ("tm2", "traffic-manager"),
            ("km1", "key-manager"),
            ("pub1", "publisher"),
            ("dp1", "devportal"),
        ];
        plan.extend(GATEWAYS.map(|name| (name, "gateway")));
        let fleet = Fleet::start(env!("CARGO_BIN_EXE_gatewright"), &plan, &postgres.database_toml()).await;
        let admin = Credentials::Bearer(administrator_token(&fleet).await);
        let gateways = GATEWAYS.map(|name| Gateway {
            base: fleet.gateway_url(name),
            client: reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap(),
        });
        Self { fleet, admin, gateways: gateways.into() }
    }

    fn rest(&self, node: &str) -> Rest {
        Rest::new(self.fleet.management_url(node), self.admin.clone())
    }

    /// From the request until all gateways have acknowledged.
    async fn deploy(&self, number: usize) -> (String, Duration) {
        let publisher = self.rest("pub1");
        let apis = "/api/am/publisher/v4/apis";
        let body = json!({
            "name": format!("Bench{number}"), "version": "1", "context": format!("/bench{number}"),
            "policies": ["Unlimited"],
            // Nobody listens there: 502 says that a call passed.
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:1"}},
        });
        let id = publisher.post(apis, &body).await.expect(201).field("id");
        let revision = publisher.post(&format!("{apis}/{id}/revisions"), &json!({})).await.expect(201).field("id");
        let path = format!("{apis}/{id}/deploy-revision?revisionId={revision}&wait=true");
        let began = Instant::now();
        let deployed = publisher.post(&path, &json!([{"name": "Default", "vhost": "localhost"}])).await.expect(201);
        let took = began.elapsed();
        let deployment = &deployed.json()[0];
        assert_eq!(deployment["deployedGatewayCount"], json!(GATEWAYS.len()), "{deployment}");
        (id, took)
    }

    async fn subscribed_keys(&self, api_id: &str) -> Value {
        let (publisher, portal) = (self.rest("pub1"), self.rest("dp1"));
        let publish = format!("/api/am/publisher/v4/apis/change-lifecycle?apiId={api_id}&action=Publish");
        publisher.post_empty(&publish).await.expect(200);
        let portal_path = |path: &str| format!("/api/am/devportal/v3{path}");
        let body = json!({"name": "Bench", "throttlingPolicy": "Unlimited"});
        let application = portal.post(&portal_path("/applications"), &body).await.expect(201).field("applicationId");
        let body = json!({"applicationId": application, "apiId": api_id, "throttlingPolicy": "Unlimited"});
        portal.post(&portal_path("/subscriptions"), &body).await.expect(201);
        let body = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
        let path = portal_path(&format!("/applications/{application}/generate-keys"));
        portal.post(&path, &body).await.expect(200).json()
    }

    /// From the key manager's acknowledgement until the last gateway refuses the token.
    async fn revoke(&self, keys: &Value, path: &str) -> Duration {
        let call = |endpoint: &str, form: &[(&str, &str)]| {
            let url = format!("{}/oauth2/{endpoint}", self.fleet.management_url("km1"));
            let (key, secret) = (keys["consumerKey"].as_str().unwrap(), keys["consumerSecret"].as_str());
            client().post(url).basic_auth(key, secret).form(form)
        };
        let issued = Answer::of(call("token", &[("grant_type", "client_credentials")])).await.expect(200);
        let token = issued.field("access_token");
        join_all(self.gateways.iter().map(|gateway| gateway.until(path, &token, 502))).await;
        Answer::of(call("revoke", &[("token", &token)])).await.expect(200);
        let began = Instant::now();
        let refused = join_all(self.gateways.iter().map(|gateway| gateway.until(path, &token, 401))).await;
        refused.into_iter().max().unwrap().saturating_duration_since(began)
    }
}

async fn administrator_token(fleet: &Fleet) -> String {
    let base = fleet.management_url("km1");
    let people = Rest::new(base.clone(), Credentials::Basic("admin".to_owned(), PASSWORD.to_owned()));
    let body =
        json!({"clientName": "bench", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    let registered = people.post("/client-registration/v0.17/register", &body).await.expect(200);
    let scopes = "apim:api_view apim:api_create apim:api_publish apim:api_manage apim:subscribe apim:app_manage";
    let form = [("grant_type", "password"), ("username", "admin"), ("password", PASSWORD), ("scope", scopes)];
    let request = client()
        .post(format!("{base}/oauth2/token"))
        .basic_auth(registered.field("clientId"), Some(registered.field("clientSecret")))
        .form(&form);
    Answer::of(request).await.expect(200).field("access_token")
}

/// Minimum, median, 99th percentile and maximum in milliseconds.
fn summary(mut samples: Vec<Duration>) -> Value {
    samples.sort_unstable();
    let at = |share: f64| {
        let index = ((samples.len() - 1) as f64 * share).round() as usize;
        (samples[index].as_secs_f64() * 10_000.0).round() / 10.0
    };
    json!({"min": at(0.0), "median": at(0.5), "p99": at(0.99), "max": at(1.0), "samples": samples.len()})
}

fn row(what: &str, figures: &Value) {
    println!(
        "| {what} | {} | {} | {} | {} | {} |",
        figures["samples"], figures["min"], figures["median"], figures["p99"], figures["max"]
    );
}

#[tokio::main]
async fn main() {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let site = Site::start(&postgres).await;
    let mut deploys = Vec::new();
    let mut last = String::new();
    for number in 0..DEPLOYS {
        let (id, took) = site.deploy(number).await;
        deploys.push(took);
        last = id;
    }
    let keys = site.subscribed_keys(&last).await;
    let path = format!("/bench{}/1/x", DEPLOYS - 1);
    let mut revocations = Vec::new();
    for _ in 0..REVOCATIONS {
        revocations.push(site.revoke(&keys, &path).await);
    }
    let (deploys, revocations) = (summary(deploys), summary(revocations));
    println!("| {} gateways, ms | samples | min | median | p99 | max |", GATEWAYS.len());
    println!("|---|---:|---:|---:|---:|---:|");
    row("deploy acknowledged by all", &deploys);
    row("revocation refused by all", &revocations);
    let report = json!({
        "gateways": GATEWAYS.len(),
        "deploy_acknowledged_by_all_ms": deploys,
        "revocation_refused_by_all_ms": revocations,
    });
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder).unwrap();
    let file = format!("{folder}/bench-propagation.json");
    std::fs::write(&file, format!("{report:#}\n")).unwrap();
    println!("written to {file}");
}
