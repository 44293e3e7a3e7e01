//! Which certificate authorities back ends may be signed by.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The trust store cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("{} cannot be read as PEM certificates", path.display())]
    File { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{} holds no certificate", path.display())]
    Empty { path: PathBuf },
    #[error("{} holds a certificate that cannot be used", path.display())]
    Certificate { path: PathBuf, source: rustls::Error },
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// TLS towards back ends: the machine's authorities and those of `extra_ca`.
///
/// # Errors
/// When `extra_ca` cannot be used. Authorities of the machine that cannot be read are left out with a warning.
pub fn client_config(extra_ca: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the machine's certificate authorities cannot be read");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = extra_ca {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.map_err(TrustError::Tls)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let unreadable = |source| TrustError::File { path: path.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(TrustError::Empty { path: path.to_owned() });
    }
    for certificate in certificates {
        let unusable = |source| TrustError::Certificate { path: path.to_owned(), source };
        roots.add(certificate).map_err(unusable)?;
    }
    Ok(())
}
