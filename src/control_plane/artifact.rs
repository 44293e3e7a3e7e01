//! From the working copy to the document that gateways load.

use domain::RevisionId;
use domain::api::Api;
use domain::cors::CorsConfiguration;
use domain::runtime::{GatewayApi, GatewayOperation};

/// Freezes `api` as `revision_id`.
pub(crate) fn build(api: &Api, revision_id: RevisionId) -> GatewayApi {
    let details = &api.details;
    let header = details.authorization_header.as_deref().unwrap_or("authorization");
    GatewayApi {
        api_id: api.id,
        revision_id,
        organization: api.organization.clone(),
        name: api.name.as_str().to_owned(),
        version: api.version.as_str().to_owned(),
        provider: api.provider.clone(),
        context: api.full_context(),
        default_context: api.default_context(),
        operations: details
            .operations
            .iter()
            .map(|operation| GatewayOperation {
                verb: operation.verb.clone(),
                target: operation.target.clone(),
                auth: operation.auth,
                throttling_policy: operation.throttling_policy.clone(),
                scopes: operation.scopes.clone(),
            })
            .collect(),
        production: details.endpoints.production.clone(),
        sandbox: details.endpoints.sandbox.clone(),
        transports: details.transports.clone(),
        security_schemes: details.security_schemes.clone(),
        audiences: details.audiences.clone(),
        authorization_header: header.to_ascii_lowercase(),
        needs_subscription: !details.policies.is_empty(),
        scopes: details.scopes.clone(),
        // Checked when it was stored; what cannot be read leaves the gateway's own rules.
        cors: details.other.get("corsConfiguration").and_then(|own| CorsConfiguration::from_wire(own).ok()?),
        api_key_header: details
            .other
            .get("apiKeyHeader")
            .and_then(|header| header.as_str())
            .filter(|header| !header.is_empty())
            .map(str::to_ascii_lowercase),
        throttling_policy: details.api_policy().map(ToOwned::to_owned),
        production_maximum: details.back_end_maximum("production"),
        sandbox_maximum: details.back_end_maximum("sandbox"),
    }
}
