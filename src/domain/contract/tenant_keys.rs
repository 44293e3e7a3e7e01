//! What a new tenant needs of the key manager.

use async_trait::async_trait;

use super::KeyManagerError;
use crate::Organization;

/// Issuers and signing keys of tenants.
#[async_trait]
pub trait TenantKeys: Send + Sync {
    /// Makes the tenant's issuer known and its first signing key, unless they exist; harmless to repeat.
    async fn ensure_keys(&self, organization: &Organization) -> Result<(), KeyManagerError>;
}
