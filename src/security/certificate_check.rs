//! Whether the server's own certificate will do: its dates and its names, before a client complains.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};

use crate::tls::Identity;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("it expires within {} days", .0.as_secs() / 86_400)]
    ExpiresSoon(Duration),
    #[error("it is not good for the name '{0}'")]
    OtherName(String),
    #[error("key and certificate do not work together, or it cannot be read: {0}")]
    Unusable(String),
}

/// The first thing that is wrong. Who signed the certificate is the clients' concern.
///
/// # Errors
/// When something is wrong now, or will be within `ahead`.
pub fn check(identity: Identity, hostname: &str, now: Timestamp, ahead: Duration) -> Result<(), CertificateProblem> {
    let key = identity.into_certified_key().map_err(|error| match error {
        crate::tls::TlsError::Refused(cause) => CertificateProblem::Unusable(cause.to_string()),
        error => CertificateProblem::Unusable(error.to_string()),
    })?;
    let unusable = |error: &dyn std::error::Error| CertificateProblem::Unusable(error.to_string());
    let (own, others) = key.cert.split_first().ok_or_else(|| CertificateProblem::Unusable("it is empty".to_owned()))?;
    let mut roots = RootCertStore::empty();
    for certificate in &key.cert {
        roots.add(certificate.clone()).map_err(|error| unusable(&error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| unusable(&error))?;
    let name = ServerName::try_from(hostname).map_err(|_| CertificateProblem::OtherName(hostname.to_owned()))?;
    let at = |time: Timestamp| {
        let secs = u64::try_from(time.as_secs()).unwrap_or_default();
        verifier.verify_server_cert(own, others, &name, &[], UnixTime::since_unix_epoch(Duration::from_secs(secs)))
    };
    if let Err(rustls::Error::InvalidCertificate(error)) = at(now) {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                return Err(CertificateProblem::Expired);
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                return Err(CertificateProblem::NotYetValid);
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                return Err(CertificateProblem::OtherName(hostname.to_owned()));
            }
            // Usually an issuer that does not stand in the file: clients know it.
            _ => {}
        }
    }
    match at(now.plus(ahead)) {
        Err(rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            Err(CertificateProblem::ExpiresSoon(ahead))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn dates_and_names_are_looked_at() {
        let made_at = Timestamp::from_secs(1_800_000_000);
        let folder = tempfile::tempdir().unwrap();
        let own = |hostname: &str, now: Timestamp, ahead| {
            check(tls::load_or_create(folder.path(), "node1.example", made_at).unwrap(), hostname, now, ahead)
        };
        let late = made_at.plus(3649 * DAY);
        assert_eq!(own("node1.example", made_at, 14 * DAY), Ok(()));
        assert_eq!(own("node1.example", late, 14 * DAY), Err(CertificateProblem::ExpiresSoon(14 * DAY)));
        assert_eq!(own("node1.example", late.plus(9 * DAY), DAY), Err(CertificateProblem::Expired));
        assert_eq!(own("node1.example", Timestamp::from_secs(0), DAY), Err(CertificateProblem::NotYetValid));
        assert_eq!(own("node2.example", made_at, DAY), Err(CertificateProblem::OtherName("node2.example".to_owned())));
    }

    #[test]
    fn a_key_of_another_certificate_is_told() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            tls::load_or_create(folder.path(), "localhost", Timestamp::from_secs(1_800_000_000)).unwrap();
        }
        let mixed = tls::load(&folders[0].path().join("tls.crt"), &folders[1].path().join("tls.key")).unwrap();
        let outcome = check(mixed, "localhost", Timestamp::from_secs(1_800_000_000), DAY);
        assert!(matches!(outcome, Err(CertificateProblem::Unusable(_))), "{outcome:?}");
    }
}
