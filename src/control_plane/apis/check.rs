//! Rules that every working copy keeps, whoever wrote it.

use std::collections::HashSet;

use domain::api::{Api, ApiDetails, Endpoint};
use domain::throttling::policy::UNLIMITED;
use domain::throttling::{AdvancedPolicy, SubscriptionPolicy};
use domain::{Failure, Organization, error_code, scope};
use store::ApimConn;
use store::apim::{apis, policies, scopes, shared_scopes};
use url::Url;

/// Most operations that one API may have.
const OPERATIONS_MAX: usize = 10_000;
const VERBS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"];
const SECURITY_SCHEMES: [&str; 6] =
    ["oauth2", "api_key", "basic_auth", "mutualssl", "mutualssl_mandatory", "oauth_basic_auth_api_key_mandatory"];

/// Checks that need no database.
pub(crate) fn details(details: &ApiDetails) -> Result<(), Failure> {
    operations(details)?;
    one_of("transport", &details.transports, &["http", "https"])?;
    one_of("securityScheme", &details.security_schemes, &SECURITY_SCHEMES)?;
    endpoint("endpointConfig.production_endpoints.url", details.endpoints.production.as_ref())?;
    endpoint("endpointConfig.sandbox_endpoints.url", details.endpoints.sandbox.as_ref())?;
    if let Some(header) = &details.authorization_header
        && (header.is_empty()
            || header.len() > 255
            || !header.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
    {
        return Err(Failure::invalid(
            "authorizationHeader",
            "must be a header name of at most 255 letters, digits, '-' and '_'",
        ));
    }
    let mut names = HashSet::new();
    for own in &details.scopes {
        scope_name("scopes", &own.name)?;
        if !names.insert(&own.name) {
            return Err(Failure::invalid("scopes", format!("'{}' stands there twice", own.name)));
        }
    }
    for operation in &details.operations {
        if let Some(unknown) = operation.scopes.iter().find(|name| !names.contains(name)) {
            return Err(Failure::invalid(
                "operations",
                format!(
                    "{} {} needs the scope '{unknown}', which 'scopes' does not define",
                    operation.verb, operation.target
                ),
            ));
        }
    }
    Ok(())
}

/// A scope name as RFC 6749 section 3.3 has it, that is not one of the management APIs.
pub(crate) fn scope_name(field: &str, name: &str) -> Result<(), Failure> {
    const CHARS_MAX: usize = 255;
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || "\"\\".contains(c)) {
        return Err(Failure::invalid(field, format!("'{name}' is not a scope name (RFC 6749 section 3.3)")));
    }
    if name.chars().count() > CHARS_MAX {
        return Err(Failure::invalid(field, format!("has a name of more than {CHARS_MAX} characters")));
    }
    if scope::rest_api::is_rest_api_scope(name) {
        return Err(Failure::invalid(field, format!("'{name}' is a scope of the management APIs")));
    }
    Ok(())
}

fn operations(details: &ApiDetails) -> Result<(), Failure> {
    if details.operations.len() > OPERATIONS_MAX {
        return Err(Failure::invalid("operations", format!("has more than {OPERATIONS_MAX} entries")));
    }
    let mut seen = HashSet::new();
    for operation in &details.operations {
        if !VERBS.contains(&operation.verb.as_str()) {
            return Err(Failure::invalid(
                "operations",
                format!("'{}' is not a verb; use one of {}", operation.verb, VERBS.join(", ")),
            ));
        }
        target(&operation.target)
            .map_err(|reason| Failure::invalid("operations", format!("target '{}' {reason}", operation.target)))?;
        if !seen.insert((operation.verb.as_str(), operation.target.as_str())) {
            return Err(Failure::invalid(
                "operations",
                format!("{} {} stands there twice", operation.verb, operation.target),
            ));
        }
    }
    Ok(())
}

fn target(target: &str) -> Result<(), &'static str> {
    if !target.starts_with('/') {
        return Err("must start with '/'");
    }
    if target.chars().any(|c| c.is_control() || "\\?# ".contains(c)) {
        return Err("must not contain '\\', '?', '#', spaces or control characters");
    }
    if target.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("must not contain dot segments");
    }
    let mut is_open = false;
    for c in target.chars() {
        match c {
            '{' if is_open => return Err("has a '{' inside braces"),
            '{' => is_open = true,
            '}' if !is_open => return Err("has a '}' without '{'"),
            '}' => is_open = false,
            '/' if is_open => return Err("has a '/' inside braces"),
            _ => {}
        }
    }
    if is_open { Err("has a '{' without '}'") } else { Ok(()) }
}

fn one_of(field: &str, values: &[String], allowed: &[&str]) -> Result<(), Failure> {
    match values.iter().find(|value| !allowed.contains(&value.as_str())) {
        Some(value) => Err(Failure::invalid(field, format!("'{value}' is not one of {}", allowed.join(", ")))),
        None => Ok(()),
    }
}

fn endpoint(field: &str, endpoint: Option<&Endpoint>) -> Result<(), Failure> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let url = Url::parse(&endpoint.url).map_err(|error| Failure::invalid(field, format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::invalid(field, "must be an http or https URL"));
    }
    if url.host().is_none() {
        return Err(Failure::invalid(field, "must name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::invalid(field, "must not contain credentials: use endpoint_security"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Failure::invalid(field, "must not have a query or a fragment"));
    }
    Ok(())
}

/// The business plans must exist, and no scope may belong to another API.
pub(crate) fn references(conn: &mut ApimConn, api: &Api) -> Result<(), Failure> {
    for name in &api.details.policies {
        if policies::find_by_name::<SubscriptionPolicy>(conn, &api.organization, name)?.is_none() {
            return Err(Failure::refused(
                error_code::TIER_NOT_ALLOWED,
                format!("policies: there is no subscription policy '{name}'"),
            ));
        }
    }
    advanced_policies(conn, api)?;
    let mut names: Vec<String> = api.details.scopes.iter().map(|scope| scope.name.clone()).collect();
    let shared = shared_scopes::find_by_names(conn, &api.organization, &names)?;
    let is_shared = |name: &String| shared.iter().any(|own| own.name == *name);
    if let Some(scope) = api.details.scopes.iter().find(|scope| !scope.shared && is_shared(&scope.name)) {
        return Err(Failure::refused(
            error_code::CONFLICT,
            format!("scopes: '{}' is a shared scope; use it with shared: true", scope.name),
        ));
    }
    names.retain(|name| !is_shared(name));
    if let Some(taken) = scopes::find_of_other_name(conn, &api.organization, api.name.as_str(), &names)? {
        return Err(Failure::refused(
            error_code::CONFLICT,
            format!("scopes: '{taken}' is defined by another API; make it a shared scope to use it in both"),
        ));
    }
    Ok(())
}

/// The advanced policies must exist, and stay until the API that names them is stored.
fn advanced_policies(conn: &mut ApimConn, api: &Api) -> Result<(), Failure> {
    let mut names = api.details.advanced_policies();
    names.remove(UNLIMITED);
    if names.is_empty() {
        return Ok(());
    }
    policies::take_advanced_turn(conn, &api.organization)?;
    for name in names {
        let is_name = !name.chars().any(char::is_control);
        if is_name && policies::find_by_name::<AdvancedPolicy>(conn, &api.organization, name)?.is_some() {
            continue;
        }
        let field = if api.details.api_policy() == Some(name) { "apiThrottlingPolicy" } else { "operations" };
        return Err(Failure::refused(
            error_code::TIER_NOT_ALLOWED,
            format!("{field}: there is no advanced policy '{name}'"),
        ));
    }
    Ok(())
}

/// Name, version and context must be free for a new API.
pub(crate) fn is_free(conn: &mut ApimConn, organization: &Organization, api: &Api) -> Result<(), Failure> {
    for other in apis::list_by_name(conn, organization, api.name.as_str())? {
        if other.version == api.version {
            return Err(version_taken(api));
        }
        if other.context != api.context {
            return Err(Failure::refused(
                error_code::API_ALREADY_EXISTS,
                format!(
                    "name: an API with the name '{}' exists under the context '{}'; another version must keep it",
                    api.name.as_str(),
                    other.context.as_str()
                ),
            ));
        }
    }
    match apis::list_by_context(conn, organization, api.context.as_str())?
        .into_iter()
        .find(|other| other.name != api.name)
    {
        Some(other) => Err(context_taken(api, other.name.as_str())),
        None => Ok(()),
    }
}

fn version_taken(api: &Api) -> Failure {
    Failure::refused(
        error_code::API_VERSION_ALREADY_EXISTS,
        format!("version: the API '{}' already has a version '{}'", api.name.as_str(), api.version.as_str()),
    )
}

fn context_taken(api: &Api, by: &str) -> Failure {
    Failure::refused(
        error_code::API_CONTEXT_ALREADY_EXISTS,
        format!("context: '{}' belongs to the API '{by}'", api.context.as_str()),
    )
}

/// What a unique key says when a concurrent request was faster than [`is_free`].
pub(crate) fn taken_meanwhile(api: &Api, constraint: &str) -> Failure {
    if constraint.contains("context") { context_taken(api, "of a concurrent request") } else { version_taken(api) }
}
