//! `[tls]`: the certificate of the node's TLS listeners.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Certificate and key, both or neither. Without them a self-signed pair is made at the first start under
/// `HOME/security`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the chain, the server's own certificate first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key (PKCS #8, PKCS #1 or SEC 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// Only one of the two files is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("'tls.{missing}' is missing: set both 'certificate' and 'key', or neither")]
pub struct HalfAPair {
    pub missing: &'static str,
}

impl Tls {
    /// Certificate and key when they are configured.
    pub fn files(&self) -> Result<Option<(&Path, &Path)>, HalfAPair> {
        match (self.certificate.as_deref(), self.key.as_deref()) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(HalfAPair { missing: "key" }),
            (None, Some(_)) => Err(HalfAPair { missing: "certificate" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_without_the_other_is_an_error_that_names_the_missing_one() {
        let section: Tls = toml::from_str("certificate = \"a.crt\"").unwrap();
        assert_eq!(section.files(), Err(HalfAPair { missing: "key" }));
        let section: Tls = toml::from_str("certificate = \"a.crt\"\nkey = \"a.key\"").unwrap();
        assert_eq!(section.files(), Ok(Some((Path::new("a.crt"), Path::new("a.key")))));
        assert_eq!(Tls::default().files(), Ok(None));
    }
}
