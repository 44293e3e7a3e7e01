//! `RevokedEvents`.

use domain::Organization;
use domain::runtime::{Revocation, RevocationEntry};
use serde::Serialize;

/// The word for a person in `entity_type`.
const USER: &str = "USER_ID";

#[derive(Debug, Default, Serialize)]
pub struct RevokedEventsDto {
    #[serde(rename = "revokedJWTList")]
    tokens: Vec<RevokedJwtDto>,
    #[serde(rename = "revokedJWTSubjectEntityList")]
    subjects: Vec<RevokedJwtSubjectEntityDto>,
    #[serde(rename = "revokedJWTConsumerKeyList")]
    consumer_keys: Vec<RevokedJwtConsumerKeyDto>,
}

/// `RevokedJWT`.
#[derive(Debug, Serialize)]
struct RevokedJwtDto {
    /// The `jti`.
    jwt_signature: String,
    /// In milliseconds, as all times here.
    expiry_time: i64,
}

/// `RevokedJWTSubjectEntity`.
#[derive(Debug, Serialize)]
struct RevokedJwtSubjectEntityDto {
    /// `user@tenant`, the `sub` of tokens.
    entity_id: String,
    entity_type: &'static str,
    /// Tokens from before no longer count.
    revocation_time: i64,
    organization: Organization,
}

/// `RevokedJWTConsumerKey`.
#[derive(Debug, Serialize)]
struct RevokedJwtConsumerKeyDto {
    consumer_key: String,
    /// Tokens from before no longer count.
    revocation_time: i64,
    organization: Organization,
}

impl FromIterator<RevocationEntry> for RevokedEventsDto {
    fn from_iter<I: IntoIterator<Item = RevocationEntry>>(entries: I) -> Self {
        let mut events = Self::default();
        for RevocationEntry { organization, revocation, expires_at } in entries {
            match revocation {
                Revocation::Token { jti } => {
                    events.tokens.push(RevokedJwtDto { jwt_signature: jti, expiry_time: expires_at.as_millis() });
                }
                Revocation::ConsumerKey { consumer_key, before } => {
                    let revocation_time = before.as_millis();
                    let revoked = RevokedJwtConsumerKeyDto { consumer_key, revocation_time, organization };
                    events.consumer_keys.push(revoked);
                }
                Revocation::User { user, before } => events.subjects.push(RevokedJwtSubjectEntityDto {
                    entity_id: user,
                    entity_type: USER,
                    revocation_time: before.as_millis(),
                    organization,
                }),
            }
        }
        events
    }
}
