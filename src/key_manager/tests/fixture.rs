//! A key manager with its own databases, clock and users.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::test::{self, TestRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::sections::oauth::{Oauth, SigningAlgorithm};
use domain::contract::{KeyManager, UserStore};
use domain::oauth::{ClientRegistration, RegisteredClient};
use domain::user::User;
use domain::{Clock, Organization, Secret, Timestamp, UserId};
use security::key_encryption::KeyEncryptionKey;
use security::password::PasswordGate;
use security::signing_key::SigningKey;
use serde_json::Value;
use store::{Apim, ApimDb, Database, OpenOptions, Shared, SharedDb, StoreError, Timeouts, migrate};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;

use crate::{Dependencies, KeyManagerService, LocalAuthenticator, LocalUserStore, bootstrap, configure};

pub(super) const ISSUER: &str = "https://localhost:9443/oauth2/token";
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(super) struct Fixture {
    pub(super) service: Arc<KeyManagerService>,
    pub(super) clock: Arc<TestClock>,
    pub(super) apim_db: ApimDb,
    pub(super) shared_db: SharedDb,
    pub(super) users: Arc<dyn UserStore>,
    pub(super) gate: PasswordGate,
    pub(super) key_encryption_key: Arc<KeyEncryptionKey>,
    _folder: tempfile::TempDir,
}

/// Answer of an endpoint.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no text '{member}' in {}", self.body))
    }

    pub(super) fn header(&self, name: &'static str) -> &str {
        self.headers.get(HeaderName::from_static(name)).unwrap().to_str().unwrap()
    }

    /// Status and `error`.
    pub(super) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.text("error"))
    }
}

fn open<K: migrate::Migrated + 'static>(folder: &tempfile::TempDir, name: &str) -> Database<K> {
    let url = format!("sqlite:{}", folder.path().join(name).display());
    migrate::run::<K>(&url).unwrap();
    let options =
        OpenOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(5), timeouts: Timeouts::default() };
    Database::open(&options, &Handle::current()).unwrap()
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::with(Oauth { signing_algorithm: SigningAlgorithm::Es256, ..Oauth::default() }).await
    }

    pub(super) async fn with(oauth: Oauth) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let apim_db: ApimDb = open::<Apim>(&folder, "apim.db");
        let shared_db: SharedDb = open::<Shared>(&folder, "shared.db");
        let gate = PasswordGate::new(Handle::current(), 2, 100).unwrap();
        let password = Secret::new("admin".to_owned());
        bootstrap::ensure_super_admin(&shared_db, &gate, "admin", &password, START).await.unwrap();
        let users: Arc<dyn UserStore> = Arc::new(LocalUserStore::new(shared_db.clone(), gate.clone()));
        let clock = Arc::new(TestClock(AtomicI64::new(START.as_millis())));
        let key_encryption_key = Arc::new(KeyEncryptionKey::from_bytes(&Secret::new([9; 32])).unwrap());
        let dependencies = Dependencies {
            apim_db: apim_db.clone(),
            users: Arc::clone(&users),
            key_encryption_key: Arc::clone(&key_encryption_key),
            oauth,
            issuer: ISSUER.to_owned(),
            base_url: "https://localhost:9443".to_owned(),
            hostname: "localhost".to_owned(),
            clock: clock.clone(),
            metrics: Metrics::new(),
        };
        let service = Arc::new(KeyManagerService::create(dependencies).await.unwrap());
        Self { service, clock, apim_db, shared_db, users, gate, key_encryption_key, _folder: folder }
    }

    /// The key that signs the super tenant's tokens.
    pub(super) async fn signing_key(&self) -> Arc<SigningKey> {
        self.service.signing.current(&Organization::super_tenant()).await.unwrap()
    }

    pub(super) fn pass(&self, secs: i64) {
        self.clock.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }

    pub(super) fn authenticator(&self) -> LocalAuthenticator {
        let clock: Arc<dyn Clock> = self.clock.clone();
        LocalAuthenticator::new(self.apim_db.clone(), Arc::clone(&self.users), ISSUER.to_owned(), clock)
    }

    /// A user whose password is the name.
    pub(super) async fn add_user(&self, username: &str, roles: &[&str]) {
        let hash = Secret::new(self.gate.hash(Secret::new(username.to_owned())).await.unwrap());
        let user = User {
            id: UserId::random(),
            organization: Organization::super_tenant(),
            username: username.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        self.shared_db
            .write(move |conn| store::shared::users::insert(conn, &user, &hash, START))
            .await
            .map_err(|error: StoreError| error)
            .unwrap();
    }

    pub(super) async fn client(&self, grant_types: &str, kind: Kind) -> RegisteredClient {
        self.service.register_client(registration("client", grant_types, kind)).await.unwrap()
    }

    pub(super) async fn send(&self, request: TestRequest) -> Answer {
        let app = test::init_service(App::new().configure(|routes| configure(routes, Arc::clone(&self.service)))).await;
        let response = test::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = test::read_body(response).await;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status, headers, body }
    }

    /// A form with the client's Basic credentials.
    pub(super) async fn post(&self, path: &str, client: &RegisteredClient, form: &str) -> Answer {
        self.send(form_request(path, form).insert_header(basic_of(client))).await
    }

    pub(super) async fn token(&self, client: &RegisteredClient, form: &str) -> Answer {
        self.post("/oauth2/token", client, form).await
    }
}

/// Who registers a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tool,
    PortalApplication,
}

pub(super) fn registration(name: &str, grant_types: &str, kind: Kind) -> ClientRegistration {
    ClientRegistration {
        organization: Organization::super_tenant(),
        name: name.to_owned(),
        owner: "admin".to_owned(),
        grant_types: grant_types.split(' ').map(str::to_owned).collect(),
        callback_url: String::new(),
        is_saas_app: true,
        application_token_lifetime_secs: None,
        user_token_lifetime_secs: None,
        refresh_token_lifetime_secs: None,
        is_portal_application: kind == Kind::PortalApplication,
        additional_properties: serde_json::Map::new(),
    }
}

pub(super) fn form_request(path: &str, form: &str) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(form.to_owned())
}

pub(super) fn basic(name: &str, password: &str) -> (&'static str, String) {
    ("Authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

pub(super) fn basic_of(client: &RegisteredClient) -> (&'static str, String) {
    basic(&client.client.id, client.secret.as_ref().unwrap().expose())
}
