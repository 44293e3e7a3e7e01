//! `gatewright throttle explain|simulate`: what is counted at present, and what a draft policy would have refused.

mod explain;
mod explained;
mod simulate;

use std::path::PathBuf;

use super::CommandError;
use crate::cli::{NodeArgs, ThrottleCommand};

/// Why a question about throttling has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("name what to explain: --key KEY, --subscription ID, or --application ID with --user USER")]
    NothingNamed,
    #[error(
        "a node of profile '{0}' has no database in which to look that up: run the command in the home of another node, or \
         use --key"
    )]
    NoDatabase(String),
    #[error(
        "this node is no member of a cluster yet, so nobody answers it: start it first, or run the command on a traffic \
         manager"
    )]
    NotAMember,
    #[error(
        "no traffic manager is known to ask: [cluster] traffic_managers names none, and this node's own port is not fixed"
    )]
    NobodyToAsk,
    #[error("'{key}' cannot be explained; is a traffic manager running? 'gatewright doctor' tells what is wrong")]
    Look {
        key: String,
        #[source]
        source: domain::contract::InspectError,
    },
    #[error(transparent)]
    Failure(#[from] domain::Failure),
    #[error("this node's credentials cannot be used")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database cannot be opened")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("'{}' cannot be read", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("'{}' is no policy that can be simulated: {reason}", path.display())]
    Policy { path: PathBuf, reason: String },
    #[error("the report cannot be written")]
    Report(#[source] std::io::Error),
}

pub fn execute(args: &NodeArgs, command: ThrottleCommand) -> Result<(), CommandError> {
    match command {
        ThrottleCommand::Explain(wanted) => explain::execute(args, &wanted),
        ThrottleCommand::Simulate(wanted) => Ok(simulate::execute(&wanted)?),
    }
}
