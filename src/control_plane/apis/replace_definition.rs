//! `PUT /apis/{apiId}/swagger`: operations and scopes follow a new definition.

use domain::Failure;
use domain::api::{Api, ApiScope, Operation};
use domain::definition::openapi::{OpenApi, ParsedOperation};
use domain::oauth::Principal;
use store::apim::apis;
use store::shared::registry;

use super::{Uploaded, check, check_expected, not_found, parse_id, store_change};
use crate::ControlPlane;

impl ControlPlane {
    /// Takes the document over; its bytes go to the registry as they are.
    ///
    /// # Errors
    /// 404; 412 when `expected` is stale; 400 when the operations or scopes break a rule.
    pub async fn replace_definition(
        &self,
        caller: &Principal,
        id: &str,
        expected: Option<Vec<i64>>,
        uploaded: Uploaded,
    ) -> Result<Api, Failure> {
        self.get_api(caller, id).await?;
        let id = parse_id(id)?;
        let (media_type, parsed) = (uploaded.media_type(), uploaded.parsed);
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        let hash = registry::put(self.shared(), &organization, media_type, uploaded.bytes, now).await?;
        self.apim()
            .write(move |conn| {
                let stored = apis::lock(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                check_expected(expected.as_deref(), stored.row_version)?;
                let mut api = stored.clone();
                follow(&mut api, &parsed);
                check::details(&api.details)?;
                api.definition_hash = Some(hash.clone());
                api.updated_at = now;
                api.updated_by.clone_from(&user);
                api.row_version += 1;
                store_change(conn, &stored, &api)?;
                Ok(api)
            })
            .await
    }
}

/// Gives the API the document's operations and scopes. What the document does not speak of (who may call an operation,
/// which roles a scope needs) stays as it was, so that a plain document never opens what was closed.
fn follow(api: &mut Api, definition: &OpenApi) {
    let details = &mut api.details;
    let operations = definition.operations.iter().map(|parsed| operation(parsed, &details.operations)).collect();
    let mut scopes: Vec<ApiScope> = definition.scopes.iter().map(|parsed| scope(parsed, &details.scopes)).collect();
    let is_used = |name: &str| definition.operations.iter().any(|own| own.scopes.iter().any(|scope| scope == name));
    // A shared scope need not be defined by the document that uses it.
    for known in details.scopes.iter().filter(|known| known.shared && is_used(&known.name)) {
        if !scopes.iter().any(|scope| scope.name == known.name) {
            scopes.push(known.clone());
        }
    }
    details.operations = operations;
    details.scopes = scopes;
}

fn operation(parsed: &ParsedOperation, known: &[Operation]) -> Operation {
    let mut operation = parsed.to_operation();
    if let Some(known) = known.iter().find(|known| known.verb == parsed.verb && known.target == parsed.target) {
        operation.auth = parsed.auth.unwrap_or(known.auth);
        operation.other.clone_from(&known.other);
        if parsed.throttling_policy.is_none() {
            operation.throttling_policy.clone_from(&known.throttling_policy);
        }
    }
    operation
}

fn scope(parsed: &ApiScope, known: &[ApiScope]) -> ApiScope {
    let Some(known) = known.iter().find(|known| known.name == parsed.name) else { return parsed.clone() };
    if known.shared {
        return known.clone();
    }
    let mut scope = parsed.clone();
    if scope.roles.is_empty() {
        scope.roles.clone_from(&known.roles);
    }
    if scope.display_name == scope.name {
        scope.display_name.clone_from(&known.display_name);
    }
    scope
}
