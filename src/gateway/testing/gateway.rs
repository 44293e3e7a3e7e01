//! A gateway on free ports with one application that may call its APIs, and a client for it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use config::sections::gateway::Gateway as GatewayConfig;
use config::sections::server::Server as ServerConfig;
use domain::application::KeyType;
use domain::event::Event;
use domain::runtime::{GatewayApi, GatewayApplication, Snapshot};
use domain::throttling::{ApplicationPolicy, SubscriptionPolicy};
use domain::{Clock, Secret, SystemClock};
use http_body_util::{BodyExt, Full};
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use security::jwt::{ACCESS_TOKEN_TYPE, AccessTokenClaims, AuthorizedUserType, sign};
use security::signing_key::{SigningAlgorithm, SigningKey, jwk_set};
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

use super::fixture;
use super::throttle::FakeThrottle;
use crate::table::{EarlierRevocations, Tables};
use crate::{GatewayDeps, GatewayRole, RunningGateway};

/// What a test may want otherwise.
pub struct Setting {
    pub apis: Vec<GatewayApi>,
    pub subscription_tier: String,
    pub application_tier: String,
    pub key_type: KeyType,
    pub subscription_policies: Vec<SubscriptionPolicy>,
    pub application_policies: Vec<ApplicationPolicy>,
    pub config: GatewayConfig,
    pub server: ServerConfig,
}

impl Setting {
    pub fn new(apis: &[GatewayApi]) -> Self {
        Self {
            apis: apis.to_vec(),
            subscription_tier: "Unlimited".to_owned(),
            application_tier: "Unlimited".to_owned(),
            key_type: KeyType::Production,
            subscription_policies: Vec::new(),
            application_policies: Vec::new(),
            config: GatewayConfig { http_port: 0, https_port: 0, workers: 2, ..GatewayConfig::default() },
            server: ServerConfig::default(),
        }
    }

    pub fn start(self) -> TestGateway {
        TestGateway::start(self)
    }
}

pub struct TestGateway {
    pub tables: Tables,
    pub throttle: Arc<FakeThrottle>,
    pub metrics: Metrics,
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub application: GatewayApplication,
    pub shutdown: CancellationToken,
    /// Holds the certificate that clients must trust.
    pub home: tempfile::TempDir,
    running: Option<RunningGateway>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The `code` of a fault body.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["code"].as_str().unwrap().to_owned()
    }

    pub fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }
}

/// One key for all tests of the process: making one is slow.
pub fn signing_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Rs256).unwrap())
}

/// Claims of a good token of the test application.
pub fn claims() -> AccessTokenClaims {
    let now = SystemClock.now().as_secs();
    AccessTokenClaims {
        sub: "owner@carbon.super".to_owned(),
        aut: AuthorizedUserType::Application,
        aud: fixture::CONSUMER_KEY.to_owned(),
        azp: fixture::CONSUMER_KEY.to_owned(),
        client_id: fixture::CONSUMER_KEY.to_owned(),
        nbf: now,
        iat: now,
        exp: now + 3600,
        iss: fixture::ISSUER.to_owned(),
        jti: uuid::Uuid::new_v4().to_string(),
        scope: "default".to_owned(),
    }
}

pub fn token_with(claims: &AccessTokenClaims) -> Secret<String> {
    sign(signing_key(), ACCESS_TOKEN_TYPE, claims).unwrap()
}

pub fn token() -> String {
    token_with(&claims()).expose().clone()
}

impl TestGateway {
    fn start(setting: Setting) -> Self {
        let home = tempfile::tempdir().unwrap();
        let identity = security::tls::load_or_create(home.path(), "localhost", SystemClock.now()).unwrap();
        let tls = security::tls::server_config(identity, &[]).unwrap();
        let bound = GatewayRole::bind(&setting.config, &setting.server, &tls).unwrap();
        let (http, https) = (bound.http_address(), bound.https_address());
        let mut application = fixture::application("owner");
        application.throttling_policy.clone_from(&setting.application_tier);
        let tables = Tables::new();
        let outcomes =
            tables.load(&setting.snapshot(&application), &fixture::artifacts(&setting.apis), EarlierRevocations::Drop);
        assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
        let throttle = Arc::new(FakeThrottle::default());
        let metrics = Metrics::new();
        let deps = GatewayDeps {
            token_service: None,
            tables: tables.clone(),
            throttle: throttle.clone(),
            on_tm_loss: domain::throttling::OnTmLoss::Deny,
            metrics: metrics.clone(),
            clock: Arc::new(SystemClock),
        };
        let shutdown = CancellationToken::new();
        let running = bound.create(deps).unwrap().start(&shutdown).unwrap();
        let running = Some(running);
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { tables, throttle, metrics, http, https, application, shutdown, home, running, client }
    }

    /// To wait for the end; once only.
    pub fn take_running(&mut self) -> RunningGateway {
        self.running.take().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// Subscribes the test application.
    pub fn subscribe(&self, api: &GatewayApi, tier: &str) {
        let subscription = fixture::subscription(self.application.id, api.api_id, tier);
        self.tables.apply(&Event::SubscriptionUpdated(subscription), None);
    }

    /// Deploys a revision on top of what is served.
    pub fn deploy(&self, api: &GatewayApi) {
        let event = Event::ApiDeployed {
            organization: api.organization.clone(),
            deployment: fixture::deployment(api),
            metadata: fixture::metadata(api),
        };
        self.tables.apply(&event, Some(Arc::new(api.clone()))).unwrap().result.unwrap();
    }

    /// `GET` with a good token.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[("authorization", &format!("Bearer {}", token()))], "").await
    }

    pub async fn get_with_token(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, &[("authorization", &format!("Bearer {token}"))], "").await
    }

    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Setting {
    fn snapshot(&self, application: &GatewayApplication) -> Snapshot {
        let subscribe = |api: &GatewayApi| fixture::subscription(application.id, api.api_id, &self.subscription_tier);
        Snapshot {
            applications: vec![application.clone()],
            key_mappings: vec![fixture::key_mapping(application.id, self.key_type, fixture::CONSUMER_KEY)],
            subscriptions: self.apis.iter().map(subscribe).collect(),
            subscription_policies: self.subscription_policies.clone(),
            application_policies: self.application_policies.clone(),
            issuers: vec![fixture::issuer(jwk_set([signing_key().public_jwk.clone()]))],
            ..fixture::snapshot(&self.apis)
        }
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
