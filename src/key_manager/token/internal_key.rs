//! Making internal keys, see [`security::internal_key`].

use domain::contract::KeyManagerError;
use domain::oauth::InternalKey;
use domain::{ApiId, Organization, Timestamp};
use security::internal_key::{INTERNAL_KEY_TYPE, InternalKeyClaims};
use security::jwt;

use crate::service::KeyManagerService;

/// Long enough for a session of trying out; the key cannot be renewed.
const LIFETIME_SECS: i64 = 3600;

/// Signs a key for one API with the key of its tenant. Nothing is stored.
pub(crate) async fn issue(
    service: &KeyManagerService,
    organization: &Organization,
    user: &str,
    api_id: ApiId,
) -> Result<InternalKey, KeyManagerError> {
    let now = service.now().as_secs();
    let claims = InternalKeyClaims {
        sub: user.to_owned(),
        api_id,
        nbf: now,
        iat: now,
        exp: now.saturating_add(LIFETIME_SECS),
        iss: service.signing.issuer_of(organization),
        jti: uuid::Uuid::new_v4().to_string(),
    };
    let signing_key = service.signing.covering(organization, Timestamp::from_secs(claims.exp)).await?;
    let key = jwt::sign(&signing_key, INTERNAL_KEY_TYPE, &claims)
        .map_err(|error| KeyManagerError::Failed(Box::new(error)))?;
    Ok(InternalKey { key, expires_in: LIFETIME_SECS })
}
