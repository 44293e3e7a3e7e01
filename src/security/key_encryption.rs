//! The key-encryption key: secrets in the databases are sealed with it (AES-256-GCM) and bound to their place.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::Secret;

pub use crate::private_file::KeyFileError;
use crate::{private_file, random};

/// Bytes of the key.
const KEY_LENGTH: usize = 32;

/// First byte of every sealed value, so that the format can change.
const FORMAT: u8 = 1;

/// The key-encryption key is missing or wrong, or a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum KeyEncryptionError {
    #[error("the key-encryption key must be 32 bytes, written as hexadecimal or base64")]
    InvalidKey,
    #[error("the key-encryption key cannot be read")]
    File(#[from] KeyFileError),
    #[error("no random bytes from the operating system")]
    NoRandomness,
    #[error("sealing failed")]
    Seal,
    /// Another key, another place, or a changed value.
    #[error("a sealed value of kind '{purpose}' does not open with this key-encryption key")]
    Open { purpose: &'static str },
}

/// Seals and opens what must not lie in a database in clear.
pub struct KeyEncryptionKey(LessSafeKey);

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey(***)")
    }
}

impl KeyEncryptionKey {
    pub fn from_bytes(bytes: &Secret<[u8; KEY_LENGTH]>) -> Result<Self, KeyEncryptionError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes.expose()).map_err(|_| KeyEncryptionError::InvalidKey)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Reads 64 hexadecimal digits or base64 (the form of the environment variable `GATEWRIGHT_KEK` and of key files).
    pub fn parse(text: &Secret<String>) -> Result<Self, KeyEncryptionError> {
        let text = text.expose().trim();
        let decoded = hex::decode(text)
            .ok()
            .or_else(|| STANDARD.decode(text).ok())
            .or_else(|| STANDARD_NO_PAD.decode(text).ok())
            .or_else(|| URL_SAFE_NO_PAD.decode(text).ok())
            .ok_or(KeyEncryptionError::InvalidKey)?;
        let bytes = Secret::new(decoded);
        let bytes: [u8; KEY_LENGTH] =
            bytes.expose().as_slice().try_into().map_err(|_| KeyEncryptionError::InvalidKey)?;
        Self::from_bytes(&Secret::new(bytes))
    }

    /// Reads the key from a file that an operator made.
    pub fn load(path: &Path) -> Result<Self, KeyEncryptionError> {
        Self::from_file_content(private_file::read(path)?)
    }

    /// Reads the key from the file, or makes the file (mode 0600) with a new random key.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyEncryptionError> {
        if let Some(content) = private_file::find(path)? {
            return Self::from_file_content(content);
        }
        let bytes = Secret::new(random::bytes::<KEY_LENGTH>().map_err(|_| KeyEncryptionError::NoRandomness)?);
        let text = Secret::new(format!("{}\n", hex::encode(bytes.expose())));
        Self::from_file_content(private_file::create(path, text.expose().as_bytes())?)
    }

    fn from_file_content(content: Vec<u8>) -> Result<Self, KeyEncryptionError> {
        let text = String::from_utf8(content).map_err(|_| KeyEncryptionError::InvalidKey)?;
        Self::parse(&Secret::new(text))
    }

    /// Encrypts `plain` as text for a database column. It opens only with the same `purpose` (a constant that names the
    /// column) and `row_id`, so that nobody can move a sealed value to another row.
    pub fn seal(&self, purpose: &'static str, row_id: &str, plain: &[u8]) -> Result<String, KeyEncryptionError> {
        let nonce = random::bytes::<NONCE_LEN>().map_err(|_| KeyEncryptionError::NoRandomness)?;
        let mut encrypted = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                associated_data(purpose, row_id),
                &mut encrypted,
            )
            .map_err(|_| KeyEncryptionError::Seal)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + encrypted.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&encrypted);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Decrypts what [`seal`](Self::seal) made with the same `purpose` and `row_id`.
    pub fn open(
        &self,
        purpose: &'static str,
        row_id: &str,
        sealed: &str,
    ) -> Result<Secret<Vec<u8>>, KeyEncryptionError> {
        let refused = || KeyEncryptionError::Open { purpose };
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| refused())?;
        let (format, rest) = sealed.split_first().ok_or_else(refused)?;
        let (nonce, encrypted) = rest.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        if *format != FORMAT {
            return Err(refused());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut buffer = encrypted.to_vec();
        let length =
            self.0.open_in_place(nonce, associated_data(purpose, row_id), &mut buffer).map_err(|_| refused())?.len();
        buffer.truncate(length);
        Ok(Secret::new(buffer))
    }

    /// [`open`](Self::open) for values that are text.
    pub fn open_text(
        &self,
        purpose: &'static str,
        row_id: &str,
        sealed: &str,
    ) -> Result<Secret<String>, KeyEncryptionError> {
        let bytes = self.open(purpose, row_id, sealed)?;
        let text = std::str::from_utf8(bytes.expose()).map_err(|_| KeyEncryptionError::Open { purpose })?;
        Ok(Secret::new(text.to_owned()))
    }
}

/// Purpose and row id with a separator that neither contains.
fn associated_data(purpose: &str, row_id: &str) -> Aad<Vec<u8>> {
    let mut data = Vec::with_capacity(purpose.len() + 1 + row_id.len());
    data.extend_from_slice(purpose.as_bytes());
    data.push(0);
    data.extend_from_slice(row_id.as_bytes());
    Aad::from(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: u8) -> KeyEncryptionKey {
        KeyEncryptionKey::from_bytes(&Secret::new([fill; 32])).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_in_its_place() {
        let sealed = key(1).seal("client-secret", "row-1", b"hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(key(1).open("client-secret", "row-1", &sealed).unwrap().expose(), b"hunter2");
    }

    #[test]
    fn a_sealed_value_opens_nowhere_else() {
        let sealed = key(1).seal("client-secret", "row-1", b"hunter2").unwrap();
        assert!(key(1).open("client-secret", "row-2", &sealed).is_err());
        assert!(key(1).open("signing-key", "row-1", &sealed).is_err());
        assert!(key(2).open("client-secret", "row-1", &sealed).is_err());
        assert!(key(1).open("client-secret", "row-1", &sealed[..sealed.len() - 2]).is_err());
        assert!(key(1).open("client-secret", "row-1", "").is_err());
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let key = key(1);
        assert_ne!(key.seal("p", "r", b"x").unwrap(), key.seal("p", "r", b"x").unwrap());
    }

    #[test]
    fn a_key_is_read_from_hex_and_from_base64() {
        let sealed = key(7).seal("p", "r", b"x").unwrap();
        for text in [hex::encode([7; 32]), STANDARD.encode([7; 32]), format!("{}\n", hex::encode([7; 32]))] {
            let parsed = KeyEncryptionKey::parse(&Secret::new(text)).unwrap();
            assert_eq!(parsed.open("p", "r", &sealed).unwrap().expose(), b"x");
        }
        assert!(KeyEncryptionKey::parse(&Secret::new("too short".to_owned())).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("security").join("kek");
        let sealed = KeyEncryptionKey::load_or_create(&path).unwrap().seal("p", "r", b"x").unwrap();
        assert_eq!(KeyEncryptionKey::load_or_create(&path).unwrap().open("p", "r", &sealed).unwrap().expose(), b"x");
        assert_eq!(KeyEncryptionKey::load(&path).unwrap().open("p", "r", &sealed).unwrap().expose(), b"x");
    }
}
