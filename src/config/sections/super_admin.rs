//! `[super_admin]`: the first administrator.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret_text::SecretText;

/// The user that is made at the first start with every built-in role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuperAdmin {
    pub username: String,
    /// Taken at the first start only: later the password is changed in the product. Better set through the environment
    /// variable `GATEWRIGHT__SUPER_ADMIN__PASSWORD` or through `password_file`. When unset: `admin`, with which only an
    /// all-in-one node that is bound to loopback serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// File that holds the password (a trailing line break does not belong to it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

impl Default for SuperAdmin {
    fn default() -> Self {
        Self { username: "admin".to_owned(), password: None, password_file: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_read_and_never_printed() {
        let section: SuperAdmin = toml::from_str("password = \"hunter2\"").unwrap();
        assert_eq!(section.password, Some(SecretText::new("hunter2")));
        let text = format!("{section:?} {}", toml::to_string(&section).unwrap());
        assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
    }
}
