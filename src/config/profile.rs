//! Profiles: named sets of roles with the settings that go with them.

use std::path::Path;

use serde::Deserialize;
use toml::de::DeTable;

use crate::error::{ConfigError, Origin, nearest};
use crate::layer::{self, Leaf};
use crate::loader::read_if_there;
use crate::role::Role;

/// Profiles that are part of the binary.
const BUILT_IN: [(&str, &str); 6] = [
    ("all-in-one", include_str!("../../profiles/all-in-one.toml")),
    ("publisher", include_str!("../../profiles/publisher.toml")),
    ("devportal", include_str!("../../profiles/devportal.toml")),
    ("key-manager", include_str!("../../profiles/key-manager.toml")),
    ("traffic-manager", include_str!("../../profiles/traffic-manager.toml")),
    ("gateway", include_str!("../../profiles/gateway.toml")),
];

/// A named set of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub roles: Vec<Role>,
}

impl Profile {
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    #[must_use]
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    /// Only a gateway does without databases.
    #[must_use]
    pub fn needs_databases(&self) -> bool {
        self.roles.iter().any(|role| *role != Role::Gateway)
    }

    /// `HOME/profiles/NAME.toml` when it exists, else the built-in one, with the settings it makes.
    pub(crate) fn find(name: &str, home: &Path, errors: &mut Vec<ConfigError>) -> Option<(Self, Vec<Leaf>)> {
        let origin = || Origin::new(format!("profile {name}"));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            errors.push(ConfigError::new(origin(), "", "the name of a profile has letters, digits and hyphens only"));
            return None;
        }
        let file = home.join("profiles").join(format!("{name}.toml"));
        let errors_before = errors.len();
        if let Some(text) = read_if_there(&file, false, errors) {
            return Self::read(name, &file.display().to_string(), &text, errors);
        }
        if errors.len() > errors_before {
            return None;
        }
        if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Self::read(name, &format!("profile {name}"), text, errors);
        }
        let names = BUILT_IN.map(|(built_in, _)| built_in);
        let error = ConfigError::new(origin(), "", "there is no such profile");
        errors.push(ConfigError { nearest: nearest(name, &names).map(str::to_owned), ..error });
        None
    }

    fn read(name: &str, source: &str, text: &str, errors: &mut Vec<ConfigError>) -> Option<(Self, Vec<Leaf>)> {
        let roles = match read_roles(text) {
            Ok(roles) => Some(roles),
            Err(reason) => {
                errors.push(ConfigError::new(Origin::new(source), "roles", reason));
                None
            }
        };
        let leaves = layer::from_profile(source, text, errors);
        roles.map(|roles| (Self { name: name.to_owned(), roles }, leaves))
    }
}

fn read_roles(text: &str) -> Result<Vec<Role>, String> {
    #[derive(Deserialize)]
    struct Roles {
        roles: Vec<Role>,
    }

    // Syntax errors are reported by the walk over the settings.
    if DeTable::parse(text).is_err() {
        return Ok(Vec::new());
    }
    let Roles { mut roles } = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Err("a profile needs at least one role".to_owned());
    }
    Ok(roles)
}
