//! Several key managers over one database: one key, one issuer, and no valid token that fails on any of them.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::sections::oauth::{Oauth, SigningAlgorithm};
use domain::application::RESIDENT_KEY_MANAGER;
use domain::contract::{AuthenticationError, Authenticator, KeyManager, UserStore};
use domain::event::{Event, LogName};
use domain::oauth::{ClientRegistration, RegisteredClient};
use domain::{Clock, Organization, Secret, Timestamp};
use key_manager::{Dependencies, KeyManagerService, LocalAuthenticator, LocalUserStore, bootstrap};
use security::key_encryption::KeyEncryptionKey;
use security::password::PasswordGate;
use store::apim::oauth::{issuers, signing_keys};
use store::migrate::{self, Migrated};
use store::{Apim, ApimDb, Database, OpenOptions, Shared, SharedDb, StoreError, Timeouts, outbox};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;

use crate::support::DatabaseKind;
use crate::support::database::Databases;
use crate::support::process::Process;
use crate::support::rest::{Answer, client};
use crate::support::sandbox::{FREE_PORTS, configure};

const ISSUER: &str = "https://localhost:9443/oauth2/token";
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The databases, and what all nodes are told alike.
struct Site {
    urls: [String; 2],
    clock: Arc<SetClock>,
    _folder: tempfile::TempDir,
    _databases: Option<Databases>,
}

/// One process: handles, caches and keys in memory of its own.
struct KeyNode {
    service: Arc<KeyManagerService>,
    authenticator: LocalAuthenticator,
    apim: ApimDb,
}

fn open<K: Migrated + 'static>(url: &str) -> Database<K> {
    let acquire_timeout = Duration::from_secs(20);
    let options = OpenOptions { url: url.to_owned(), pool_size: 4, acquire_timeout, timeouts: Timeouts::default() };
    Database::open(&options, &Handle::current()).unwrap()
}

impl Site {
    async fn new(kind: DatabaseKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (_, databases) = Databases::create(kind);
        let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let urls = match &databases {
            Some(databases) => [databases.first_url(), databases.shared_url()],
            None => [file("apim.db"), file("shared.db")],
        };
        migrate::run::<Apim>(&urls[0]).unwrap();
        migrate::run::<Shared>(&urls[1]).unwrap();
        let (shared, gate) = (open::<Shared>(&urls[1]), PasswordGate::new(Handle::current(), 1, 10).unwrap());
        bootstrap::ensure_super_admin(&shared, &gate, "admin", &Secret::new("admin".to_owned()), START).await.unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(START.as_millis())));
        Self { urls, clock, _folder: folder, _databases: databases }
    }

    fn pass(&self, secs: i64) {
        self.clock.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }

    async fn node(&self) -> KeyNode {
        let (apim, shared): (ApimDb, SharedDb) = (open(&self.urls[0]), open(&self.urls[1]));
        let gate = PasswordGate::new(Handle::current(), 1, 10).unwrap();
        let users: Arc<dyn UserStore> = Arc::new(LocalUserStore::new(shared, gate));
        let clock: Arc<dyn Clock> = self.clock.clone();
        let service = KeyManagerService::create(Dependencies {
            apim_db: apim.clone(),
            users: Arc::clone(&users),
            key_encryption_key: Arc::new(KeyEncryptionKey::from_bytes(&Secret::new([9; 32])).unwrap()),
            oauth: Oauth { signing_algorithm: SigningAlgorithm::Es256, ..Oauth::default() },
            issuer: ISSUER.to_owned(),
            base_url: "https://localhost:9443".to_owned(),
            hostname: "localhost".to_owned(),
            clock: Arc::clone(&clock),
            metrics: Metrics::new(),
        });
        let authenticator = LocalAuthenticator::new(apim.clone(), users, ISSUER.to_owned(), clock);
        KeyNode { service: Arc::new(service.await.unwrap()), authenticator, apim }
    }
}

impl KeyNode {
    async fn client(&self) -> RegisteredClient {
        let registration = ClientRegistration {
            organization: Organization::super_tenant(),
            name: "client".to_owned(),
            owner: "admin".to_owned(),
            grant_types: vec!["client_credentials".to_owned()],
            callback_url: String::new(),
            is_saas_app: true,
            application_token_lifetime_secs: None,
            user_token_lifetime_secs: None,
            refresh_token_lifetime_secs: None,
            is_portal_application: false,
            additional_properties: serde_json::Map::new(),
        };
        self.service.register_client(registration).await.unwrap()
    }

    async fn token(&self, client: &RegisteredClient, lifetime_secs: Option<i64>) -> Secret<String> {
        let organization = Organization::super_tenant();
        let issued = self.service.issue_application_token(&organization, &client.client.id, &[], lifetime_secs).await;
        issued.unwrap().access_token
    }

    async fn accepts(&self, token: &Secret<String>) -> bool {
        match self.authenticator.bearer(token).await {
            Ok(_) => true,
            Err(AuthenticationError::Refused(_)) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Key ids, the one that signs last first.
    async fn published(&self, now: Timestamp) -> Vec<String> {
        let keys = self.apim.read(move |conn| {
            let keys = signing_keys::list_published(conn, &Organization::super_tenant(), now)?;
            Ok::<_, StoreError>(keys.into_iter().map(|key| key.kid).collect())
        });
        keys.await.unwrap()
    }
}

fn kid(token: &Secret<String>) -> String {
    jsonwebtoken::decode_header(token.expose()).unwrap().kid.unwrap()
}

async fn nodes_that_start_together_share_one_key_and_one_issuer(kind: DatabaseKind) {
    for _ in 0..3 {
        let site = Site::new(kind).await;
        let nodes = futures_util::future::join_all((0..4).map(|_| site.node())).await;
        let client = nodes[0].client().await;
        let mut kids = Vec::new();
        for node in &nodes {
            let token = node.token(&client, None).await;
            kids.push(kid(&token));
            for other in &nodes {
                assert!(other.accepts(&token).await);
            }
        }
        assert_eq!(nodes[0].published(START).await, kids[..1]);
        kids.dedup();
        assert_eq!(kids.len(), 1, "each node signs with a key of its own");
        let known = nodes[0].apim.read(|conn| issuers::list_trusted(conn, START)).await;
        let known = known.map_err(|error: StoreError| error).unwrap();
        assert_eq!(known.iter().map(|issuer| issuer.name.as_str()).collect::<Vec<_>>(), [RESIDENT_KEY_MANAGER]);
    }
}

async fn a_rotation_through_one_node_fails_no_valid_token_on_any(kind: DatabaseKind) {
    let site = Site::new(kind).await;
    let (one, other) = (site.node().await, site.node().await);
    let client = one.client().await;
    // Longer than any client's limit: the portal may ask for it.
    let long = other.token(&client, Some(50_000)).await;
    let short = other.token(&client, None).await;
    let old = kid(&short);

    let successor = one.service.rotate_signing_key().await.unwrap();
    assert_eq!(one.published(START).await, [successor.kid.clone(), old.clone()]);
    let events = one.apim.read(|conn| outbox::read_after(conn, LogName::Control, 0, 100)).await;
    let events: Vec<domain::event::LogEntry> = events.map_err(|error: StoreError| error).unwrap();
    let Some(Event::IssuerUpdated(issuer)) = events.last().map(|entry| &entry.event) else { panic!("{events:?}") };
    assert_eq!(issuer.jwks["keys"].as_array().unwrap().len(), 2, "gateways know both keys");

    // Until the lead is over, nobody signs with the new one, not even a node that starts now.
    site.pass(599);
    let late = site.node().await;
    for node in [&one, &other, &late] {
        assert_eq!(kid(&node.token(&client, None).await), old);
    }
    site.pass(1);
    let fresh = site.node().await;
    let new = fresh.token(&client, None).await;
    assert_eq!(kid(&new), successor.kid);
    // A node that has not noticed yet signs with the old one, and that token is good, too.
    let stale = other.token(&client, Some(20_000)).await;
    assert_eq!(kid(&stale), old);
    for node in [&one, &other, &late, &fresh] {
        for token in [&long, &short, &new, &stale] {
            assert!(node.accepts(token).await);
        }
    }
    for (passed, is_long, is_stale) in [(19_990, true, true), (29_300, true, false), (1_000, false, false)] {
        site.pass(passed);
        let now = site.clock.now();
        one.apim.write(move |conn| signing_keys::purge(conn, now)).await.map_err(|error: StoreError| error).unwrap();
        let fresh = site.node().await;
        for node in [&one, &other, &fresh] {
            assert_eq!((node.accepts(&long).await, node.accepts(&stale).await), (is_long, is_stale), "{now}");
        }
    }
    // The old key is gone from the database; a node that still holds it must not sign with it.
    site.pass(1_000);
    let now = site.clock.now();
    one.apim.write(move |conn| signing_keys::purge(conn, now)).await.map_err(|error: StoreError| error).unwrap();
    assert_eq!(one.published(now).await, std::slice::from_ref(&successor.kid));
    assert_eq!(kid(&other.token(&client, None).await), successor.kid);
}

fn rotate(home: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("--home")
        .arg(home)
        .args(["key", "rotate"])
        .args(more)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_publishes_a_key_beside_a_running_node() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    let path = home.path().to_owned();
    let early = rotate(&path, &[]);
    assert!(!early.status.success() && String::from_utf8_lossy(&early.stderr).contains("first key"), "{early:?}");
    let node = tokio::task::spawn_blocking(move || Process::start(&path, &[])).await.unwrap();
    let rotated = rotate(home.path(), &[]);
    assert!(rotated.status.success(), "{rotated:?}");
    let said = String::from_utf8_lossy(&rotated.stdout).into_owned();
    let jwks = Answer::of(client().get(format!("{}/oauth2/jwks", node.management_url))).await.expect(200).json();
    let kids: Vec<&str> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), 2, "{jwks}");
    assert!(said.starts_with(&format!("tenant carbon.super: key {} (RS256) is published", kids[0])), "{said}");
    let unknown = rotate(home.path(), &["--tenant", "nobody.example"]);
    assert!(!unknown.status.success() && String::from_utf8_lossy(&unknown.stderr).contains("nobody.example"));
    node.kill();
}

crate::per_database! {
    nodes_that_start_together_share_one_key_and_one_issuer
    a_rotation_through_one_node_fails_no_valid_token_on_any
}
