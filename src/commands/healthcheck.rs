//! `gatewright healthcheck`: asks the node on this machine whether it is ready, for containers and supervisors.

use super::{CommandError, load};
use crate::cli::NodeArgs;
use crate::own_health;

pub fn execute(args: &NodeArgs) -> Result<(), CommandError> {
    let config = load(args)?.config;
    let health = own_health::ask(&config, &args.home).map_err(CommandError::Unreachable)?;
    if !health.is_ready {
        return Err(CommandError::NotReady(health.body));
    }
    println!("{}", health.body);
    Ok(())
}
