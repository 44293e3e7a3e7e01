//! The start of all roles that the profile names, in order.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use client::Membership;
use config::Loaded;
use domain::{Clock, SystemClock};
use http::health::{Health, health_routes, metrics_routes, version_routes};
use http::server::{Listener, Server, ServerOptions, Services, Traffic};
use node_store::Carbon;
use security::cluster_tls::ClusterCertificate;
use security::enrolment::Credentials;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::databases::{self, DatabaseCheck};
use super::roles::{Roles, Sockets};
use super::running::RunningNode;
use super::{Databases, NodeContext, StartError};
use crate::demo;
use crate::home::{Home, membership_file};
use crate::listeners::{Addresses, Listeners};
use crate::roles::RoleError;

/// What `/services/Version` says.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs on the node's own runtime, which the caller hands to the node.
pub(super) async fn start(
    loaded: Loaded,
    home: Home,
    listeners: Listeners,
    certificate: ClusterCertificate,
    runtime: Handle,
) -> Result<RunningNode, StartError> {
    let Listeners { management, tls, version, gateway, leases, demo, addresses } = listeners;
    let key_encryption_key = loaded.key_encryption_key.clone();
    let (node, databases) = open(loaded, &home, &addresses, certificate, runtime).await?;
    let (serving, working) = (CancellationToken::new(), CancellationToken::new());
    // When a later part fails, the earlier ones end.
    let on_failure = (serving.clone().drop_guard(), working.clone().drop_guard());
    let roles = Roles::create(&node, databases.as_ref(), key_encryption_key, Sockets { gateway, leases }).await?;
    let services = Services::new(Traffic::register(&node.metrics))
        .routes(health_routes(&node.health))
        .routes(metrics_routes(&node.metrics))
        .routes(version_routes(VERSION));
    let services = roles.mount(services, &serving);
    let routes = services
        .mounted()
        .flat_map(|routes| routes.specs().map(|spec| format!("{} {}{}", spec.method, routes.base(), spec.path)))
        .collect();
    let servers = Servers { management, tls, version, demo };
    let started = roles.start(&node, &serving, &working).await?;
    let threads = start_servers(&node, servers, services, &serving)?;
    node.health.started();
    tracing::info!(profile = node.profile.name, node.id = node.node_id, management = %addresses.management, "node started");
    // Nothing fails any more: from here on the tokens are cancelled by the node.
    on_failure.0.disarm();
    on_failure.1.disarm();
    Ok(RunningNode {
        node_id: node.node_id,
        certificate: node.membership.certificate().clone(),
        addresses,
        routes,
        metrics: node.metrics,
        health: node.health,
        serving,
        working,
        gateway: started.gateway,
        threads,
        tasks: started.tasks,
        drain_delay: node.config.server.drain_delay.get(),
        drain_timeout: node.config.server.drain_timeout.get(),
        runtime: None,
        home: Some(home),
    })
}

/// Listeners that actix serves.
struct Servers {
    management: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    version: Option<TcpListener>,
    demo: Option<TcpListener>,
}

fn start_servers(
    node: &NodeContext,
    sockets: Servers,
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

/// The node's means: databases that are up to date where they are needed, health, metrics.
async fn open(
    loaded: Loaded,
    home: &Home,
    addresses: &Addresses,
    certificate: ClusterCertificate,
    runtime: Handle,
) -> Result<(NodeContext, Option<Databases>), StartError> {
    let Loaded { config, profile, .. } = loaded;
    let config = Arc::new(config);
    let health = Health::new();
    let mut databases = None;
    if profile.needs_databases() {
        let (section, path, handle) = (config.database.clone(), home.path().to_owned(), runtime.clone());
        let opened = runtime.spawn_blocking(move || databases::open(&section, &path, &handle)).await;
        let opened = opened.map_err(StartError::Aborted)??;
        health.register("apim_db", DatabaseCheck(opened.apim.clone()));
        health.register("shared_db", DatabaseCheck(opened.shared.clone()));
        databases = Some(opened);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let carbon = Carbon::open(&home.databases().join("carbon.db"), clock.now());
    let carbon = carbon.map_err(RoleError::of("node store"))?;
    let node_id = node_id(&config, &carbon, home)?;
    let node = NodeContext {
        node_id,
        profile,
        databases: home.databases(),
        security: home.security(),
        addresses: addresses.clone(),
        metrics: Metrics::new(),
        config,
        runtime,
        membership: Membership::new(certificate, Arc::clone(&clock)),
        clock,
        health,
        carbon,
    };
    Ok((node, databases))
}

/// The configured name, else the one that the node has had so far, else a new one.
fn node_id(config: &config::Config, carbon: &Carbon, home: &Home) -> Result<String, RoleError> {
    if let Some(configured) = &config.cluster.node_id {
        return Ok(configured.clone());
    }
    // A node store that was lost must not cost the node its membership.
    let member = Credentials::load(&membership_file(&home.security())).ok().flatten();
    let random = domain::EventId::random().to_string();
    let fresh = member.map_or_else(|| format!("node-{random}"), |credentials| credentials.node_id);
    carbon.get_or_insert("node_id", &fresh).map_err(RoleError::of("node store"))
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
