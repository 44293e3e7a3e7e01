//! The commands of the program, one file each.

mod check;
pub(crate) mod cluster;
mod doctor;
mod healthcheck;
mod key;
mod migrate;
mod place;
mod run;
mod seed;
mod tenant;
mod throttle;
mod token;

use config::{ConfigErrors, Loaded};

use crate::cli::{Cli, Command, NodeArgs};
use crate::home::HomeError;
use crate::node::StartError;

/// Why a command failed; the message is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(transparent)]
    Log(#[from] telemetry::subscriber::LogError),
    #[error("the node cannot start")]
    Start(#[from] StartError),
    #[error("the home folder cannot be used")]
    Home(#[from] HomeError),
    #[error("{database} cannot be migrated")]
    Migrate {
        database: &'static str,
        #[source]
        source: store::migrate::MigrateError,
    },
    #[error("the tenant cannot be made")]
    Tenant(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the signing key cannot be rotated")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the databases cannot be seeded")]
    Seed(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the node token cannot be made")]
    Token(#[from] security::node_token::NodeTokenError),
    #[error("the cluster's keys cannot be used")]
    ClusterKeys(#[from] security::cluster::ClusterKeysError),
    #[error(transparent)]
    Cluster(#[from] cluster::Refusal),
    #[error("the database cannot be used")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Throttle(#[from] throttle::Refusal),
    #[error("checks that failed: {0}")]
    Ill(usize),
    #[error("the node is not ready: {0}")]
    NotReady(String),
    #[error("the node cannot be asked")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the service manager's NOTIFY_SOCKET cannot be used")]
    Supervisor(#[source] std::io::Error),
    #[error("the process cannot listen to signals or start its runtime")]
    Runtime(#[source] std::io::Error),
}

/// Runs what the command line asks for.
///
/// # Errors
/// When it cannot be done.
pub fn execute(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        None => run::execute(&cli.node),
        Some(Command::Check) => check::execute(&cli.node),
        Some(Command::Migrate { dry_run }) => migrate::execute(&cli.node, dry_run),
        Some(Command::Doctor) => doctor::execute(&cli.node),
        Some(Command::Healthcheck) => healthcheck::execute(&cli.node),
        Some(Command::Key(command)) => key::execute(&cli.node, command),
        Some(Command::Tenant(command)) => tenant::execute(&cli.node, command),
        Some(Command::Throttle(command)) => throttle::execute(&cli.node, command),
        Some(Command::Seed(wanted)) => seed::execute(&cli.node, &wanted),
        Some(Command::Token(command)) => token::execute(&cli.node, command),
        Some(Command::Cluster(command)) => cluster::execute(&cli.node, command),
    }
}

/// The configuration, with the checks that need more than its own room.
fn load(args: &NodeArgs) -> Result<Loaded, CommandError> {
    let loaded = config::load(&args.sources())?;
    telemetry::subscriber::check_filter(&loaded.config.log.level)?;
    Ok(loaded)
}
