//! `gatewright token mint`: a token by which a new node joins the cluster.

use domain::{Clock, SystemClock};
use security::cluster::ClusterKeys;
use security::enrolment::Enrolment;

use super::cluster::{Refusal, folder};
use super::{CommandError, load};
use crate::cli::{NodeArgs, TokenCommand};

pub fn execute(args: &NodeArgs, command: TokenCommand) -> Result<(), CommandError> {
    load(args)?;
    let TokenCommand::Mint { roles, node_id, ttl } = command;
    let folder = folder(args);
    let keys = ClusterKeys::load(&folder)?.ok_or(Refusal::NoKeys(folder))?;
    let token = keys.root()?.mint_enrolment(&roles, node_id.as_deref(), ttl.get(), SystemClock.now())?;
    println!("{}", Enrolment { authority: *keys.fingerprint(), token }.to_text().expose());
    Ok(())
}
