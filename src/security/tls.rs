//! The server's certificate and its rustls configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Datelike;
use domain::{Secret, Timestamp};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WantsServerCert;
use rustls::sign::CertifiedKey;
use rustls::{ConfigBuilder, ServerConfig};

use crate::private_file;
pub use crate::private_file::KeyFileError;

/// Life of a self-signed certificate.
const SELF_SIGNED_LIFETIME: Duration = Duration::from_secs(3650 * 86_400);

/// The certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Config(#[from] config::sections::tls::HalfAPair),
    #[error("a TLS file cannot be read or made")]
    File(#[from] KeyFileError),
    #[error("'{0}' cannot stand in a certificate")]
    InvalidHostname(String),
    #[error("a self-signed certificate cannot be made")]
    SelfSign(#[source] rcgen::Error),
    #[error("{} holds no PEM {what}", path.display())]
    InvalidPem { path: PathBuf, what: &'static str },
    #[error("certificate and key do not work together")]
    Refused(#[source] rustls::Error),
}

/// A certificate chain with its key.
#[derive(Debug)]
pub struct Identity {
    /// The server's own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads a chain and its key from PEM text.
    pub(crate) fn from_pem(chain: &str, key: &Secret<String>) -> Result<Self, TlsError> {
        let invalid = |what| TlsError::InvalidPem { path: PathBuf::from("node credentials"), what };
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| invalid("certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| invalid("private key"))?;
        if chain.is_empty() {
            return Err(invalid("certificate"));
        }
        Ok(Self { chain, key })
    }

    /// In the form that TLS servers choose from.
    pub(crate) fn into_certified_key(self) -> Result<CertifiedKey, TlsError> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        CertifiedKey::from_der(self.chain, self.key, &provider).map_err(TlsError::Refused)
    }
}

/// The identity that `[tls]` names, else the self-signed one under `folder` (see [`load_or_create`]).
pub fn from_config(
    section: &config::sections::tls::Tls,
    folder: &Path,
    hostname: &str,
    now: Timestamp,
) -> Result<Identity, TlsError> {
    match section.files()? {
        Some((certificate, key)) => load(certificate, key),
        None => load_or_create(folder, hostname, now),
    }
}

/// Reads `certificate` (PEM chain) and `key` (PEM, PKCS #8, PKCS #1 or SEC 1).
pub fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
    let invalid = |path: &Path, what| TlsError::InvalidPem { path: path.to_owned(), what };
    let chain = CertificateDer::pem_slice_iter(&private_file::read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| invalid(certificate, "certificate"))?;
    if chain.is_empty() {
        return Err(invalid(certificate, "certificate"));
    }
    let pem = Secret::new(private_file::read(key)?);
    let key = PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|_| invalid(key, "private key"))?;
    Ok(Identity { chain, key })
}

/// Reads `folder/tls.crt` and `folder/tls.key`, and makes both when there is no key yet: ECDSA P-256, self-signed, for
/// localhost, 127.0.0.1, ::1 and `hostname`. The key's file has mode 0600.
pub fn load_or_create(folder: &Path, hostname: &str, now: Timestamp) -> Result<Identity, TlsError> {
    let (certificate_path, key_path) = (folder.join("tls.crt"), folder.join("tls.key"));
    if private_file::find(&key_path)?.is_none() || private_file::find(&certificate_path)?.is_none() {
        // The key is written first: a certificate is never there without it. A lone key is used again.
        let new_key = Secret::new(new_key_pem()?);
        let pem = private_file::create(&key_path, new_key.expose().as_bytes())?;
        let pem = Secret::new(String::from_utf8_lossy(&pem).into_owned());
        private_file::create_public(&certificate_path, self_signed(&pem, hostname, now)?.as_bytes())?;
    }
    load(&certificate_path, &key_path)
}

/// A new ECDSA P-256 key in PEM.
pub(crate) fn new_key_pem() -> Result<String, TlsError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(TlsError::SelfSign)?.serialize_pem())
}

fn self_signed(key_pem: &Secret<String>, hostname: &str, now: Timestamp) -> Result<String, TlsError> {
    let key = KeyPair::from_pem(key_pem.expose()).map_err(TlsError::SelfSign)?;
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    if !names.iter().any(|name| name == hostname) {
        names.push(hostname.to_owned());
    }
    let mut params = CertificateParams::new(names).map_err(|_| TlsError::InvalidHostname(hostname.to_owned()))?;
    params.distinguished_name.push(DnType::CommonName, hostname);
    params.distinguished_name.push(DnType::OrganizationName, "Gatewright");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A day back, for machines whose clock lags.
    let (year, month, day) = date(Timestamp::from_millis(now.as_millis().saturating_sub(86_400_000)));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus(SELF_SIGNED_LIFETIME));
    params.not_after = rcgen::date_time_ymd(year, month, day);
    Ok(params.self_signed(&key).map_err(TlsError::SelfSign)?.pem())
}

/// Year, month and day in UTC.
pub(crate) fn date(time: Timestamp) -> (i32, u8, u8) {
    let day = time.to_utc();
    let narrow = |number: u32| u8::try_from(number).unwrap_or(1);
    (day.year(), narrow(day.month()), narrow(day.day()))
}

/// A rustls configuration for TLS 1.2 and 1.3 on aws-lc-rs, without client certificates, that offers `alpn` in this
/// order (e.g. `h2`, `http/1.1`).
pub fn server_config(identity: Identity, alpn: &[&[u8]]) -> Result<ServerConfig, TlsError> {
    let config = server_builder()?.with_single_cert(identity.chain, identity.key).map_err(TlsError::Refused)?;
    Ok(with_alpn(config, alpn))
}

/// Versions, algorithms, and no client certificates.
pub(crate) fn server_builder() -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Refused)?
        .with_no_client_auth())
}

pub(crate) fn with_alpn(mut config: ServerConfig, alpn: &[&[u8]]) -> ServerConfig {
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    fn now() -> Timestamp {
        use domain::Clock;
        domain::SystemClock.now()
    }

    async fn handshake(identity: Identity, name: &str) -> Result<Option<Vec<u8>>, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(identity.chain[0].clone()).unwrap();
        let server = server_config(identity, &[b"h2", b"http/1.1"]).unwrap();
        let mut client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (near, far) = tokio::io::duplex(64 * 1024);
        let accept = TlsAcceptor::from(Arc::new(server)).accept(far);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connect = TlsConnector::from(Arc::new(client)).connect(name, near);
        let (accepted, connected) = tokio::join!(accept, connect);
        connected?;
        Ok(accepted?.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
    }

    #[tokio::test]
    async fn a_fresh_certificate_serves_its_names_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let load = || load_or_create(folder.path(), "gateway.example", now()).unwrap();
        for name in ["localhost", "127.0.0.1", "::1", "gateway.example"] {
            assert_eq!(handshake(load(), name).await.unwrap().as_deref(), Some(b"http/1.1".as_slice()), "{name}");
        }
        assert!(handshake(load(), "other.example").await.is_err());
    }

    #[test]
    fn the_certificate_stays_the_same_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = load_or_create(folder.path(), "localhost", now()).unwrap();
        let second = load_or_create(folder.path(), "localhost", now()).unwrap();
        assert_eq!(first.chain, second.chain);
    }

    #[test]
    fn a_lost_certificate_is_made_anew_for_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        load_or_create(folder.path(), "localhost", now()).unwrap();
        let key = std::fs::read(folder.path().join("tls.key")).unwrap();
        std::fs::remove_file(folder.path().join("tls.crt")).unwrap();
        let identity = load_or_create(folder.path(), "localhost", now()).unwrap();
        assert_eq!(std::fs::read(folder.path().join("tls.key")).unwrap(), key);
        assert!(server_config(identity, &[]).is_ok());
    }

    #[test]
    fn files_without_a_certificate_or_of_different_pairs_are_refused() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        load_or_create(one.path(), "localhost", now()).unwrap();
        load_or_create(other.path(), "localhost", now()).unwrap();
        let key = one.path().join("tls.key");
        assert!(matches!(load(&key, &key), Err(TlsError::InvalidPem { .. })));
        let mixed = load(&one.path().join("tls.crt"), &other.path().join("tls.key")).unwrap();
        assert!(matches!(server_config(mixed, &[]), Err(TlsError::Refused(_))));
    }
}
