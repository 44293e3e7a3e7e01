//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::rest::{
    api_keys, apis, application_keys, application_secrets, application_tokens, applications, key_managers, search,
    settings, subscriptions, tags, throttling_policies, users,
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
        .post("/applications/{applicationId}/reset-throttle-policy", applications::reset_throttle_policy)
        .post("/applications/{applicationId}/generate-keys", application_keys::generate_keys)
        .post("/applications/{applicationId}/map-keys", application_keys::map_keys)
        .get("/applications/{applicationId}/keys", application_keys::get_keys)
        .get("/applications/{applicationId}/keys/{keyType}", application_keys::get_key)
        .put("/applications/{applicationId}/keys/{keyType}", application_keys::update_key)
        .post("/applications/{applicationId}/keys/{keyType}/regenerate-secret", application_keys::regenerate_secret)
        .post("/applications/{applicationId}/keys/{keyType}/clean-up", application_keys::clean_up)
        .post("/applications/{applicationId}/keys/{keyType}/generate-token", application_tokens::generate_token)
        .get("/applications/{applicationId}/oauth-keys", application_keys::get_keys)
        .get("/applications/{applicationId}/oauth-keys/{keyMappingId}", application_keys::get_key)
        .put("/applications/{applicationId}/oauth-keys/{keyMappingId}", application_keys::update_key)
        .delete("/applications/{applicationId}/oauth-keys/{keyMappingId}", application_keys::delete_key)
        .post(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/regenerate-secret",
            application_keys::regenerate_secret,
        )
        .post("/applications/{applicationId}/oauth-keys/{keyMappingId}/clean-up", application_keys::clean_up)
        .post(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token",
            application_tokens::generate_token,
        )
        .post(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-secret",
            application_secrets::generate_consumer_secret,
        )
        .get(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/secrets",
            application_secrets::get_consumer_secrets,
        )
        .post(
            "/applications/{applicationId}/oauth-keys/{keyMappingId}/revoke-secret",
            application_secrets::revoke_consumer_secret,
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
        .post("/subscriptions/multiple", subscriptions::create_subscriptions)
        .get("/subscriptions/{subscriptionId}", subscriptions::get_subscription)
        .get("/subscriptions/{subscriptionId}/quota", subscriptions::get_subscription_quota)
        .put("/subscriptions/{subscriptionId}", subscriptions::update_subscription)
        .delete("/subscriptions/{subscriptionId}", subscriptions::delete_subscription)
        .get("/throttling-policies/{policyLevel}", throttling_policies::get_throttling_policies)
        .get("/throttling-policies/{policyLevel}/{policyId}", throttling_policies::get_throttling_policy)
        .get("/tags", tags::get_tags)
        .get("/search", search::search)
        .get("/settings", settings::get_settings)
        .get("/key-managers", key_managers::get_key_managers)
        .post("/me/change-password", users::change_user_password)
}
