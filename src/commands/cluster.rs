//! `gatewright cluster init|rotate-root|retire-root`: the keys that the traffic managers of a cluster share.

use std::path::PathBuf;

use domain::{Clock, SystemClock};
use security::cluster::ClusterKeys;
use store::apim::cluster_roots;

use super::place::Place;
use super::{CommandError, load};
use crate::cli::{ClusterCommand, NodeArgs};
use crate::home::cluster_folder;

/// What stops the command before anything is written.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there are no cluster keys in '{}': run 'gatewright cluster init' on one traffic manager, and copy the folder \
             to the others", .0.display())]
    NoKeys(PathBuf),
    #[error(
        "root key {0} signs at the moment: run 'gatewright cluster rotate-root' first, and wait until all nodes have \
             renewed their tokens"
    )]
    Signs(u32),
    #[error("there is no root key {0}")]
    UnknownRoot(u32),
}

pub fn execute(args: &NodeArgs, command: ClusterCommand) -> Result<(), CommandError> {
    let folder = folder(args);
    match command {
        ClusterCommand::Init => {
            let keys = ClusterKeys::load_or_create(&folder, SystemClock.now())?;
            println!("the cluster's keys are in {}", folder.display());
            println!("  authority  {}", keys.fingerprint());
            println!("  root key   {}", keys.root()?.id());
            println!("Copy the folder to every traffic manager, and to no other node.");
            Ok(())
        }
        ClusterCommand::RotateRoot => {
            ClusterKeys::load(&folder)?.ok_or_else(|| Refusal::NoKeys(folder.clone()))?;
            let id = ClusterKeys::add_root(&folder)?;
            println!("root key {id} signs node tokens from now on; copy root-{id}.key to the other traffic managers");
            Ok(())
        }
        ClusterCommand::RetireRoot { id } => retire(args, &folder, id),
    }
}

/// Where the keys are.
pub(super) fn folder(args: &NodeArgs) -> PathBuf {
    cluster_folder(&args.home.join("security"))
}

fn retire(args: &NodeArgs, folder: &std::path::Path, id: u32) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let keys = ClusterKeys::load(folder)?.ok_or_else(|| Refusal::NoKeys(folder.to_owned()))?;
    if keys.root()?.id() == id {
        return Err(Refusal::Signs(id).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let place = Place::of(args)?;
    let apim = place.open::<store::Apim>(&loaded.config.database.apim_db, runtime.handle());
    let apim = apim.map_err(|error| CommandError::Database(error.into()))?;
    let failed = |error: store::StoreError| CommandError::Database(Box::new(error));
    let now = SystemClock.now();
    let retired = runtime.block_on(apim.write(move |conn| cluster_roots::retire(conn, id, now))).map_err(failed)?;
    ClusterKeys::remove_root(folder, id)?;
    if !retired {
        return Err(Refusal::UnknownRoot(id).into());
    }
    println!("node tokens under root key {id} are refused within half a minute");
    Ok(())
}
