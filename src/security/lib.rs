//! Keys, tokens, passwords and certificates: the only room that touches cryptography.
//!
//! Invariants: no database and no HTTP; private keys and secrets live in `Secret<T>` or in files of mode 0600 and never
//! reach a log; every check denies by default; the present time is an argument. Entry points:
//! [`password::PasswordGate`], [`key_encryption::KeyEncryptionKey`], [`signing_key::SigningKey`], [`jwt::verify`],
//! [`client_secret`], [`cluster::ClusterKeys`], [`node_token`], [`cluster_tls`], [`tls::server_config`].

pub mod certificate_check;
pub mod client_secret;
pub mod cluster;
pub mod cluster_tls;
pub mod enrolment;
pub mod internal_key;
pub mod jwt;
pub mod key_encryption;
pub mod node_token;
pub mod password;
mod private_file;
pub mod random;
pub mod signing_key;
pub mod tls;
