//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::rest::{
    api_lifecycle, api_revisions, apis, internal_keys, search, settings, throttling_policies, validation,
};

/// Base path on the wire.
pub const BASE_PATH: &str = "/api/am/publisher/v4";

/// The operations of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE_PATH)
        .get("/apis", apis::get_all_apis)
        .post("/apis", apis::create_api)
        .get("/apis/{apiId}", apis::get_api)
        .put("/apis/{apiId}", apis::update_api)
        .delete("/apis/{apiId}", apis::delete_api)
        .get("/apis/{apiId}/swagger", apis::get_api_swagger)
        .post("/apis/import-openapi", apis::import_open_api_definition)
        .post("/apis/validate-openapi", validation::validate_open_api_definition)
        .post("/apis/change-lifecycle", api_lifecycle::change_api_lifecycle)
        .get("/apis/{apiId}/lifecycle-state", api_lifecycle::get_api_lifecycle_state)
        .get("/apis/{apiId}/revisions", api_revisions::get_api_revisions)
        .post("/apis/{apiId}/revisions", api_revisions::create_api_revision)
        .post("/apis/{apiId}/deploy-revision", api_revisions::deploy_api_revision)
        .post("/apis/{apiId}/undeploy-revision", api_revisions::undeploy_api_revision)
        .post("/apis/{apiId}/generate-key", internal_keys::generate_internal_api_key)
        .get("/throttling-policies/{policyLevel}", throttling_policies::get_all_throttling_policies)
        .get("/search", search::search)
        .get("/settings", settings::get_settings)
}
