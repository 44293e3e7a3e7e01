//! TLS between the nodes of one cluster.
//!
//! A node's management port has two certificates: the one for people and tools, and one that the cluster's authority
//! signed for the node's roles. Nodes ask for the latter by the host name `ROLE.gatewright.internal` in the handshake
//! (RFC 6066 section 3), whatever address they connect to, and know the authority by its fingerprint alone.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use crate::tls::{self, Identity, TlsError};

/// End of the host names that stand for roles.
const ROLE_DOMAIN: &str = "gatewright.internal";

/// Host name by which a client asks for a node with this role.
#[must_use]
pub fn role_host(role: &str) -> String {
    format!("{role}.{ROLE_DOMAIN}")
}

/// SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate.as_ref()).as_ref());
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The certificate by which other nodes know this one; set once the node has it, and replaced when it is renewed.
#[derive(Debug, Clone, Default)]
pub struct ClusterCertificate(Arc<ArcSwapOption<CertifiedKey>>);

impl ClusterCertificate {
    pub fn set(&self, identity: Identity) -> Result<(), TlsError> {
        self.0.store(Some(Arc::new(identity.into_certified_key()?)));
        Ok(())
    }

    /// What callers narrow their tokens to.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let key = self.0.load();
        key.as_ref()?.cert.first().map(Fingerprint::of)
    }
}

/// A server configuration with both certificates. Handshakes that ask for a role fail as long as there is none for it.
pub fn server_config(public: Identity, cluster: &ClusterCertificate, alpn: &[&[u8]]) -> Result<ServerConfig, TlsError> {
    let resolver = ByName { public: Arc::new(public.into_certified_key()?), cluster: cluster.clone() };
    Ok(tls::with_alpn(tls::server_builder()?.with_cert_resolver(Arc::new(resolver)), alpn))
}

/// A server configuration for nodes only.
pub fn nodes_only_config(cluster: &ClusterCertificate, alpn: &[&[u8]]) -> Result<ServerConfig, TlsError> {
    let resolver = NodesOnly { cluster: cluster.clone() };
    Ok(tls::with_alpn(tls::server_builder()?.with_cert_resolver(Arc::new(resolver)), alpn))
}

#[derive(Debug)]
struct ByName {
    public: Arc<CertifiedKey>,
    cluster: ClusterCertificate,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) if is_role_host(name) => self.cluster.0.load_full(),
            _ => Some(Arc::clone(&self.public)),
        }
    }
}

#[derive(Debug)]
struct NodesOnly {
    cluster: ClusterCertificate,
}

impl ResolvesServerCert for NodesOnly {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.cluster.0.load_full()
    }
}

fn is_role_host(name: &str) -> bool {
    name.strip_suffix(ROLE_DOMAIN).is_some_and(|rest| rest.ends_with('.'))
}

/// A client configuration that trusts the cluster's authority and nobody else.
pub fn client_config(authority: Fingerprint, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Pinned { authority, provider: Arc::clone(&provider), verifier: OnceLock::new() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Refused)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Takes a chain that ends in the certificate with the fingerprint, and checks it as any other chain.
#[derive(Debug)]
struct Pinned {
    authority: Fingerprint,
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Arc<WebPkiServerVerifier>>,
}

impl Pinned {
    fn verifier(&self, chain: &[CertificateDer<'_>]) -> Result<&WebPkiServerVerifier, rustls::Error> {
        if let Some(verifier) = self.verifier.get() {
            return Ok(verifier);
        }
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = chain.iter().find(|certificate| Fingerprint::of(certificate) == self.authority);
        let mut roots = RootCertStore::empty();
        roots.add(authority.ok_or_else(unknown)?.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|_| unknown())?;
        Ok(self.verifier.get_or_init(|| verifier))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = self.verifier(intermediates)?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Timestamp;
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;
    use crate::cluster::ClusterKeys;
    use crate::enrolment::NodeKey;

    fn now() -> Timestamp {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_secs(i64::try_from(since.as_secs()).unwrap())
    }

    struct Cluster {
        keys: ClusterKeys,
        folder: tempfile::TempDir,
    }

    fn cluster() -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        Cluster { keys: ClusterKeys::load_or_create(folder.path(), now()).unwrap(), folder }
    }

    impl Cluster {
        /// A server whose cluster certificate is good for `roles`.
        fn server(&self, roles: &[&str]) -> ServerConfig {
            let key = NodeKey::generate().unwrap();
            let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
            let chain = self.keys.sign(&key.request().unwrap(), &roles, Duration::from_secs(3600), now()).unwrap();
            let certificate = ClusterCertificate::default();
            certificate.set(Identity::from_pem(&chain, key.pem()).unwrap()).unwrap();
            let public = tls::load_or_create(self.folder.path(), "localhost", now()).unwrap();
            server_config(public, &certificate, &[]).unwrap()
        }
    }

    async fn handshake(server: ServerConfig, authority: Fingerprint, name: &str) -> Result<(), std::io::Error> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let accept = TlsAcceptor::from(Arc::new(server)).accept(far);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let client = client_config(authority, &[]).unwrap();
        let connect = TlsConnector::from(Arc::new(client)).connect(name, near);
        let (_accepted, connected) = tokio::join!(accept, connect);
        connected.map(drop)
    }

    #[tokio::test]
    async fn a_node_is_known_by_its_role_and_its_cluster() {
        let cluster = cluster();
        let authority = *cluster.keys.fingerprint();
        let server = || cluster.server(&["key-manager"]);
        handshake(server(), authority, &role_host("key-manager")).await.unwrap();
        assert!(handshake(server(), authority, &role_host("traffic-manager")).await.is_err());
        assert!(handshake(server(), authority, "localhost").await.is_err());
        let other = *super::tests::cluster().keys.fingerprint();
        assert!(handshake(server(), other, &role_host("key-manager")).await.is_err());
    }

    #[tokio::test]
    async fn a_server_without_a_cluster_certificate_has_no_role() {
        let cluster = cluster();
        let public = tls::load_or_create(cluster.folder.path(), "localhost", now()).unwrap();
        let server = server_config(public, &ClusterCertificate::default(), &[]).unwrap();
        let authority = *cluster.keys.fingerprint();
        assert!(handshake(server, authority, &role_host("key-manager")).await.is_err());
    }
}
