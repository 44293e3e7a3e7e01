//! The start of all roles, in order.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use config::Loaded;
use domain::{Clock, Secret, SystemClock};
use gateway::RunningGateway;
use gateway::role::Bound;
use http::health::{Health, health_routes, metrics_routes, version_routes};
use http::server::{Listener, Server, ServerOptions, Services, Traffic};
use node_store::Carbon;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::databases::{self, DatabaseCheck};
use super::running::Parts;
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
        let control_plane = ControlPlaneRole::create(node, &key_manager).await?;
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
        let services = self.gateway.mount(services, self.key_manager.users());
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
