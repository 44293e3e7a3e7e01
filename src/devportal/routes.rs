//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::rest::{
    api_keys, apis, application_keys, application_tokens, applications, subscriptions, throttling_policies,
};

/// Base path on the wire.
pub const BASE_PATH: &str = "/api/am/devportal/v3";

/// The operations of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE_PATH)
        .get("/apis", apis::get_apis)
        .get("/apis/{apiId}", apis::get_api)
        .get("/apis/{apiId}/swagger", apis::get_api_swagger)
        .get("/applications", applications::get_applications)
        .post("/applications", applications::create_application)
        .get("/applications/{applicationId}", applications::get_application)
        .put("/applications/{applicationId}", applications::update_application)
        .delete("/applications/{applicationId}", applications::delete_application)
        .post("/applications/{applicationId}/generate-keys", application_keys::generate_keys)
        .get("/applications/{applicationId}/keys", application_keys::get_keys)
        .get("/applications/{applicationId}/oauth-keys", application_keys::get_keys)
        .get("/applications/{applicationId}/oauth-keys/{keyMappingId}", application_keys::get_key)
        .post(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token",
            application_tokens::generate_token,
        )
        .post(
            "/applications/{applicationId}/api-keys/{keyType}/generate",
            api_keys::applications_application_id_api_keys_key_type_generate_post,
        )
        .get("/applications/{applicationId}/api-keys/{keyType}", api_keys::get_app_bound_api_keys)
        .post(
            "/applications/{applicationId}/api-keys/{keyType}/revoke",
            api_keys::applications_application_id_api_keys_key_type_revoke_post,
        )
        .get("/subscriptions", subscriptions::get_subscriptions)
        .post("/subscriptions", subscriptions::create_subscription)
        .get("/subscriptions/{subscriptionId}", subscriptions::get_subscription)
        .delete("/subscriptions/{subscriptionId}", subscriptions::delete_subscription)
        .get("/throttling-policies/{policyLevel}", throttling_policies::get_throttling_policies)
}
