//! Revoking single tokens and families of refresh tokens.

use std::time::Duration;

use domain::runtime::{Revocation, RevocationEntry};
use domain::{Organization, Timestamp};
use security::jwt::LEEWAY_SECS;
use store::apim::oauth::refresh_tokens;
use store::apim::oauth::revocations;
use store::{ApimConn, StoreError};

/// How long a revocation outlives its token: verifiers accept tokens a little after their end.
const MARGIN: Duration = Duration::from_secs(LEEWAY_SECS.unsigned_abs() * 2);

/// Revokes the access token of this `jti`, unless it has expired by itself.
pub(crate) fn revoke_access_token(
    conn: &mut ApimConn,
    organization: &Organization,
    jti: &str,
    token_expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let expires_at = token_expires_at.plus(MARGIN);
    if expires_at <= now {
        return Ok(());
    }
    let revocation = Revocation::Token { jti: jti.to_owned() };
    revocations::insert(conn, &RevocationEntry { organization: organization.clone(), revocation, expires_at }, now)
}

/// Deletes the family and revokes every access token that was issued with it.
pub(crate) fn revoke_family(conn: &mut ApimConn, family_id: &str, now: Timestamp) -> Result<(), StoreError> {
    for token in refresh_tokens::delete_family(conn, family_id)? {
        // The access token of a member that was replaced was revoked when it was.
        if !token.is_rotated {
            revoke_access_token(conn, &token.organization, &token.access_token_id, token.access_expires_at, now)?;
        }
    }
    Ok(())
}
