//! Secrets of OAuth clients and refresh tokens: 256 random bits, so SHA-256 is enough to keep them by (Argon2 is for what
//! people choose).

use aws_lc_rs::digest::{SHA256, digest};
use domain::Secret;
use subtle::ConstantTimeEq;

use crate::random::{self, NoRandomness};

/// Purpose under which sealed copies of client secrets are kept (see `KeyEncryptionKey::seal`).
pub const SEAL_PURPOSE: &str = "oauth-client-secret";

/// A new secret of 256 random bits.
pub fn generate() -> Result<Secret<String>, NoRandomness> {
    random::secret()
}

/// SHA-256 in hexadecimal: what is stored.
#[must_use]
pub fn hash(secret: &Secret<String>) -> String {
    hex::encode(digest(&SHA256, secret.expose().as_bytes()))
}

/// Whether the presented secret has the stored hash, in a time that does not depend on where they differ.
#[must_use]
pub fn verify(presented: &Secret<String>, stored_hash: &str) -> bool {
    hash(presented).as_bytes().ct_eq(stored_hash.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_fits_its_own_hash_only() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert!(verify(&one, &hash(&one)));
        assert!(!verify(&other, &hash(&one)));
        assert!(!verify(&one, ""));
    }
}
