//! A node: the roles of one profile in one process. Start order: home, ports, databases, roles, servers.

mod boot;
mod context;
mod databases;
mod roles;
mod running;

use std::path::PathBuf;
use std::sync::Arc;

use config::{Config, Loaded};
use domain::{Clock, SystemClock};
use security::cluster_tls::{self, ClusterCertificate};
use security::tls;
use tokio::runtime::{Builder, Runtime};

use crate::home::{Home, HomeError};
use crate::listeners::{Demo, ListenError, Listeners, ServerTls};
use crate::roles::RoleError;

pub(crate) use context::{Databases, NodeContext};
pub use databases::DatabaseError;
pub use running::RunningNode;

/// Threads of the runtime that background tasks and database work share.
const RUNTIME_THREADS: usize = 2;

/// Most blocking calls at a time: database work is limited further by its pools, the rest is start-up.
const BLOCKING_THREADS_MAX: usize = 128;

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    pub loaded: Loaded,
    /// Made when it is not there.
    pub home: PathBuf,
    pub demo: Demo,
}

/// The node did not start; nothing of it runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the home folder cannot be used")]
    Home(#[from] HomeError),
    #[error("a port cannot be had")]
    Listen(#[from] ListenError),
    #[error("the TLS certificate cannot be used")]
    Tls(#[source] tls::TlsError),
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error("starting was cut short")]
    Aborted(#[source] tokio::task::JoinError),
}

/// Starts nodes.
#[derive(Debug)]
pub enum Node {}

impl Node {
    /// Starts every role of the profile; they answer when this returns, and are ready when [`RunningNode::ready`] says so. May be
    /// called on any runtime: the node brings its own.
    ///
    /// # Errors
    /// When something that the node needs cannot be had.
    pub async fn start(options: NodeOptions) -> Result<RunningNode, StartError> {
        let Loaded { config, profile, .. } = &options.loaded;
        let home = Home::open(&options.home)?;
        let certificate = ClusterCertificate::default();
        let tls = server_tls(config, &home, &certificate).map_err(StartError::Tls)?;
        let listeners = Listeners::bind(config, profile, tls, options.demo)?;
        let runtime = build_runtime().map_err(StartError::Runtime)?;
        let started =
            runtime.spawn(boot::start(options.loaded, home, listeners, certificate, runtime.handle().clone())).await;
        match started {
            Ok(Ok(mut node)) => {
                node.runtime = Some(runtime);
                Ok(node)
            }
            Ok(Err(error)) => {
                runtime.shutdown_background();
                Err(error)
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(StartError::Aborted(error))
            }
        }
    }
}

/// Reads the certificate, or makes it at the first start. Each server adds the protocols that it speaks.
fn server_tls(config: &Config, home: &Home, certificate: &ClusterCertificate) -> Result<ServerTls, tls::TlsError> {
    let now = SystemClock.now();
    let identity = || tls::from_config(&config.tls, &home.security(), &config.server.hostname, now);
    let management = cluster_tls::server_config(identity()?, certificate, &[])?;
    Ok(ServerTls { management: Arc::new(management), gateway: Arc::new(tls::server_config(identity()?, &[])?) })
}

fn build_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("node")
        .enable_all()
        .build()
}
