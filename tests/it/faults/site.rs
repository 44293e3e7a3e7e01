//! A deployment of processes under load: people who publish, callers who call, and what each of them saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::actors::{Keys, Publisher, Subscriber};
use crate::support::backend::Backend;
use crate::support::definitions::PIZZA;
use crate::support::fleet::{Fleet, PASSWORD, Plan};
use crate::support::postgres::Postgres;
use crate::support::rest::{Answer, Credentials, Rest, client};
use crate::support::sandbox::administrator_token;
use crate::support::wait::eventually;

pub const BINARY: &str = env!("CARGO_BIN_EXE_gatewright");

/// Every profile, the ones that must not be single twice.
pub const PLAN: Plan<'static> = &[
    ("tm1", "traffic-manager"),
    ("tm2", "traffic-manager"),
    ("km1", "key-manager"),
    ("pub1", "publisher"),
    ("dp1", "devportal"),
    ("gw1", "gateway"),
    ("gw2", "gateway"),
];

/// `make chaos` sets the variable: then faults are as many and as long as the product promises, else a sample of them.
pub fn scale<T>(full: T, sample: T) -> T {
    if std::env::var_os("GATEWRIGHT_CHAOS").is_some() { full } else { sample }
}

/// The nodes, their database, and one published API that is called all the time.
pub struct Site {
    pub fleet: Fleet,
    pub postgres: Postgres,
    /// Answers as long as the site is there.
    _backend: Backend,
    admin: Credentials,
    pub keys: Keys,
}

impl Site {
    /// `None` where PostgreSQL is not installed.
    pub async fn start() -> Option<Self> {
        let postgres = Postgres::start()?;
        let fleet = Fleet::start(BINARY, PLAN, &postgres.database_toml()).await;
        Some(Self::open(fleet, postgres).await)
    }

    /// Publishes the API on nodes that run already.
    pub async fn open(fleet: Fleet, postgres: Postgres) -> Self {
        let admin = Credentials::Bearer(administrator_token(&fleet.management_url("km1"), PASSWORD).await);
        let backend = Backend::start().await;
        let rest = |node: &str| Rest::new(fleet.management_url(node), admin.clone());
        let publisher = Publisher { rest: rest("pub1"), backend_url: backend.url() };
        let pizza = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = Subscriber { rest: rest("dp1") }.ready_to_call("App", &pizza.id, "Unlimited").await;
        let site = Self { fleet, postgres, _backend: backend, admin, keys };
        for gateway in ["gw1", "gw2"] {
            site.until_called(gateway, &site.keys.token, 200).await;
        }
        site
    }

    pub fn rest(&self, node: &str) -> Rest {
        Rest::new(self.fleet.management_url(node), self.admin.clone())
    }

    /// Waits until a call with `token` is answered so.
    pub async fn until_called(&self, gateway: &str, token: &str, status: u16) {
        let url = format!("{}/pizza/1.0.0/menu", self.fleet.gateway_url(gateway));
        eventually(&format!("{gateway} answers {status}"), async || {
            let answer = Answer::of(client().get(&url).bearer_auth(token)).await;
            (answer.status == status).then_some(())
        })
        .await;
    }

    /// An application token from the key manager.
    pub async fn token(&self) -> String {
        self.oauth("token", &[("grant_type", "client_credentials")]).await.expect(200).field("access_token")
    }

    pub async fn revoke(&self, token: &str) {
        self.oauth("revoke", &[("token", token)]).await.expect(200);
    }

    async fn oauth(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}/oauth2/{path}", self.fleet.management_url("km1"));
        let request = client().post(url).basic_auth(&self.keys.consumer_key, Some(&self.keys.consumer_secret));
        Answer::of(request.form(form)).await
    }

    /// What a gateway's readiness says: `serves control N and revocation M; ..`.
    pub async fn report(&self, gateway: &str) -> String {
        let url = format!("{}/health/ready", self.fleet.management_url(gateway));
        let report: Value = Answer::of(client().get(url)).await.json();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "gateway").unwrap()["detail"].as_str().unwrap().to_owned()
    }

    /// Applied positions of a gateway, of both logs.
    pub async fn applied(&self, gateway: &str) -> (u64, u64) {
        let detail = self.report(gateway).await;
        let numbers: Vec<u64> =
            detail.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
        (numbers[0], numbers[1])
    }
}

/// Callers who never pause; a call that is not answered 200 is a failure.
pub struct Load {
    stop: Arc<AtomicBool>,
    pub calls: Arc<AtomicU64>,
    callers: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// `width` callers on each gateway, with connections that stay open.
    pub fn start(site: &Site, gateways: &[&str], width: usize) -> Self {
        let url = |gateway: &&str| format!("{}/pizza/1.0.0/menu", site.fleet.gateway_url(gateway));
        Self::over(&gateways.iter().map(url).collect::<Vec<_>>(), &site.keys.token, width)
    }

    /// `width` callers on each URL.
    pub fn over(urls: &[String], token: &str, width: usize) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let callers = urls.iter().flat_map(|url| (0..width).map(move |_| url.clone()));
        let callers = callers
            .map(|url| tokio::spawn(call(url, token.to_owned(), Arc::clone(&stop), Arc::clone(&calls))))
            .collect();
        Self { stop, calls, callers }
    }

    /// Waits until this many more calls were answered.
    pub async fn until_more(&self, more: u64) {
        let target = self.calls.load(Ordering::Relaxed) + more;
        while self.calls.load(Ordering::Relaxed) < target {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Number of calls, and what failed.
    pub async fn finish(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for caller in self.callers {
            failures.extend(caller.await.unwrap());
        }
        (self.calls.load(Ordering::Relaxed), failures)
    }
}

async fn call(url: String, token: String, stop: Arc<AtomicBool>, calls: Arc<AtomicU64>) -> Vec<String> {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let mut failures = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match client.get(&url).bearer_auth(&token).send().await {
            Ok(answer) if answer.status() == 200 => drop(answer.bytes().await),
            Ok(answer) => {
                failures.push(format!("{url}: {} {}", answer.status(), answer.text().await.unwrap_or_default()))
            }
            Err(error) => failures.push(format!("{url}: {error:?}")),
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
    failures
}

/// Creates and deploys APIs through one publisher until stopped, across its deaths; keeps what was acknowledged.
pub struct Writer {
    stop: Arc<AtomicBool>,
    pub acknowledged: Arc<AtomicU64>,
    task: JoinHandle<Vec<String>>,
}

impl Writer {
    pub fn start(rest: Rest) -> Self {
        Self::start_as(rest, "written")
    }

    /// With names of its own, so that several may write one after the other.
    pub fn start_as(rest: Rest, name: &str) -> Self {
        let name = name.to_owned();
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ending, count) = (Arc::clone(&stop), Arc::clone(&acknowledged));
        let task = tokio::spawn(async move {
            let mut deployed = Vec::new();
            for number in 0.. {
                if ending.load(Ordering::Relaxed) {
                    break;
                }
                let context = format!("/{name}{number}");
                match write_one(&rest, &context).await {
                    Some(()) => {
                        deployed.push(context);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    // The publisher is away; what it did not acknowledge may or may not be there.
                    None => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
            deployed
        });
        Self { stop, acknowledged, task }
    }

    pub async fn until_more(&self, more: u64) {
        let target = self.acknowledged.load(Ordering::Relaxed) + more;
        while self.acknowledged.load(Ordering::Relaxed) < target {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Contexts whose deployment was acknowledged.
    pub async fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// `None` when the publisher, or what it needs, went away in the middle.
async fn write_one(rest: &Rest, context: &str) -> Option<()> {
    let post = async |path: String, body: Value| {
        let request = rest.request(reqwest::Method::POST, &format!("/api/am/publisher/v4{path}")).json(&body);
        let answer = Answer::try_of(request).await.ok()?;
        assert!(answer.status == 201 || answer.status == 503, "{} {}", answer.status, answer.text);
        (answer.status == 201).then_some(answer)
    };
    let body = json!({"name": context.trim_start_matches('/'), "version": "1.0.0", "context": context});
    let id = post("/apis".to_owned(), body).await?.field("id");
    let revision = post(format!("/apis/{id}/revisions"), json!({})).await?.field("id");
    let target = json!([{"name": "Default", "vhost": "localhost"}]);
    post(format!("/apis/{id}/deploy-revision?revisionId={revision}"), target).await?;
    Some(())
}

/// Every context is served by the gateway: it asks for a token, which an unknown API does not.
pub async fn assert_served(site: &Site, gateway: &str, contexts: &[String]) {
    for context in contexts {
        let url = format!("{}{context}/1.0.0/x", site.fleet.gateway_url(gateway));
        eventually(&format!("{gateway} serves {context}"), async || {
            (Answer::of(client().get(&url)).await.status == 401).then_some(())
        })
        .await;
    }
}
