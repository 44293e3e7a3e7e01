//! `gatewright token mint`: a token by which a new node enrols.

use domain::{Clock, SystemClock};
use security::node_token::ClusterRoot;

use super::{CommandError, load};
use crate::cli::{NodeArgs, TokenCommand};
use crate::home::cluster_root_file;

pub fn execute(args: &NodeArgs, command: TokenCommand) -> Result<(), CommandError> {
    load(args)?;
    let TokenCommand::Mint { role, node_id, ttl } = command;
    let root = ClusterRoot::load_or_create(&cluster_root_file(&args.home))?;
    println!("{}", root.mint(&role, &node_id, ttl.get(), SystemClock.now())?.expose());
    Ok(())
}
