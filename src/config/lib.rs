//! Typed configuration: one struct per section, one file per struct.
//!
//! Invariants: no state, no I/O beyond reading the files named to [`loader`]; unknown keys are errors; every error is
//! reported, not the first one; secrets never print. Precedence: defaults < profile < file < environment < flags.
//! Entry points: [`loader::load`], [`Config`], [`profile::Profile`].

pub mod error;
pub mod human;
mod keys;
mod layer;
pub mod loader;
pub mod profile;
#[cfg(test)]
mod reference;
pub mod role;
pub mod secret_text;
pub mod sections;

use serde::{Deserialize, Serialize};

pub use error::{ConfigError, ConfigErrors};
pub use loader::{Loaded, Sources, load};
pub use profile::Profile;
pub use role::Role;

/// The whole configuration of a node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: sections::server::Server,
    pub database: sections::database::Database,
    pub super_admin: sections::super_admin::SuperAdmin,
    pub tls: sections::tls::Tls,
    pub cluster: sections::cluster::Cluster,
    pub control_plane: sections::control_plane::ControlPlane,
    pub oauth: sections::oauth::Oauth,
    pub gateway: sections::gateway::Gateway,
    pub event_hub: sections::event_hub::EventHub,
    pub throttling: sections::throttling::Throttling,
    pub log: sections::log::Log,
    pub fetch: sections::fetch::Fetch,
}
