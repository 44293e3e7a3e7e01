//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::rest::{
    api_lifecycle, api_revisions, api_versions, apis, import_export, internal_keys, key_managers, search, settings,
    shared_scopes, subscriptions, throttling_policies, validation,
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
        .put("/apis/{apiId}/swagger", api_versions::update_api_swagger)
        .post("/apis/copy-api", api_versions::create_new_api_version)
        .post("/apis/import-openapi", apis::import_open_api_definition)
        .post("/apis/validate-openapi", validation::validate_open_api_definition)
        .post("/apis/validate", validation::validate_api)
        .post("/apis/change-lifecycle", api_lifecycle::change_api_lifecycle)
        .get("/apis/{apiId}/lifecycle-state", api_lifecycle::get_api_lifecycle_state)
        .get("/apis/{apiId}/lifecycle-history", api_lifecycle::get_api_lifecycle_history)
        .get("/apis/{apiId}/revisions/{revisionId}", api_revisions::get_api_revision)
        .delete("/apis/{apiId}/revisions/{revisionId}", api_revisions::delete_api_revision)
        .post("/apis/{apiId}/restore-revision", api_revisions::restore_api_revision)
        .get("/apis/{apiId}/deployments", api_revisions::get_api_revision_deployments)
        .get("/subscriptions", subscriptions::get_subscriptions)
        .post("/subscriptions/block-subscription", subscriptions::block_subscription)
        .post("/subscriptions/unblock-subscription", subscriptions::un_block_subscription)
        .get("/apis/export", import_export::export_api)
        .post("/apis/import", import_export::import_api)
        .get("/scopes", shared_scopes::get_shared_scopes)
        .post("/scopes", shared_scopes::add_shared_scope)
        .get("/scopes/{scopeId}", shared_scopes::get_shared_scope)
        .put("/scopes/{scopeId}", shared_scopes::update_shared_scope)
        .delete("/scopes/{scopeId}", shared_scopes::delete_shared_scope)
        .head("/scopes/{scopeId}", shared_scopes::validate_scope)
        .get("/key-managers", key_managers::get_all_key_managers)
        .get("/apis/{apiId}/revisions", api_revisions::get_api_revisions)
        .post("/apis/{apiId}/revisions", api_revisions::create_api_revision)
        .post("/apis/{apiId}/deploy-revision", api_revisions::deploy_api_revision)
        .post("/apis/{apiId}/undeploy-revision", api_revisions::undeploy_api_revision)
        .post("/apis/{apiId}/generate-key", internal_keys::generate_internal_api_key)
        .get("/throttling-policies/{policyLevel}", throttling_policies::get_all_throttling_policies)
        .get("/throttling-policies/streaming/subscription", throttling_policies::get_subscription_throttling_policies)
        .get("/throttling-policies/{policyLevel}/{policyName}", throttling_policies::get_throttling_policy_by_name)
        .get("/search", search::search)
        .get("/settings", settings::get_settings)
}
