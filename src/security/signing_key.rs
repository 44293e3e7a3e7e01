//! Key pairs that sign tokens.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::key_encryption::{KeyEncryptionError, KeyEncryptionKey};

/// Purpose under which private parts are sealed.
const SEAL_PURPOSE: &str = "oauth-signing-key";

/// Bytes of the PKCS #8 version 1 form of an Ed25519 key, the one that holds no public key.
const ED25519_PKCS8_V1_LENGTH: usize = 48;

/// How a key signs (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSA PKCS #1 v1.5 with SHA-256, 2048 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The `alg` of headers and JWKs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    pub(crate) fn as_jwa(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

impl From<config::sections::oauth::SigningAlgorithm> for SigningAlgorithm {
    fn from(configured: config::sections::oauth::SigningAlgorithm) -> Self {
        match configured {
            config::sections::oauth::SigningAlgorithm::Rs256 => Self::Rs256,
            config::sections::oauth::SigningAlgorithm::Es256 => Self::Es256,
            config::sections::oauth::SigningAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signing key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("a {0} key cannot be generated")]
    Generate(SigningAlgorithm),
    #[error("the key is not a valid {algorithm} key")]
    Invalid { algorithm: SigningAlgorithm, source: jsonwebtoken::errors::Error },
    #[error("the public part of a key cannot be written")]
    PublicPart(#[source] serde_json::Error),
    #[error("the private part of signing key '{kid}' cannot be sealed or opened")]
    Sealed { kid: String, source: KeyEncryptionError },
}

/// A key pair with its public name.
#[derive(Clone)]
pub struct SigningKey {
    /// RFC 7638 thumbprint (SHA-256, base64url) of the public key.
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    /// RFC 7517 JWK with `kid`, `alg` and `use: sig`; no private member.
    pub public_jwk: Value,
    pkcs8: Secret<Vec<u8>>,
    pub(crate) encoding_key: EncodingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new random key. RSA takes tenths of a second.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, SigningKeyError> {
        let pkcs8 = generate_pkcs8(algorithm).ok_or(SigningKeyError::Generate(algorithm))?;
        Self::from_pkcs8(algorithm, Secret::new(pkcs8))
    }

    /// The key in PKCS #8 (version 1 for Ed25519).
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: Secret<Vec<u8>>) -> Result<Self, SigningKeyError> {
        let encoding_key = match algorithm {
            SigningAlgorithm::Rs256 => EncodingKey::from_rsa_pem(pem(&pkcs8).expose().as_bytes())
                .map_err(|source| SigningKeyError::Invalid { algorithm, source })?,
            SigningAlgorithm::Es256 => EncodingKey::from_ec_der(pkcs8.expose()),
            SigningAlgorithm::EdDsa => EncodingKey::from_ed_der(pkcs8.expose()),
        };
        let invalid = |source| SigningKeyError::Invalid { algorithm, source };
        let mut jwk = Jwk::from_encoding_key(&encoding_key, algorithm.as_jwa()).map_err(invalid)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(invalid)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public_jwk = serde_json::to_value(&jwk).map_err(SigningKeyError::PublicPart)?;
        Ok(Self { kid, algorithm, public_jwk, pkcs8, encoding_key })
    }

    /// The private part, encrypted for a database column; it opens for this `kid` only.
    pub fn seal(&self, key_encryption_key: &KeyEncryptionKey) -> Result<String, SigningKeyError> {
        key_encryption_key
            .seal(SEAL_PURPOSE, &self.kid, self.pkcs8.expose())
            .map_err(|source| SigningKeyError::Sealed { kid: self.kid.clone(), source })
    }

    /// The key whose private part [`seal`](Self::seal) encrypted.
    pub fn open(
        kid: &str,
        algorithm: SigningAlgorithm,
        sealed: &str,
        key_encryption_key: &KeyEncryptionKey,
    ) -> Result<Self, SigningKeyError> {
        let pkcs8 = key_encryption_key
            .open(SEAL_PURPOSE, kid, sealed)
            .map_err(|source| SigningKeyError::Sealed { kid: kid.to_owned(), source })?;
        Self::from_pkcs8(algorithm, pkcs8)
    }
}

fn generate_pkcs8(algorithm: SigningAlgorithm) -> Option<Vec<u8>> {
    match algorithm {
        SigningAlgorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            Some(der.as_ref().to_vec())
        }
        SigningAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
            Some(pair.to_pkcs8v1().ok()?.as_ref().to_vec())
        }
        SigningAlgorithm::EdDsa => {
            let der = Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref().to_vec();
            debug_assert_eq!(der.len(), ED25519_PKCS8_V1_LENGTH, "jsonwebtoken tells the curve by the length");
            Some(der)
        }
    }
}

/// RFC 7468 text of a PKCS #8 key: the only way in which jsonwebtoken takes PKCS #8 for RSA.
fn pem(pkcs8: &Secret<Vec<u8>>) -> Secret<String> {
    let encoded = Secret::new(STANDARD.encode(pkcs8.expose()));
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in encoded.expose().as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Secret::new(pem)
}

/// RFC 7517 section 5: the set of the keys' public parts.
#[must_use]
pub fn jwk_set(public_jwks: impl IntoIterator<Item = Value>) -> Value {
    serde_json::json!({ "keys": public_jwks.into_iter().collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_part_names_key_algorithm_and_use_and_holds_nothing_private() {
        for (algorithm, members) in [
            (SigningAlgorithm::Rs256, vec!["alg", "e", "kid", "kty", "n", "use"]),
            (SigningAlgorithm::Es256, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
            (SigningAlgorithm::EdDsa, vec!["alg", "crv", "kid", "kty", "use", "x"]),
        ] {
            let key = SigningKey::generate(algorithm).unwrap();
            let mut names: Vec<_> = key.public_jwk.as_object().unwrap().keys().cloned().collect();
            names.sort_unstable();
            assert_eq!(names, members);
            assert_eq!(key.public_jwk["kid"], key.kid);
            assert_eq!(key.public_jwk["alg"], algorithm.as_str());
            assert_eq!(key.public_jwk["use"], "sig");
            assert_eq!(key.kid.len(), 43);
        }
    }

    #[test]
    fn a_sealed_key_opens_as_the_same_key() {
        let kek = KeyEncryptionKey::from_bytes(&Secret::new([3; 32])).unwrap();
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let sealed = key.seal(&kek).unwrap();
        let opened = SigningKey::open(&key.kid, key.algorithm, &sealed, &kek).unwrap();
        assert_eq!(opened.public_jwk, key.public_jwk);
        assert!(SigningKey::open("another kid", key.algorithm, &sealed, &kek).is_err());
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037 appendix A.1 to A.3: an Ed25519 private key and the thumbprint of its public key.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let pkcs8 = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
        let key = SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, Secret::new(pkcs8)).unwrap();
        assert_eq!(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
