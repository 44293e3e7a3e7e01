//! The start of all roles in order, and the node that comes of it.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use config::Loaded;
use domain::{Clock, Secret, SystemClock};
use gateway::RunningGateway;
use gateway::role::Bound;
use http::health::{Health, health_routes, metrics_routes, version_routes};
use http::server::{Listener, Server, ServerOptions, Services, Traffic};
use node_store::Carbon;
use telemetry::metrics::Metrics;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::databases::{self, DatabaseCheck};
use super::{NodeContext, StartError};
use crate::demo;
use crate::home::Home;
use crate::listeners::{Addresses, Listeners};
use crate::roles::RoleError;
use crate::roles::control_plane::ControlPlaneRole;
use crate::roles::event_hub::EventHubRole;
use crate::roles::gateway::{GatewayRole, Peers};
use crate::roles::key_manager::KeyManagerRole;
use crate::roles::traffic_manager::TrafficManagerRole;

/// What `/services/Version` says.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Time beyond the drain time-out until a node stops waiting for its own threads.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How often readiness is looked at while somebody waits for it.
const READY_INTERVAL: Duration = Duration::from_millis(10);

/// A node whose roles run. Dropping it stops it without waiting.
pub struct RunningNode {
    addresses: Addresses,
    metrics: Metrics,
    health: Health,
    /// Servers and the gateway: cancelled first.
    serving: CancellationToken,
    /// Background tasks, on which calls in flight still depend: cancelled second.
    working: CancellationToken,
    gateway: Option<RunningGateway>,
    threads: Vec<thread::JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
    drain_timeout: Duration,
    runtime: Option<Runtime>,
    /// The last to go: another node may use the folder then.
    home: Option<Home>,
}

/// What [`start`] hands over.
pub(super) struct Parts {
    addresses: Addresses,
    metrics: Metrics,
    health: Health,
    serving: CancellationToken,
    working: CancellationToken,
    gateway: RunningGateway,
    threads: Vec<thread::JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
    drain_timeout: Duration,
    home: Home,
}

/// Runs on the node's own runtime.
pub(super) async fn start(
    loaded: Loaded,
    home: Home,
    listeners: Listeners,
    runtime: Handle,
) -> Result<Parts, StartError> {
    let Listeners { management, tls, version, gateway, demo, addresses } = listeners;
    let key_encryption_key = loaded.key_encryption_key.clone();
    let node = open(loaded, &home, &addresses, runtime).await?;
    let roles = Roles::create(&node, key_encryption_key, gateway).await?;
    let (serving, working) = (CancellationToken::new(), CancellationToken::new());
    // When a later part fails, the earlier ones end.
    let on_failure = (serving.clone().drop_guard(), working.clone().drop_guard());
    let services = roles.services(&node);
    let (gateway, tasks) = roles.start(&node, &serving, &working)?;
    let sockets = Sockets { management, tls, version, demo };
    let threads = start_servers(&node, sockets, services, &serving)?;
    node.health.started();
    tracing::info!(profile = node.profile, management = %addresses.management, "node started");
    // Nothing fails any more: from here on the tokens are cancelled by the node.
    on_failure.0.disarm();
    on_failure.1.disarm();
    Ok(Parts {
        addresses,
        metrics: node.metrics,
        health: node.health,
        serving,
        working,
        gateway,
        threads,
        tasks,
        drain_timeout: node.config.server.drain_timeout.get(),
        home,
    })
}

/// Every role, made but not started.
struct Roles {
    key_manager: KeyManagerRole,
    event_hub: EventHubRole,
    traffic_manager: TrafficManagerRole,
    control_plane: ControlPlaneRole,
    gateway: GatewayRole,
}

impl Roles {
    /// In the order of their needs.
    async fn create(
        node: &NodeContext,
        key_encryption_key: Option<Secret<String>>,
        gateway: Bound,
    ) -> Result<Self, StartError> {
        let key_manager = KeyManagerRole::create(node, key_encryption_key).await?;
        let event_hub = EventHubRole::create(node)?;
        let traffic_manager = TrafficManagerRole::create(node, node_id(node)?);
        let control_plane = ControlPlaneRole::create(node, key_manager.key_manager()).await?;
        let peers = Peers {
            event_bus: event_hub.event_bus(),
            runtime_data: event_hub.runtime_data(),
            throttle: traffic_manager.throttle(),
        };
        let gateway = GatewayRole::create(node, gateway, peers)?;
        Ok(Self { key_manager, event_hub, traffic_manager, control_plane, gateway })
    }

    /// What the management listener answers.
    fn services(&self, node: &NodeContext) -> Services {
        let services = Services::new(Traffic::register(&node.metrics))
            .routes(health_routes(&node.health))
            .routes(metrics_routes(&node.metrics))
            .routes(version_routes(VERSION));
        self.control_plane.mount(self.key_manager.mount(services))
    }

    fn start(
        self,
        node: &NodeContext,
        serving: &CancellationToken,
        working: &CancellationToken,
    ) -> Result<(RunningGateway, Vec<JoinHandle<()>>), RoleError> {
        let mut tasks = vec![
            self.key_manager.start(node, working.clone()),
            self.event_hub.start(working.clone()),
            self.traffic_manager.start(working.clone()),
        ];
        let (gateway, sync) = self.gateway.start(serving, working.clone())?;
        tasks.push(sync);
        Ok((gateway, tasks))
    }
}

/// Listeners that actix serves.
struct Sockets {
    management: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    version: Option<TcpListener>,
    demo: Option<TcpListener>,
}

fn start_servers(
    node: &NodeContext,
    sockets: Sockets,
    services: Services,
    serving: &CancellationToken,
) -> Result<Vec<thread::JoinHandle<()>>, RoleError> {
    let options = ServerOptions::from_config(&node.config.server);
    let management = vec![Listener { socket: sockets.management, tls: Some(sockets.tls) }];
    let mut threads = vec![serve("management", management, services, options.clone(), serving)?];
    if let Some(socket) = sockets.version {
        // Calls to it are no management calls: their counters go nowhere.
        let services = Services::new(Traffic::register(&Metrics::new())).routes(version_routes(VERSION));
        let options = ServerOptions { workers: 1, ..options };
        threads.push(serve("version", vec![Listener { socket, tls: None }], services, options, serving)?);
    }
    if let Some(socket) = sockets.demo {
        threads.push(demo::start(socket, serving.clone()).map_err(RoleError::of("demo"))?);
    }
    Ok(threads)
}

/// The node's means: databases that are up to date, health, metrics.
async fn open(loaded: Loaded, home: &Home, addresses: &Addresses, runtime: Handle) -> Result<NodeContext, StartError> {
    let Loaded { config, profile, .. } = loaded;
    let config = Arc::new(config);
    let (section, path, handle) = (config.database.clone(), home.path().to_owned(), runtime.clone());
    let opened = runtime.spawn_blocking(move || databases::open(&section, &path, &handle)).await;
    let (apim, shared) = opened.map_err(StartError::Aborted)??;
    let health = Health::new();
    health.register("apim_db", DatabaseCheck(apim.clone()));
    health.register("shared_db", DatabaseCheck(shared.clone()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let carbon = Carbon::open(&home.databases().join("carbon.db"), clock.now());
    let carbon = carbon.map_err(RoleError::of("node store"))?;
    Ok(NodeContext {
        profile: profile.name,
        databases: home.databases(),
        security: home.security(),
        addresses: addresses.clone(),
        metrics: Metrics::new(),
        config,
        runtime,
        clock,
        health,
        carbon,
        apim,
        shared,
    })
}

/// The name under which this node registers, the same over restarts.
fn node_id(node: &NodeContext) -> Result<String, RoleError> {
    let fresh = domain::EventId::random().to_string();
    node.carbon.get_or_insert("node_id", &fresh).map_err(RoleError::of("node store"))
}

fn serve(
    name: &'static str,
    listeners: Vec<Listener>,
    services: Services,
    options: ServerOptions,
    shutdown: &CancellationToken,
) -> Result<thread::JoinHandle<()>, RoleError> {
    Server::create(name, listeners, services, options).start(shutdown.clone()).map_err(RoleError::of(name))
}

impl RunningNode {
    pub(super) fn new(parts: Parts, runtime: Runtime) -> Self {
        let Parts { addresses, metrics, health, serving, working, gateway, threads, tasks, drain_timeout, home } =
            parts;
        Self {
            addresses,
            metrics,
            health,
            serving,
            working,
            gateway: Some(gateway),
            threads,
            tasks,
            drain_timeout,
            runtime: Some(runtime),
            home: Some(home),
        }
    }

    /// Where the node can be reached.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The numbers that `/metrics` prints.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether every health check passes now.
    pub async fn ready(&self) -> bool {
        self.health.is_ready().await
    }

    /// Waits until every health check passes.
    pub async fn until_ready(&self) {
        while !self.ready().await {
            tokio::time::sleep(READY_INTERVAL).await;
        }
    }

    /// Ends calls in flight within the drain time-out, then everything else. The home folder is free afterwards.
    pub async fn shutdown(mut self) {
        self.health.drain();
        self.serving.cancel();
        let limit = self.drain_timeout + STOP_GRACE;
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            // A thread that panicked has said so itself.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let gateway = self.gateway.take();
        let joined = async {
            if let Some(gateway) = gateway {
                gateway.ended().await;
            }
            joined.await
        };
        if tokio::time::timeout(limit, joined).await.is_err() {
            tracing::warn!("servers did not end in time");
        }
        self.working.cancel();
        let tasks = std::mem::take(&mut self.tasks);
        if tokio::time::timeout(STOP_GRACE, futures_util::future::join_all(tasks)).await.is_err() {
            tracing::warn!("background tasks did not end in time");
        }
        if let Some(runtime) = self.runtime.take() {
            // Blocking, which no async context may do; open transactions end here.
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP_GRACE)).await;
            if let Err(error) = ended {
                tracing::warn!(%error, "the runtime did not end well");
            }
        }
        drop(self.home.take());
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.serving.cancel();
        self.working.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
