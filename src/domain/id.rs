//! Every identifier is its own type, so that an application id can never be passed where an API id belongs.

mod reference;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use reference::{InvalidReference, Reference};

/// The text is not the UUID that an identifier must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a UUID")]
pub struct InvalidId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random identifier (time-ordered, so that indexes stay compact).
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::now_v7())
            }

            /// A 31-bit number for interfaces that know numbers only: the id's last bits, which are random. Two ids may
            /// have the same one (among 10,000 some do in one case of 40), so whoever can compares ids.
            #[must_use]
            pub fn number(&self) -> u32 {
                let [.., a, b, c, d] = *self.0.as_bytes();
                u32::from_be_bytes([a & 0x7f, b, c, d])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId(text.chars().take(64).collect()))
            }
        }
    )*};
}

ids! {
    /// An API (WSO2 `API.id`).
    ApiId;
    /// An API key of an application (WSO2 `APIKeyInfo.keyUUID`).
    ApiKeyId;
    /// An application of the developer portal (WSO2 `Application.applicationId`).
    ApplicationId;
    /// One entry of an event log; the receiver's key for doing things once.
    EventId;
    /// An application's OAuth client under one key type (WSO2 `ApplicationKey.keyMappingId`).
    KeyMappingId;
    /// A throttling policy (WSO2 `policyId`).
    PolicyId;
    /// A frozen copy of an API (WSO2 `APIRevision.id`).
    RevisionId;
    /// A scope that several APIs share.
    ScopeId;
    /// An application's right to call an API under a tier (WSO2 `Subscription.subscriptionId`).
    SubscriptionId;
    /// A person in the user store.
    UserId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = ApiId::random();
        assert_eq!(id.to_string().parse::<ApiId>().unwrap(), id);
    }

    #[test]
    fn a_text_that_is_no_uuid_is_refused_with_the_text() {
        let error = "../../etc".parse::<ApiId>().unwrap_err();
        assert_eq!(error.to_string(), "'../../etc' is not a UUID");
    }
}
