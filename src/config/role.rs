//! The roles that a node can play.

use serde::{Deserialize, Serialize};

/// A part of the system that runs on its own or together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Publisher,
    Admin,
    Devportal,
    KeyManager,
    TrafficManager,
    EventHub,
    Gateway,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::Publisher,
        Self::Admin,
        Self::Devportal,
        Self::KeyManager,
        Self::TrafficManager,
        Self::EventHub,
        Self::Gateway,
    ];

    /// As in profile files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Admin => "admin",
            Self::Devportal => "devportal",
            Self::KeyManager => "key-manager",
            Self::TrafficManager => "traffic-manager",
            Self::EventHub => "event-hub",
            Self::Gateway => "gateway",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_print() {
        for role in Role::ALL {
            assert_eq!(toml::Value::try_from(role).unwrap().as_str(), Some(role.as_str()));
        }
    }
}
