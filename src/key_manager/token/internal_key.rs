//! Making internal keys, see [`security::internal_key`].

use domain::ApiId;
use domain::contract::KeyManagerError;
use domain::oauth::InternalKey;
use security::internal_key::{INTERNAL_KEY_TYPE, InternalKeyClaims};
use security::jwt;

use crate::service::KeyManagerService;

/// Long enough for a session of trying out; the key cannot be renewed.
const LIFETIME_SECS: i64 = 3600;

/// Signs a key for one API. Nothing is stored.
pub(crate) fn issue(service: &KeyManagerService, user: &str, api_id: ApiId) -> Result<InternalKey, KeyManagerError> {
    let now = service.now().as_secs();
    let claims = InternalKeyClaims {
        sub: user.to_owned(),
        api_id,
        nbf: now,
        iat: now,
        exp: now.saturating_add(LIFETIME_SECS),
        iss: service.issuer.clone(),
        jti: uuid::Uuid::new_v4().to_string(),
    };
    let key = jwt::sign(&service.signing.current(), INTERNAL_KEY_TYPE, &claims)
        .map_err(|error| KeyManagerError::Failed(Box::new(error)))?;
    Ok(InternalKey { key, expires_in: LIFETIME_SECS })
}
