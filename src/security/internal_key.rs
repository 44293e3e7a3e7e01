//! Internal keys: short-lived JWTs with which a publisher tries out one API, in whatever state it is.

use domain::ApiId;
use serde::{Deserialize, Serialize};

/// `typ` of internal keys: no other kind of token has it.
pub const INTERNAL_KEY_TYPE: &str = "internal-key+jwt";

/// Claims of an internal key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternalKeyClaims {
    /// `user@tenant` of the publisher.
    pub sub: String,
    /// The one API that the key opens.
    pub api_id: ApiId,
    /// Seconds since 1970, like `iat` and `exp`.
    pub nbf: i64,
    pub iat: i64,
    pub exp: i64,
    pub iss: String,
    pub jti: String,
}
