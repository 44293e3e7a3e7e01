//! The gateway as a part of a node: bind early, create with what others made, start, wait for the end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use client::Peers;
use config::sections::gateway::Gateway as GatewayConfig;
use config::sections::server::Server as ServerConfig;
use domain::Clock;
use domain::contract::Throttle;
use domain::runtime::RevocationEntry;
use domain::throttling::OnTmLoss;
use telemetry::metrics::Metrics;
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::ActivityIds;
use crate::client_address::{InvalidNetwork, TrustedProxies};
use crate::cors::GatewayCors;
use crate::filters::authenticate::TokenCache;
use crate::lease::{LeaseBook, Loss};
use crate::listener::{BindError, ConnectionLimits, Door, Listener, bind};
use crate::local_limit::LocalLimits;
use crate::observe::GatewayMetrics;
use crate::pipeline::{Pipeline, Shared};
use crate::table::Tables;
use crate::token_proxy::TokenProxy;
use crate::upstream::{BodyLimits, TrustError, Upstream, client_config};

/// How often idle leases are given back and expired revocations forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// The gateway cannot be made or started.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("port {port} of [gateway] and the port offset {offset} together are no port")]
    Port { port: u16, offset: u16 },
    #[error("[gateway] trusted_proxies")]
    TrustedProxies(#[from] InvalidNetwork),
    #[error("[gateway.upstream] extra_ca")]
    Trust(#[from] TrustError),
    #[error("a worker of the gateway cannot be started")]
    Worker(#[source] io::Error),
}

/// What others make for the gateway.
pub struct GatewayDeps {
    pub tables: Tables,
    pub throttle: Arc<dyn Throttle>,
    /// What passes while `throttle` cannot be reached.
    pub on_tm_loss: OnTmLoss,
    /// Where calls to the token service go, unless none are passed on.
    pub token_service: Option<Peers>,
    pub metrics: Metrics,
    pub clock: Arc<dyn Clock>,
}

/// The ports are taken; nobody is let in yet.
pub struct Bound {
    config: GatewayConfig,
    drain_timeout: Duration,
    tls: Arc<rustls::ServerConfig>,
    http: Door,
    https: Door,
}

/// A gateway that is ready to start.
pub struct GatewayRole {
    bound: Bound,
    shared: Arc<Shared>,
    upstream_tls: Arc<rustls::ClientConfig>,
}

/// A gateway that runs.
pub struct RunningGateway {
    ended: Vec<oneshot::Receiver<()>>,
}

impl GatewayRole {
    /// Takes both ports of `[gateway]`, shifted by the server's offset; 0 is any free port and is not shifted.
    ///
    /// # Errors
    /// When a port cannot be taken.
    pub fn bind(
        config: &GatewayConfig,
        server: &ServerConfig,
        tls: &rustls::ServerConfig,
    ) -> Result<Bound, GatewayError> {
        let workers = match config.workers {
            0 => thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => usize::from(workers),
        };
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Bound {
            http: bind(address(server, config.http_port)?, workers)?,
            https: bind(address(server, config.https_port)?, workers)?,
            config: config.clone(),
            drain_timeout: server.drain_timeout.get(),
            tls: Arc::new(tls),
        })
    }

    /// Starts the workers. They end when `cancel` is cancelled and calls in flight are answered, or cut off after the
    /// drain time.
    ///
    /// # Errors
    /// When a socket cannot listen or a worker cannot be made.
    pub fn start(self, cancel: &CancellationToken) -> Result<RunningGateway, GatewayError> {
        let Bound { config, drain_timeout, tls, http, https, .. } = self.bound;
        let limits = ConnectionLimits {
            head_timeout: config.head_timeout.get(),
            head_bytes_max: config.head_max.as_usize(),
            headers_max: usize::from(config.headers_max),
            http2_streams_max: config.http2_streams_max,
            drain_timeout,
        };
        tracing::info!(gateway.http = %http.address, gateway.https = %https.address, "gateway listens");
        let room = || Arc::new(Semaphore::new(usize::try_from(config.connections_max).unwrap_or(usize::MAX >> 3)));
        let (http_room, https_room) = (room(), room());
        let acceptor = TlsAcceptor::from(tls);
        let mut ended = Vec::new();
        for (index, (http, https)) in http.open()?.into_iter().zip(https.open()?).enumerate() {
            let upstream_tls = Arc::clone(&self.upstream_tls);
            let worker = Worker {
                shared: Arc::clone(&self.shared),
                upstream: Upstream::new(&config.upstream, upstream_tls),
                limits,
                doors: [
                    WorkerDoor { socket: http, tls: None, free: Arc::clone(&http_room) },
                    WorkerDoor { socket: https, tls: Some(acceptor.clone()), free: Arc::clone(&https_room) },
                ],
                keeps_house: index == 0,
            };
            ended.push(worker.spawn(index, cancel.clone())?);
        }
        Ok(RunningGateway { ended })
    }
}

impl Bound {
    /// Real address of the HTTP port.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http.address
    }

    /// Real address of the HTTPS port.
    #[must_use]
    pub fn https_address(&self) -> SocketAddr {
        self.https.address
    }

    /// Puts the gateway together. Reads the machine's certificate authorities from disk.
    ///
    /// # Errors
    /// When the configuration names a network or a file that cannot be used.
    pub fn create(self, deps: GatewayDeps) -> Result<GatewayRole, GatewayError> {
        let config = &self.config;
        let metrics = GatewayMetrics::register(&deps.metrics);
        let in_memory = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let fleet = deps.tables.fleet().clone();
        let loss = Loss {
            on_tm_loss: deps.on_tm_loss,
            fleet: fleet.clone(),
            clock: Arc::clone(&deps.clock),
            admitted: metrics.local_admitted.clone(),
        };
        let keys_max = in_memory(config.throttle_keys_max);
        let leases = LeaseBook::new(deps.throttle, keys_max, metrics.lease_refills.clone(), loss);
        let shared = Shared {
            tables: deps.tables,
            token_proxy: deps.token_service.map(TokenProxy::new),
            tokens: TokenCache::new(in_memory(config.token_cache_max)),
            leases,
            local_limits: LocalLimits::new(in_memory(config.throttle_keys_max), fleet),
            clock: deps.clock,
            trusted: TrustedProxies::parse(&config.trusted_proxies)?,
            metrics,
            cors: GatewayCors::from_config(&config.cors),
            limits: BodyLimits {
                bytes_max: Some(config.body_max.get()).filter(|max| *max > 0),
                idle: config.body_idle_timeout.get(),
            },
        };
        let upstream_tls = client_config(config.upstream.extra_ca.as_deref())?;
        Ok(GatewayRole { bound: self, shared: Arc::new(shared), upstream_tls })
    }
}

impl RunningGateway {
    /// Waits until every worker has ended.
    pub async fn ended(self) {
        for worker in self.ended {
            // A worker that panicked has ended too; the panic was printed by its thread.
            let _ = worker.await;
        }
    }
}

fn address(server: &ServerConfig, port: u16) -> Result<SocketAddr, GatewayError> {
    let offset = server.port_offset;
    let shifted = if port == 0 { Some(0) } else { port.checked_add(offset) };
    Ok(SocketAddr::new(server.bind, shifted.ok_or(GatewayError::Port { port, offset })?))
}

/// One thread with a runtime of its own.
struct Worker {
    shared: Arc<Shared>,
    upstream: Upstream,
    limits: ConnectionLimits,
    doors: [WorkerDoor; 2],
    keeps_house: bool,
}

struct WorkerDoor {
    socket: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    free: Arc<Semaphore>,
}

impl Worker {
    fn spawn(self, index: usize, cancel: CancellationToken) -> Result<oneshot::Receiver<()>, GatewayError> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(GatewayError::Worker)?;
        let (ended, on_end) = oneshot::channel();
        let run = move || {
            runtime.block_on(self.run(cancel));
            // Name look-ups may still be running; nobody waits for them.
            runtime.shutdown_background();
            // Nobody may be waiting any more.
            let _ = ended.send(());
        };
        thread::Builder::new().name(format!("gateway-{index}")).spawn(run).map_err(GatewayError::Worker)?;
        Ok(on_end)
    }

    async fn run(self, cancel: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let pipeline =
            Arc::new(Pipeline { shared: self.shared, upstream: self.upstream, activities: ActivityIds::default() });
        let tasks = TaskTracker::new();
        for door in self.doors {
            let socket = match tokio::net::TcpListener::from_std(door.socket) {
                Ok(socket) => socket,
                Err(error) => {
                    tracing::error!(%error, "a worker of the gateway cannot use its socket");
                    continue;
                }
            };
            let (tls, free) = (door.tls, door.free);
            let listener = Listener { tls, free, pipeline: Arc::clone(&pipeline), limits: self.limits };
            tasks.spawn(listener.run(socket, tasks.clone(), cancel.clone()));
        }
        if self.keeps_house {
            keep_house(&shared, &cancel).await;
        }
        cancel.cancelled().await;
        tasks.close();
        // Each connection ends itself within the drain time; this is for what hangs beyond it.
        let grace = self.limits.drain_timeout + Duration::from_secs(1);
        if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
            tracing::warn!("a worker of the gateway ended with connections open");
        }
        if self.keeps_house {
            shared.leases.give_back_all().await;
        }
    }
}

async fn keep_house(shared: &Shared, cancel: &CancellationToken) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {
                shared.leases.sweep().await;
                shared.local_limits.sweep(std::time::Instant::now());
                shared.tables.forget_expired(RevocationEntry::forgettable(shared.clock.now()));
            }
        }
    }
}
