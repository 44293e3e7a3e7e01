//! How a node becomes a member of a cluster: the text that an operator hands over, the node's own key, and what it gets.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use domain::{Secret, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};

use crate::cluster_tls::Fingerprint;
use crate::private_file::{self, KeyFileError};
use crate::tls::{self, Identity, TlsError};

/// First word of an enrolment text, and the version of its form.
const PREFIX: &str = "gwe1";

/// What `gatewright token mint` prints: the cluster's fingerprint and an enrolment token.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pub authority: Fingerprint,
    pub token: Secret<String>,
}

/// The text is no enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not what 'gatewright token mint' prints: it starts with '{PREFIX}.'")]
pub struct InvalidEnrolment;

impl Enrolment {
    pub fn parse(text: &Secret<String>) -> Result<Self, InvalidEnrolment> {
        let mut parts = text.expose().trim().split('.');
        let (Some(PREFIX), Some(authority), Some(token), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidEnrolment);
        };
        let authority = Fingerprint::parse(authority).ok_or(InvalidEnrolment)?;
        Ok(Self { authority, token: Secret::new(token.to_owned()) })
    }

    /// The text; a secret.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}.{}.{}", self.authority, self.token.expose()))
    }
}

/// A node's private key; it never leaves the node.
pub struct NodeKey {
    pem: Secret<String>,
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey")
    }
}

impl NodeKey {
    pub fn generate() -> Result<Self, TlsError> {
        Ok(Self { pem: Secret::new(tls::new_key_pem()?) })
    }

    #[must_use]
    pub fn pem(&self) -> &Secret<String> {
        &self.pem
    }

    /// A certificate request (PEM, PKCS #10) that proves that the node has the key; it asks for no names.
    pub fn request(&self) -> Result<String, TlsError> {
        let key = KeyPair::from_pem(self.pem.expose()).map_err(TlsError::SelfSign)?;
        let request = CertificateParams::default().serialize_request(&key).map_err(TlsError::SelfSign)?;
        request.pem().map_err(TlsError::SelfSign)
    }
}

/// What a member holds.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub node_id: String,
    pub authority: Fingerprint,
    pub token: Secret<String>,
    /// PEM, the authority's certificate last.
    pub chain: String,
    pub key: Secret<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredCredentials {
    node_id: String,
    authority: String,
    token: String,
    chain: String,
    key: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Stored credentials cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("the node's credentials cannot be read or written")]
    File(#[from] KeyFileError),
    #[error("the node's credentials are damaged: remove the file and start the node with a new token")]
    Damaged,
}

impl Credentials {
    /// Reads what [`Credentials::store`] wrote, if it did.
    pub fn load(path: &Path) -> Result<Option<Self>, CredentialsError> {
        let Some(content) = private_file::find(path)? else { return Ok(None) };
        let content = Secret::new(content);
        let stored: StoredCredentials =
            serde_json::from_slice(content.expose()).map_err(|_| CredentialsError::Damaged)?;
        let StoredCredentials { node_id, authority, token, chain, key, issued_at, expires_at } = stored;
        let authority = Fingerprint::parse(&authority).ok_or(CredentialsError::Damaged)?;
        let (token, key) = (Secret::new(token), Secret::new(key));
        Ok(Some(Self { node_id, authority, token, chain, key, issued_at, expires_at }))
    }

    /// In a file of mode 0600, replaced in one step.
    pub fn store(&self, path: &Path) -> Result<(), CredentialsError> {
        let stored = StoredCredentials {
            node_id: self.node_id.clone(),
            authority: self.authority.to_string(),
            token: self.token.expose().clone(),
            chain: self.chain.clone(),
            key: self.key.expose().clone(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        };
        let text = Secret::new(serde_json::to_string(&stored).map_err(|_| CredentialsError::Damaged)?);
        Ok(private_file::replace(path, text.expose().as_bytes())?)
    }

    /// The certificate that other nodes see.
    pub fn identity(&self) -> Result<Identity, TlsError> {
        Identity::from_pem(&self.chain, &self.key)
    }

    /// Whether two thirds of the life are over.
    #[must_use]
    pub fn wants_renewal(&self, now: Timestamp) -> bool {
        self.renewal_in(now).is_zero()
    }

    /// When two thirds of the life are over.
    #[must_use]
    pub fn renewal_at(&self) -> Timestamp {
        self.issued_at.plus(self.expires_at.since(self.issued_at) / 3 * 2)
    }

    /// Time until then.
    #[must_use]
    pub fn renewal_in(&self, now: Timestamp) -> Duration {
        self.renewal_at().since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_as_it_was_written() {
        let authority = Fingerprint::parse(&"ab".repeat(32)).unwrap();
        let text = Enrolment { authority, token: Secret::new("En0-_=".to_owned()) }.to_text();
        let read = Enrolment::parse(&Secret::new(format!("{}\n", text.expose()))).unwrap();
        assert_eq!((read.authority, read.token.expose().as_str()), (authority, "En0-_="));
        for wrong in ["", "gwe1", "gwe1.ab.x", "En0-_=", "gwe2.x.y"] {
            assert_eq!(Enrolment::parse(&Secret::new(wrong.to_owned())).unwrap_err(), InvalidEnrolment);
        }
    }

    #[test]
    fn credentials_survive_a_restart_and_are_renewed_at_two_thirds_of_their_life() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.json");
        assert!(Credentials::load(&path).unwrap().is_none());
        let credentials = Credentials {
            node_id: "gw".to_owned(),
            authority: Fingerprint::parse(&"ab".repeat(32)).unwrap(),
            token: Secret::new("token".to_owned()),
            chain: "chain".to_owned(),
            key: Secret::new("key".to_owned()),
            issued_at: Timestamp::from_secs(0),
            expires_at: Timestamp::from_secs(300),
        };
        credentials.store(&path).unwrap();
        let read = Credentials::load(&path).unwrap().unwrap();
        assert_eq!((read.node_id.as_str(), read.token.expose().as_str()), ("gw", "token"));
        assert!(!read.wants_renewal(Timestamp::from_secs(199)) && read.wants_renewal(Timestamp::from_secs(200)));
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(Credentials::load(&path), Err(CredentialsError::Damaged)));
    }
}
