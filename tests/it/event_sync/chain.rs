//! The parts of the chain and what happens to them.

mod gateway;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::human::HumanDuration;
use config::sections::event_hub::EventHub as Config;
use domain::api::{Api, ApiDetails, AuthType, Endpoint};
use domain::content;
use domain::contract::RuntimeData;
use domain::contract::event_bus::ContentDigest;
use domain::event::{Event, LogName, SCHEMA_VERSION};
use domain::lifecycle::LifecycleState;
use domain::name::{ApiContext, ApiName, ApiVersion};
use domain::revision::{Deployment, DeploymentCounts, Revision};
use domain::runtime::{ApiMetadata, DeployedRevision, GatewayApi, GatewayOperation, RevocationEntry, Snapshot};
use domain::{ApiId, Clock, Organization, RevisionId, SystemClock, Timestamp};
use event_hub::EventHub;
use node_store::BrokerLog;
use store::apim::{apis, artifacts, deployments, gateways, revisions};
use store::{Apim, ApimDb, OpenOptions, StoreError, Timeouts, migrate, outbox};
use telemetry::metrics::Metrics;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::support::DatabaseKind;
use crate::support::database::Databases;
use crate::support::wait::eventually;

pub use self::gateway::Gateway;

const ENVIRONMENT: &str = "Default";
pub const LONG: Duration = Duration::from_secs(20);

/// A database with a hub.
pub struct Chain {
    folder: Arc<TempDir>,
    db: ApimDb,
    hub: EventHub,
    shutdown: CancellationToken,
    databases: Option<Arc<Databases>>,
}

/// An API of the control plane.
pub struct Pizza {
    pub id: ApiId,
    name: String,
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Chain {
    pub async fn start(kind: DatabaseKind) -> Self {
        let folder = TempDir::new().unwrap();
        let (_, databases) = Databases::create(kind);
        let url = match &databases {
            Some(databases) => databases.first_url(),
            None => format!("sqlite:{}", folder.path().join("apim.db").display()),
        };
        let migrated = url.clone();
        tokio::task::spawn_blocking(move || migrate::run::<Apim>(&migrated).unwrap()).await.unwrap();
        let db = open(url).await;
        let (hub, shutdown) = start_hub(folder.path().join("broker.db"), &db);
        Self { folder: Arc::new(folder), db, hub, shutdown, databases: databases.map(Arc::new) }
    }

    /// A hub whose database has no tables: every question fails.
    pub async fn dead() -> Self {
        let folder = TempDir::new().unwrap();
        let db = open(format!("sqlite:{}", folder.path().join("apim.db").display())).await;
        let (hub, shutdown) = start_hub(folder.path().join("broker.db"), &db);
        Self { folder: Arc::new(folder), db, hub, shutdown, databases: None }
    }

    /// The SQLite file of the control plane.
    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("apim.db")
    }

    /// The same database with a second hub, which has a local copy of its own.
    pub fn with_another_hub(&self) -> Self {
        let (hub, shutdown) = start_hub(self.folder.path().join("broker-2.db"), &self.db);
        let databases = self.databases.clone();
        Self { folder: Arc::clone(&self.folder), db: self.db.clone(), hub, shutdown, databases }
    }

    pub async fn create(&self, name: &str) -> Pizza {
        let api = api(name);
        let id = api.id;
        self.write(move |conn| apis::insert(conn, &api)).await;
        Pizza { id, name: name.to_owned() }
    }

    /// Makes a new revision and deploys it, with its event, in one transaction.
    pub async fn deploy(&self, pizza: &Pizza) -> RevisionId {
        let artifact = artifact(pizza);
        let revision_id = artifact.revision_id;
        self.write(move |conn| deploy(conn, &artifact)).await;
        revision_id
    }

    pub async fn undeploy(&self, pizza: &Pizza) {
        let api_id = pizza.id;
        let undeploy = move |conn: &mut store::ApimConn| {
            deployments::delete(conn, api_id, ENVIRONMENT)?;
            let organization = Organization::super_tenant();
            let environment = ENVIRONMENT.to_owned();
            conn.append(SystemClock.now(), Event::ApiUndeployed { organization, api_id, environment });
            Ok(())
        };
        self.write(undeploy).await;
    }

    /// Waits until the gateway's disk holds what the database does, and nothing else.
    pub async fn until_held_by(&self, gateway: &Gateway) {
        let now = SystemClock.now();
        eventually("the disk holds what the database does", async || {
            let own = gateway.content();
            let expected = content::documents(&self.snapshot().await, now).unwrap();
            (content::documents(&own.snapshot, now).unwrap() == expected && own.damaged.is_empty()).then_some(())
        })
        .await;
    }

    pub async fn head(&self, log: LogName) -> u64 {
        self.db.read(move |conn| outbox::head(conn, log)).await.unwrap().number
    }

    pub async fn counts(&self, pizza: &Pizza, revision_id: RevisionId) -> DeploymentCounts {
        let (api_id, now) = (pizza.id, SystemClock.now());
        let report = self.db.read(move |conn| gateways::counts(conn, &[api_id], now, LONG)).await.unwrap();
        report.of(api_id, ENVIRONMENT, revision_id)
    }

    /// Everything that gateways must hold now.
    pub async fn snapshot(&self) -> Snapshot {
        self.hub.snapshot(&[ENVIRONMENT.to_owned()]).await.unwrap()
    }

    /// What a hub tells of it.
    pub async fn told(&self, revocations_after: Timestamp) -> ContentDigest {
        let snapshot = self.snapshot().await;
        let kinds = content::digests(&content::documents(&snapshot, revocations_after).unwrap());
        let (at, revocation, schema) = (snapshot.control, snapshot.revocation, SCHEMA_VERSION);
        ContentDigest { at, revocation, schema, audited_at: SystemClock.now(), revocations_after, kinds }
    }

    pub async fn revoke(&self, entry: RevocationEntry) {
        self.write(move |conn| store::apim::oauth::revocations::insert(conn, &entry, SystemClock.now())).await;
    }

    async fn write(&self, work: impl FnMut(&mut store::ApimConn) -> Result<(), StoreError> + Send + 'static) {
        self.db.write(work).await.unwrap();
    }
}

async fn open(url: String) -> ApimDb {
    let options = OpenOptions { url, pool_size: 4, acquire_timeout: LONG, timeouts: Timeouts::default() };
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || ApimDb::open(&options, &runtime).unwrap()).await.unwrap()
}

fn start_hub(broker: PathBuf, db: &ApimDb) -> (EventHub, CancellationToken) {
    let hub = EventHub::create(event_hub::Deps {
        apim: db.clone(),
        broker: BrokerLog::open(&broker, SystemClock.now()).unwrap(),
        // So rarely that only the announcement of a commit can be in time.
        config: Config {
            poll_interval: HumanDuration::from_secs(60),
            // So often that every test also shows that there are no false alarms.
            audit_interval: "50ms".parse().unwrap(),
            ..Config::default()
        },
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
    })
    .unwrap();
    let shutdown = CancellationToken::new();
    drop(hub.start(shutdown.clone()));
    (hub, shutdown)
}

fn deploy(conn: &mut store::ApimConn, artifact: &GatewayApi) -> Result<(), StoreError> {
    let (now, api_id, revision_id) = (SystemClock.now(), artifact.api_id, artifact.revision_id);
    let organization = Organization::super_tenant();
    let artifact_hash = artifacts::put(conn, artifact, now)?;
    let revision = Revision {
        id: revision_id,
        api_id,
        organization: organization.clone(),
        number: apis::next_revision_number(conn, api_id)?,
        description: String::new(),
        created_at: now,
        created_by: "admin".into(),
        artifact_hash: artifact_hash.clone(),
    };
    revisions::insert(conn, &revision, &ApiDetails::default(), None)?;
    let (environment, vhost) = (ENVIRONMENT.to_owned(), "localhost".to_owned());
    let wish = Deployment {
        api_id,
        revision_id,
        environment: environment.clone(),
        vhost: vhost.clone(),
        display_on_devportal: true,
        deployed_at: now,
    };
    deployments::put(conn, &organization, &wish)?;
    let metadata = ApiMetadata {
        api_id,
        organization: organization.clone(),
        name: artifact.name.clone(),
        version: artifact.version.clone(),
        context: artifact.context.clone(),
        state: LifecycleState::Published,
        is_default_version: false,
    };
    let deployment = DeployedRevision { api_id, revision_id, environment, vhost, artifact_hash };
    conn.append(now, Event::ApiDeployed { organization, deployment, metadata });
    Ok(())
}

fn api(name: &str) -> Api {
    let now = SystemClock.now();
    Api {
        id: ApiId::random(),
        organization: Organization::super_tenant(),
        name: ApiName::parse(name).unwrap(),
        version: ApiVersion::parse("1.0.0").unwrap(),
        context: ApiContext::parse(&format!("/{name}")).unwrap(),
        provider: "admin".into(),
        state: LifecycleState::Published,
        is_default_version: false,
        definition_hash: None,
        details: ApiDetails::default(),
        created_at: now,
        created_by: "admin".into(),
        updated_at: now,
        updated_by: "admin".into(),
        row_version: 1,
    }
}

fn artifact(pizza: &Pizza) -> GatewayApi {
    let operation = GatewayOperation {
        verb: "GET".into(),
        target: "/*".into(),
        auth: AuthType::Any,
        throttling_policy: "Unlimited".into(),
        scopes: Vec::new(),
    };
    GatewayApi {
        api_id: pizza.id,
        revision_id: RevisionId::random(),
        organization: Organization::super_tenant(),
        name: pizza.name.clone(),
        version: "1.0.0".into(),
        provider: "admin".into(),
        context: format!("/{}/1.0.0", pizza.name),
        default_context: format!("/{}", pizza.name),
        operations: vec![operation],
        production: Some(Endpoint { url: "http://localhost:1".into(), timeout_ms: None }),
        sandbox: None,
        transports: vec!["http".into(), "https".into()],
        security_schemes: vec!["oauth2".into()],
        audiences: Vec::new(),
        authorization_header: "authorization".into(),
        needs_subscription: true,
        scopes: Vec::new(),
        cors: None,
        api_key_header: None,
        throttling_policy: None,
        production_maximum: None,
        sandbox_maximum: None,
    }
}
