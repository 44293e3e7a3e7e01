//! Random values for identifiers and secrets, from the operating system's generator.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Secret;

/// The operating system gave no random bytes; nothing may be made without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes from the operating system")]
pub struct NoRandomness;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// 256 random bits as 43 characters that need no encoding in URLs, forms and HTTP headers.
pub fn secret() -> Result<Secret<String>, NoRandomness> {
    let bytes = Secret::new(bytes::<32>()?);
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose())))
}

/// An unguessable public identifier: 28 ASCII letters and digits (about 166 bits).
pub fn identifier() -> Result<String, NoRandomness> {
    const LENGTH: usize = 28;
    let mut identifier = String::with_capacity(LENGTH);
    while identifier.len() < LENGTH {
        for byte in bytes::<32>()? {
            // 62 of 64 six-bit values are letters or digits; the other two are drawn anew, so that all are equally likely.
            let symbol = match byte & 0x3f {
                value @ 0..=25 => b'A' + value,
                value @ 26..=51 => b'a' + value - 26,
                value @ 52..=61 => b'0' + value - 52,
                _ => continue,
            };
            if identifier.len() < LENGTH {
                identifier.push(char::from(symbol));
            }
        }
    }
    Ok(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_letters_and_digits_and_differ() {
        let identifier = identifier().unwrap();
        assert_eq!(identifier.len(), 28);
        assert!(identifier.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(identifier, super::identifier().unwrap());
    }

    #[test]
    fn a_secret_has_256_bits() {
        let secret = secret().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret.expose()).unwrap().len(), 32);
    }
}
