//! Secrets that come from files or the environment.

use std::path::{Path, PathBuf};

use config::sections::oauth::Oauth;
use domain::Secret;
use key_manager::bootstrap::DEFAULT_PASSWORD;
use security::key_encryption::{KeyEncryptionError, KeyEncryptionKey};

use crate::node::NodeContext;

/// The file with the administrator's password cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("'{}' (super_admin.password_file) cannot be read", path.display())]
pub(crate) struct PasswordFileError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// From the configuration, else from the file that it names, else the default one.
pub(crate) fn administrator_password(node: &NodeContext) -> Result<Secret<String>, PasswordFileError> {
    let section = &node.config.super_admin;
    if let Some(password) = &section.password {
        return Ok(password.secret().clone());
    }
    let Some(path) = &section.password_file else { return Ok(Secret::new(DEFAULT_PASSWORD.to_owned())) };
    let content = std::fs::read_to_string(path).map_err(|source| PasswordFileError { path: path.clone(), source })?;
    let content = Secret::new(content);
    Ok(Secret::new(content.expose().trim_end_matches(['\r', '\n']).to_owned()))
}

/// From the configured file, else from the environment, else from the home folder, where it is made at the first start.
pub(crate) fn key_encryption_key(
    oauth: &Oauth,
    security: &Path,
    from_environment: Option<Secret<String>>,
) -> Result<KeyEncryptionKey, KeyEncryptionError> {
    match (&oauth.key_encryption_key_file, from_environment) {
        (Some(file), _) => KeyEncryptionKey::load(file),
        (None, Some(text)) => KeyEncryptionKey::parse(&text),
        (None, None) => KeyEncryptionKey::load_or_create(&security.join("kek")),
    }
}
