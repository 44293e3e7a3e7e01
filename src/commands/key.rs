//! `gatewright key rotate`: publishes a new token-signing key, beside running nodes or without one.

use std::sync::Arc;

use config::Loaded;
use domain::{Clock, Organization, SystemClock};
use key_manager::{CreateError, Signing, Successor};
use store::ApimDb;
use tokio::runtime::Handle;

use super::place::Place;
use super::{CommandError, load};
use crate::cli::{KeyCommand, NodeArgs};
use crate::roles::key_manager::{issuer, secrets};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// There is nothing to rotate.
#[derive(Debug, thiserror::Error)]
#[error("tenant '{0}' does not exist, or no node has made its first key yet")]
struct NoKey(String);

pub fn execute(args: &NodeArgs, command: KeyCommand) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let KeyCommand::Rotate { tenant } = command;
    let place = Place::of(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let signing = signing(&loaded, &place, runtime.handle()).map_err(CommandError::Key)?;
    let rotated = runtime.block_on(signing.rotate(&Organization::from_trusted(tenant.clone())));
    let Successor { kid, algorithm, use_from } = rotated.map_err(|error| match error {
        CreateError::NoSigningKey => CommandError::Key(Box::new(NoKey(tenant.clone()))),
        other => CommandError::Key(Box::new(other)),
    })?;
    println!("tenant {tenant}: key {kid} ({algorithm}) is published and signs from {use_from} on");
    Ok(())
}

fn signing(loaded: &Loaded, place: &Place, runtime: &Handle) -> Result<Signing, Cause> {
    let config = &loaded.config;
    let apim: ApimDb = place.open(&config.database.apim_db, runtime)?;
    let key =
        secrets::key_encryption_key(&config.oauth, &place.path().join("security"), loaded.key_encryption_key.clone())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Signing::new(apim, Arc::new(key), config.oauth.clone(), issuer(config), clock))
}
