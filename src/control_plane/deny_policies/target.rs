//! What an administrator's words mean: the API, the application or the user that they name.

use std::net::IpAddr;

use domain::api::Api;
use domain::throttling::DenyTarget;
use domain::{Failure, Organization, tenant};
use store::ApimConn;
use store::apim::{apis, applications};

use crate::tenant_user::tenant_user;

/// Longest condition, in characters.
const CHARS_MAX: usize = 512;
/// Most places at which the names of a subscriber and an application are taken apart.
const SPLITS_MAX: usize = 16;

/// A condition as the wire has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyWish {
    /// `/pizza/1.0.0`, of a tenant also with `/t/<tenant>` before it.
    Api(String),
    /// `subscriber:application`.
    Application(String),
    /// `user` or `user@tenant`.
    User(String),
    Address {
        address: IpAddr,
        is_inverted: bool,
    },
    AddressRange {
        first: IpAddr,
        last: IpAddr,
        is_inverted: bool,
    },
    /// `/pizza/1.0.0:subscriber-application:PRODUCTION`, also with `1.0.0:` before the subscriber.
    Subscription(String),
}

fn invalid(reason: impl std::fmt::Display) -> Failure {
    Failure::invalid("conditionValue", reason)
}

/// # Errors
/// 400 naming the field; the same for what is not there and for what is another tenant's.
pub(super) fn resolve(
    conn: &mut ApimConn,
    organization: &Organization,
    wish: &DenyWish,
) -> Result<DenyTarget, Failure> {
    match wish {
        DenyWish::Api(text) => {
            let api = api(conn, organization, checked(text)?)?;
            Ok(DenyTarget::ApiContext { context: api.full_context() })
        }
        DenyWish::Application(text) => {
            let form = || invalid("must be subscriber:application");
            let (subscriber, name) = checked(text)?.split_once(':').ok_or_else(form)?;
            application(conn, organization, (subscriber, name))?
                .map(|(subscriber, application)| DenyTarget::Application { subscriber, application })
                .ok_or_else(|| invalid("there is no such application"))
        }
        DenyWish::User(text) => {
            Ok(DenyTarget::User { user: tenant_user("conditionValue", organization, checked(text)?)? })
        }
        DenyWish::Subscription(text) => subscription(conn, organization, checked(text)?),
        DenyWish::Address { address, is_inverted } => {
            Ok(DenyTarget::Address { address: *address, is_inverted: *is_inverted })
        }
        DenyWish::AddressRange { first, last, .. } if first.is_ipv4() != last.is_ipv4() => {
            Err(invalid("endingIp must be of the same family as startingIp"))
        }
        DenyWish::AddressRange { first, last, .. } if first > last => {
            Err(invalid("endingIp must not be before startingIp"))
        }
        DenyWish::AddressRange { first, last, is_inverted } => {
            Ok(DenyTarget::AddressRange { first: *first, last: *last, is_inverted: *is_inverted })
        }
    }
}

fn checked(text: &str) -> Result<&str, Failure> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > CHARS_MAX || text.chars().any(char::is_control) {
        return Err(invalid(format!("must have 1 to {CHARS_MAX} characters, none of them a control character")));
    }
    Ok(text)
}

/// The API that is meant by its path.
fn api(conn: &mut ApimConn, organization: &Organization, text: &str) -> Result<Api, Failure> {
    let prefix = tenant::path_prefix(organization);
    let context = if text.starts_with(&format!("{prefix}/")) { text.to_owned() } else { format!("{prefix}{text}") };
    apis::find_by_full_context(conn, organization, &context)?
        .ok_or_else(|| invalid("there is no API with this context and version; write it like /pizza/1.0.0"))
}

/// The names of an application that exists, its owner's without the tenant.
fn application(
    conn: &mut ApimConn,
    organization: &Organization,
    (subscriber, name): (&str, &str),
) -> Result<Option<(String, String)>, Failure> {
    let owner = subscriber.strip_suffix(&format!("@{organization}")).unwrap_or(subscriber);
    let exists = applications::is_name_taken(conn, organization, owner, name)?;
    Ok(exists.then(|| (owner.to_owned(), name.to_owned())))
}

fn subscription(conn: &mut ApimConn, organization: &Organization, text: &str) -> Result<DenyTarget, Failure> {
    let form = || invalid("must be <context with version>:<subscriber>-<application>:PRODUCTION or SANDBOX");
    let (path, rest) = text.split_once(':').ok_or_else(form)?;
    let (names, key_type) = rest.rsplit_once(':').ok_or_else(form)?;
    let is_sandbox = match key_type {
        "PRODUCTION" => false,
        "SANDBOX" => true,
        _ => return Err(form()),
    };
    let api = api(conn, organization, path)?;
    let context = api.full_context();
    let without_version = names.split_once(':').filter(|(version, _)| *version == api.version.as_str());
    let names = without_version.map_or(names, |(_, names)| names);
    // Both names may have dashes of their own.
    for (place, _) in names.match_indices('-').take(SPLITS_MAX) {
        let pair = (names.get(..place).unwrap_or_default(), names.get(place + 1..).unwrap_or_default());
        if let Some((subscriber, application)) = application(conn, organization, pair)? {
            return Ok(DenyTarget::Subscription { context, subscriber, application, is_sandbox });
        }
    }
    Err(invalid("there is no such application"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_long_and_unprintable_conditions_are_refused() {
        assert_eq!(checked(" a ").unwrap(), "a");
        for wrong in ["", "  ", "a\0b", &"x".repeat(CHARS_MAX + 1)] {
            assert!(checked(wrong).is_err(), "{wrong:?}");
        }
    }
}
