//! A secret in the configuration.

use domain::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// A password or token; it never prints.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(Secret<String>);

impl SecretText {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text.into()))
    }

    #[must_use]
    pub fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(other.0.expose().as_bytes())
    }
}

impl Eq for SecretText {}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}
