//! Which of the requested scopes a token gets. What is not granted is dropped, never refused.

use config::sections::oauth::UnknownScopes;
use domain::Organization;
use domain::oauth::Client;
use domain::scope::rest_api;
use store::ApimDb;
use store::StoreError;
use store::apim::scopes::{self, RegisteredScope};

use crate::error::OAuthError;

/// The scope of a token that gets no other.
pub(crate) const DEFAULT_SCOPE: &str = "default";

/// Most scopes of one request, and longest scope in characters.
const SCOPES_MAX: usize = 200;
const SCOPE_CHARS_MAX: usize = 255;

/// Reads the parameter `scope` (RFC 6749 section 3.3); repetitions are left out.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, OAuthError> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split_ascii_whitespace() {
        if !is_valid(scope) {
            return Err(OAuthError::InvalidRequest(
                "the parameter 'scope' holds a character that is not allowed".into(),
            ));
        }
        if !scopes.iter().any(|own| own == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if scopes.len() > SCOPES_MAX {
        return Err(OAuthError::InvalidRequest(format!("more than {SCOPES_MAX} scopes are requested")));
    }
    Ok(scopes)
}

fn is_valid(scope: &str) -> bool {
    scope.len() <= SCOPE_CHARS_MAX && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Scopes that need no look-up: they ask for a kind of answer or name a device.
fn passes_unchecked(scope: &str) -> bool {
    scope == "openid" || scope.starts_with("device_")
}

/// Whether a token of the client may have scopes of the management REST APIs at all.
fn may_manage(client: &Client) -> bool {
    !client.is_portal_application
}

/// Those of `requested` that APIs of the organization define.
pub(crate) async fn find_registered(
    apim_db: &ApimDb,
    organization: &Organization,
    requested: &[String],
) -> Result<Vec<RegisteredScope>, StoreError> {
    let names: Vec<String> = requested
        .iter()
        .filter(|scope| !rest_api::is_rest_api_scope(scope) && !passes_unchecked(scope))
        .cloned()
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let organization = organization.clone();
    apim_db.read(move |conn| scopes::find_many(conn, &organization, &names)).await
}

/// Whether granting depends on the roles of a user.
pub(crate) fn needs_roles(client: &Client, requested: &[String], registered: &[RegisteredScope]) -> bool {
    registered.iter().any(|scope| !scope.roles.is_empty())
        || (may_manage(client) && requested.iter().any(|scope| rest_api::is_rest_api_scope(scope)))
}

/// The scopes that the token gets, in the order of the request; [`DEFAULT_SCOPE`] when none is left. `roles` are those of
/// the user, or of the client's owner when the client speaks for itself.
pub(crate) fn grant(
    client: &Client,
    requested: &[String],
    registered: &[RegisteredScope],
    roles: &[String],
    unknown: UnknownScopes,
) -> Vec<String> {
    let is_granted = |scope: &String| {
        if rest_api::is_rest_api_scope(scope) {
            return may_manage(client) && rest_api::is_allowed(scope, roles);
        }
        if passes_unchecked(scope) {
            return true;
        }
        let mut definitions = registered.iter().filter(|registered| registered.name == *scope).peekable();
        if definitions.peek().is_none() {
            return unknown == UnknownScopes::Grant;
        }
        definitions.any(|scope| scope.roles.is_empty() || scope.roles.iter().any(|role| roles.contains(role)))
    };
    let granted: Vec<String> = requested.iter().filter(|scope| is_granted(scope)).cloned().collect();
    if granted.is_empty() { vec![DEFAULT_SCOPE.to_owned()] } else { granted }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn client(is_portal_application: bool) -> Client {
        Client {
            id: "c".to_owned(),
            organization: Organization::super_tenant(),
            name: "n".to_owned(),
            owner: "admin".to_owned(),
            grant_types: Vec::new(),
            callback_url: String::new(),
            is_saas_app: false,
            application_token_lifetime_secs: None,
            user_token_lifetime_secs: None,
            refresh_token_lifetime_secs: None,
            is_portal_application,
            additional_properties: serde_json::Map::new(),
            created_at: Timestamp::from_secs(0),
        }
    }

    fn registered() -> Vec<RegisteredScope> {
        vec![
            RegisteredScope { name: "read".to_owned(), roles: Vec::new() },
            RegisteredScope { name: "write".to_owned(), roles: vec!["editor".to_owned()] },
        ]
    }

    fn granted(client: &Client, requested: &str, roles: &[&str], unknown: UnknownScopes) -> String {
        let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
        grant(client, &parse(requested).unwrap(), &registered(), &roles, unknown).join(" ")
    }

    #[test]
    fn scopes_follow_roles_and_the_rest_is_dropped() {
        let tool = client(false);
        let drop = UnknownScopes::Drop;
        assert_eq!(
            granted(&tool, "apim:api_create apim:admin read", &["Internal/creator"], drop),
            "apim:api_create read"
        );
        assert_eq!(granted(&tool, "write read", &[], drop), "read");
        assert_eq!(granted(&tool, "write read write", &["editor"], drop), "write read");
        assert_eq!(granted(&tool, "unheard apim:unheard", &["admin"], drop), "default");
        assert_eq!(granted(&tool, "", &["admin"], drop), "default");
    }

    #[test]
    fn a_portal_application_never_gets_management_scopes() {
        assert_eq!(granted(&client(true), "apim:admin read", &["admin"], UnknownScopes::Drop), "read");
        assert_eq!(granted(&client(true), "apim:admin", &["admin"], UnknownScopes::Grant), "default");
    }

    #[test]
    fn unknown_scopes_are_granted_when_configured_but_never_registered_or_reserved_ones() {
        assert_eq!(granted(&client(false), "PRODUCTION write apim:x", &[], UnknownScopes::Grant), "PRODUCTION");
    }

    #[test]
    fn openid_and_device_scopes_pass() {
        assert_eq!(granted(&client(true), "openid device_1 x", &[], UnknownScopes::Drop), "openid device_1");
    }

    #[test]
    fn characters_that_rfc_6749_does_not_allow_are_refused() {
        assert!(parse("a\"b").is_err() && parse("a\\b").is_err() && parse("é").is_err());
        assert!(parse(&"x".repeat(256)).is_err());
        assert!(parse(&(0..201).map(|i| i.to_string()).collect::<Vec<_>>().join(" ")).is_err());
    }
}
