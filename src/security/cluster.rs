//! The keys of a cluster, kept by its traffic managers: the authority that signs nodes' certificates, and the root keys
//! that sign node tokens.
//!
//! Every traffic manager has a copy of the same folder (`HOME/security/cluster`): `ca.key`, `ca.crt`, `root-N.key`. The
//! root key with the highest number signs; tokens of the others stay good until their numbers are retired.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Secret, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::cluster_tls::{Fingerprint, role_host};
use crate::node_token::{ClusterRoot, NodeTokenError};
use crate::private_file::{self, KeyFileError};
use crate::tls::{self, TlsError};

/// Life of the authority's own certificate.
const CA_LIFETIME: Duration = Duration::from_secs(20 * 365 * 86_400);

/// The cluster's keys cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterKeysError {
    #[error("a key file of the cluster cannot be read or made")]
    File(#[from] KeyFileError),
    #[error("'{}' cannot be listed or changed", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the cluster's authority is not valid")]
    InvalidAuthority(#[source] Option<rcgen::Error>),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Root(#[from] NodeTokenError),
    #[error("a node's certificate request is not valid")]
    InvalidRequest(#[source] rcgen::Error),
    #[error("a node's certificate cannot be signed")]
    Sign(#[source] rcgen::Error),
}

/// The authority and the root keys.
pub struct ClusterKeys {
    ca_key: KeyPair,
    ca_pem: String,
    fingerprint: Fingerprint,
    /// By id; never empty.
    roots: Vec<ClusterRoot>,
}

impl std::fmt::Debug for ClusterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterKeys").field("fingerprint", &self.fingerprint).field("roots", &self.roots).finish()
    }
}

impl ClusterKeys {
    /// Reads the folder, and makes what is missing.
    pub fn load_or_create(folder: &Path, now: Timestamp) -> Result<Self, ClusterKeysError> {
        if let Some(keys) = Self::load(folder)? {
            return Ok(keys);
        }
        let key = Secret::new(tls::new_key_pem()?);
        let key = Secret::new(private_file::create(&folder.join("ca.key"), key.expose().as_bytes())?);
        let certificate = ca_params(now).self_signed(&key_pair(key.expose())?);
        let certificate = certificate.map_err(|error| ClusterKeysError::InvalidAuthority(Some(error)))?;
        private_file::create_public(&folder.join("ca.crt"), certificate.pem().as_bytes())?;
        ClusterRoot::load_or_create(&root_file(folder, 1), 1)?;
        Self::load(folder)?.ok_or(ClusterKeysError::InvalidAuthority(None))
    }

    /// Reads the folder; `None` when it is not there or not complete.
    pub fn load(folder: &Path) -> Result<Option<Self>, ClusterKeysError> {
        let (Some(key), Some(pem)) =
            (private_file::find(&folder.join("ca.key"))?, private_file::find(&folder.join("ca.crt"))?)
        else {
            return Ok(None);
        };
        let ca_key = key_pair(Secret::new(key).expose())?;
        let ca_pem = String::from_utf8(pem).map_err(|_| ClusterKeysError::InvalidAuthority(None))?;
        let certificate =
            CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(|_| ClusterKeysError::InvalidAuthority(None))?;
        let fingerprint = Fingerprint::of(&certificate);
        let roots = load_roots(folder)?;
        Ok((!roots.is_empty()).then_some(Self { ca_key, ca_pem, fingerprint, roots }))
    }

    /// Adds a root key that signs from now on, and returns its id.
    pub fn add_root(folder: &Path) -> Result<u32, ClusterKeysError> {
        let next = load_roots(folder)?.last().map_or(1, |root| root.id().saturating_add(1));
        Ok(ClusterRoot::load_or_create(&root_file(folder, next), next)?.id())
    }

    /// Removes the private half; nothing when it is not there.
    pub fn remove_root(folder: &Path, id: u32) -> Result<(), ClusterKeysError> {
        let path = root_file(folder, id);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ClusterKeysError::Folder { path, source })
            }
            _ => Ok(()),
        }
    }

    /// By which nodes recognise the cluster's certificates.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// By id.
    #[must_use]
    pub fn roots(&self) -> &[ClusterRoot] {
        &self.roots
    }

    /// The root key that signs.
    pub fn root(&self) -> Result<&ClusterRoot, ClusterKeysError> {
        self.roots.last().ok_or(ClusterKeysError::InvalidAuthority(None))
    }

    /// Signs a certificate for the key of the request (PEM, PKCS #10), good for the node's roles; names in the request
    /// are ignored. Returns the chain in PEM, the authority's own certificate last.
    pub fn sign(
        &self,
        request: &str,
        roles: &[String],
        ttl: Duration,
        now: Timestamp,
    ) -> Result<String, ClusterKeysError> {
        let request = CertificateSigningRequestParams::from_pem(request).map_err(ClusterKeysError::InvalidRequest)?;
        let names: Vec<String> = roles.iter().map(|role| role_host(role)).collect();
        let mut params = CertificateParams::new(names).map_err(ClusterKeysError::Sign)?;
        params.distinguished_name.push(DnType::CommonName, "Gatewright node");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_validity(&mut params, ttl, now);
        let issuer = Issuer::new(ca_params(now), &self.ca_key);
        let certificate = params.signed_by(&request.public_key, &issuer).map_err(ClusterKeysError::Sign)?;
        Ok(format!("{}{}", certificate.pem(), self.ca_pem))
    }
}

fn key_pair(pem: &[u8]) -> Result<KeyPair, ClusterKeysError> {
    let text = std::str::from_utf8(pem).map_err(|_| ClusterKeysError::InvalidAuthority(None))?;
    KeyPair::from_pem(text).map_err(|error| ClusterKeysError::InvalidAuthority(Some(error)))
}

fn ca_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Gatewright cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    set_validity(&mut params, CA_LIFETIME, now);
    params
}

/// From a day back, for machines whose clock lags, to the end of the last day.
fn set_validity(params: &mut CertificateParams, lifetime: Duration, now: Timestamp) {
    let (year, month, day) = tls::date(Timestamp::from_millis(now.as_millis().saturating_sub(86_400_000)));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = tls::date(now.plus(lifetime).plus(Duration::from_secs(86_400)));
    params.not_after = rcgen::date_time_ymd(year, month, day);
}

fn root_file(folder: &Path, id: u32) -> PathBuf {
    folder.join(format!("root-{id}.key"))
}

fn load_roots(folder: &Path) -> Result<Vec<ClusterRoot>, ClusterKeysError> {
    let failed = |source| ClusterKeysError::Folder { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut roots = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix("root-")?.strip_suffix(".key")?.parse().ok());
        if let Some(id) = id {
            roots.push(ClusterRoot::load_or_create(&root_file(folder, id), id)?);
        }
    }
    roots.sort_by_key(ClusterRoot::id);
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    #[test]
    fn the_folder_gives_the_same_keys_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("cluster");
        assert!(ClusterKeys::load(&folder).unwrap().is_none());
        let first = ClusterKeys::load_or_create(&folder, NOW).unwrap();
        let second = ClusterKeys::load_or_create(&folder, NOW).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_eq!(first.root().unwrap().public_hex(), second.root().unwrap().public_hex());
    }

    #[test]
    fn an_added_root_key_signs_and_the_old_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        ClusterKeys::load_or_create(folder.path(), NOW).unwrap();
        assert_eq!(ClusterKeys::add_root(folder.path()).unwrap(), 2);
        let keys = ClusterKeys::load(folder.path()).unwrap().unwrap();
        let ids: Vec<u32> = keys.roots().iter().map(ClusterRoot::id).collect();
        assert_eq!((ids, keys.root().unwrap().id()), (vec![1, 2], 2));
    }

    #[test]
    fn a_request_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let keys = ClusterKeys::load_or_create(folder.path(), NOW).unwrap();
        let refused = keys.sign("no request", &["gateway".to_owned()], Duration::from_secs(1), NOW);
        assert!(matches!(refused, Err(ClusterKeysError::InvalidRequest(_))));
    }
}
