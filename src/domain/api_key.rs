//! API keys: opaque credentials of an application, known here by their hash only.

mod referer;

use serde::{Deserialize, Serialize};

use crate::application::KeyType;
use crate::network::IpNetwork;
use crate::{ApiKeyId, ApplicationId, Organization, Timestamp};
pub use referer::{InvalidReferer, RefererPattern};

/// Most entries of one restriction.
pub const RESTRICTIONS_MAX: usize = 100;

/// A key that lets its holder call the APIs to which the application is subscribed (WSO2 `APIKey`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization: Organization,
    pub application_id: ApplicationId,
    pub key_type: KeyType,
    pub name: String,
    /// SHA-256 (hex) of the key. The key has 256 random bits, so that nobody finds it by its hash.
    pub hash: String,
    /// `user@tenant` of whoever made the key; its calls count as that user's.
    pub user: String,
    pub restrictions: KeyRestrictions,
    pub created_at: Timestamp,
    /// `None` never expires.
    pub expires_at: Option<Timestamp>,
}

/// From where a key may be used; empty lists restrict nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRestrictions {
    /// Addresses and networks, see [`IpNetwork`].
    pub permitted_ips: Vec<String>,
    /// See [`RefererPattern`].
    pub permitted_referers: Vec<String>,
}

/// A restriction that cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRestriction {
    #[error("permittedIP: {0}")]
    Ip(#[from] crate::network::InvalidNetwork),
    #[error("permittedReferer: {0}")]
    Referer(#[from] InvalidReferer),
    #[error("{0} has more than {RESTRICTIONS_MAX} entries")]
    TooMany(&'static str),
}

impl KeyRestrictions {
    /// Reads the wire's comma lists.
    ///
    /// # Errors
    /// When an entry is no address, network or referer.
    pub fn parse(permitted_ips: &str, permitted_referers: &str) -> Result<Self, InvalidRestriction> {
        let entries = |name, list: &str| {
            let entries: Vec<String> =
                list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect();
            if entries.len() > RESTRICTIONS_MAX { Err(InvalidRestriction::TooMany(name)) } else { Ok(entries) }
        };
        let own = Self {
            permitted_ips: entries("permittedIP", permitted_ips)?,
            permitted_referers: entries("permittedReferer", permitted_referers)?,
        };
        own.networks()?;
        own.referers()?;
        Ok(own)
    }

    /// # Errors
    /// When an entry cannot be read: then the key must not be taken.
    pub fn networks(&self) -> Result<Vec<IpNetwork>, InvalidRestriction> {
        Ok(self.permitted_ips.iter().map(|text| IpNetwork::parse(text)).collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// When an entry cannot be read: then the key must not be taken.
    pub fn referers(&self) -> Result<Vec<RefererPattern>, InvalidRestriction> {
        Ok(self.permitted_referers.iter().map(|text| RefererPattern::parse(text)).collect::<Result<_, _>>()?)
    }
}

impl ApiKey {
    /// Seconds from its making to its end; -1 never ends.
    #[must_use]
    pub fn validity_secs(&self) -> i64 {
        self.expires_at.map_or(-1, |end| end.as_secs().saturating_sub(self.created_at.as_secs()))
    }

    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restrictions_are_comma_lists_and_a_bad_entry_is_named() {
        let own = KeyRestrictions::parse("10.0.0.1, 10.1.0.0/16,2001:db8::/32", " shop.example.com/* ").unwrap();
        assert_eq!(
            (own.permitted_ips.len(), own.permitted_referers.as_slice()),
            (3, &["shop.example.com/*".to_owned()][..])
        );
        assert_eq!(KeyRestrictions::parse("", " ").unwrap(), KeyRestrictions::default());
        for (ips, referers, named) in [("10.0.0", "", "permittedIP"), ("", "a b", "permittedReferer")] {
            let error = KeyRestrictions::parse(ips, referers).unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
        assert!(KeyRestrictions::parse(&"10.0.0.1,".repeat(101), "").is_err());
    }
}
