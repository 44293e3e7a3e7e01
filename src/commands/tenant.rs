//! `gatewright tenant add`: makes a tenant, beside a running node or without one.

use std::path::PathBuf;
use std::sync::Arc;

use config::Loaded;
use control_plane::tenants::{NewTenant, TenantMaker};
use domain::{Clock, Secret, SystemClock};
use key_manager::Signing;
use security::password::PasswordGate;
use tokio::runtime::Handle;

use super::place::Place;
use super::{CommandError, load};
use crate::cli::{NodeArgs, TenantCommand};
use crate::roles::key_manager::{issuer, secrets};

/// Environment variable with the administrator's password when no file is named.
const PASSWORD_VARIABLE: &str = "GATEWRIGHT_TENANT_ADMIN_PASSWORD";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What stops the command before anything is written.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("name a --password-file, or set {PASSWORD_VARIABLE}")]
    NoPassword,
    #[error("'{}' (--password-file) cannot be read", path.display())]
    PasswordFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

pub fn execute(args: &NodeArgs, command: TenantCommand) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let TenantCommand::Add { domain, admin, password_file } = command;
    let place = Place::of(args)?;
    let new = password(password_file).map(|password| NewTenant { domain, administrator: admin, password });
    let new = new.map_err(|error| CommandError::Tenant(Box::new(error)))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let maker = maker(&loaded, &place, runtime.handle()).map_err(CommandError::Tenant)?;
    let tenant = runtime.block_on(maker.create(new)).map_err(|error| CommandError::Tenant(Box::new(error)))?;
    println!("tenant {} ({}) is active", tenant.organization, tenant.tenant_id);
    Ok(())
}

fn password(file: Option<PathBuf>) -> Result<Secret<String>, Refusal> {
    let Some(path) = file else {
        return std::env::var(PASSWORD_VARIABLE).map(Secret::new).map_err(|_| Refusal::NoPassword);
    };
    let content = std::fs::read_to_string(&path).map_err(|source| Refusal::PasswordFile { path, source })?;
    let content = Secret::new(content);
    Ok(Secret::new(content.expose().trim_end_matches(['\r', '\n']).to_owned()))
}

fn maker(loaded: &Loaded, place: &Place, runtime: &Handle) -> Result<TenantMaker, Cause> {
    let config = &loaded.config;
    let apim = place.open::<store::Apim>(&config.database.apim_db, runtime)?;
    let shared = place.open::<store::Shared>(&config.database.shared_db, runtime)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key =
        secrets::key_encryption_key(&config.oauth, &place.path().join("security"), loaded.key_encryption_key.clone())?;
    let signing = Signing::new(apim.clone(), Arc::new(key), config.oauth.clone(), issuer(config), Arc::clone(&clock));
    let passwords = PasswordGate::new(runtime.clone(), 1, 1)?;
    Ok(TenantMaker { apim, shared, keys: Arc::new(signing), passwords, clock })
}
