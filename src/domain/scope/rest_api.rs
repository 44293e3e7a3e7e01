//! Scopes of the management REST APIs and the roles that get them: the scopes of the operations in the REST API
//! specifications, the roles of WSO2's default tenant configuration (`RESTAPIScopes`).

use crate::user::role::{ADMIN, CREATOR, DEVOPS, PUBLISHER, SUBSCRIBER};

/// Roles that the tenant configuration names and that exist once somebody makes them.
const ANALYTICS: &str = "Internal/analytics";
const INTEGRATION_DEVELOPER: &str = "Internal/integration_dev";
const OBSERVER: &str = "Internal/observer";

/// Prefixes that are kept for the REST APIs: no API may hand out a scope of its own under them.
const PREFIXES: [&str; 2] = ["apim:", "service_catalog:"];

/// Scope and roles, in the order of the scopes' names. The administrator gets every scope.
const ROLES_BY_SCOPE: &[(&str, &[&str])] = &[
    ("apim:admin", &[ADMIN]),
    ("apim:admin_alert_manage", &[ADMIN]),
    ("apim:admin_operations", &[ADMIN]),
    ("apim:admin_settings", &[ADMIN]),
    ("apim:api_create", &[ADMIN, CREATOR]),
    ("apim:api_definition_view", &[ADMIN, INTEGRATION_DEVELOPER]),
    ("apim:api_delete", &[ADMIN, CREATOR]),
    ("apim:api_generate_key", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:api_import_export", &[ADMIN, DEVOPS]),
    ("apim:api_key", &[ADMIN, SUBSCRIBER]),
    ("apim:api_list_view", &[ADMIN, INTEGRATION_DEVELOPER]),
    ("apim:api_manage", &[ADMIN]),
    ("apim:api_mediation_policy_manage", &[ADMIN, CREATOR]),
    ("apim:api_product_import_export", &[ADMIN, DEVOPS]),
    ("apim:api_provider_change", &[ADMIN]),
    ("apim:api_publish", &[ADMIN, PUBLISHER]),
    ("apim:api_view", &[ADMIN, CREATOR, PUBLISHER, ANALYTICS, OBSERVER]),
    ("apim:api_workflow_approve", &[ADMIN]),
    ("apim:api_workflow_view", &[ADMIN]),
    ("apim:app_import_export", &[ADMIN, DEVOPS]),
    ("apim:app_manage", &[ADMIN, SUBSCRIBER, DEVOPS]),
    ("apim:app_owner_change", &[ADMIN]),
    ("apim:bl_manage", &[ADMIN]),
    ("apim:bl_view", &[ADMIN]),
    ("apim:bot_data", &[ADMIN]),
    ("apim:client_certificates_add", &[ADMIN, CREATOR]),
    ("apim:client_certificates_manage", &[ADMIN, CREATOR]),
    ("apim:client_certificates_update", &[ADMIN, CREATOR]),
    ("apim:client_certificates_view", &[ADMIN, CREATOR]),
    ("apim:comment_manage", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:comment_view", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:comment_write", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:common_operation_policy_manage", &[ADMIN, CREATOR]),
    ("apim:common_operation_policy_view", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:document_create", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:document_manage", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:environment_manage", &[ADMIN]),
    ("apim:environment_read", &[ADMIN]),
    ("apim:ep_certificates_add", &[ADMIN, CREATOR]),
    ("apim:ep_certificates_manage", &[ADMIN, CREATOR]),
    ("apim:ep_certificates_update", &[ADMIN, CREATOR]),
    ("apim:ep_certificates_view", &[ADMIN, CREATOR]),
    ("apim:gateway_policy_manage", &[ADMIN]),
    ("apim:gateway_policy_view", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:gov_policy_manage", &[ADMIN]),
    ("apim:gov_policy_read", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:gov_result_read", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:gov_rule_manage", &[ADMIN]),
    ("apim:gov_rule_read", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:label_manage", &[ADMIN]),
    ("apim:label_read", &[ADMIN]),
    ("apim:llm_provider_manage", &[ADMIN]),
    ("apim:llm_provider_read", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:mcp_server_create", &[ADMIN, CREATOR]),
    ("apim:mcp_server_delete", &[ADMIN, CREATOR]),
    ("apim:mcp_server_import_export", &[ADMIN, DEVOPS]),
    ("apim:mcp_server_list_view", &[ADMIN, INTEGRATION_DEVELOPER]),
    ("apim:mcp_server_manage", &[ADMIN]),
    ("apim:mcp_server_publish", &[ADMIN, PUBLISHER]),
    ("apim:mcp_server_view", &[ADMIN, CREATOR, PUBLISHER, ANALYTICS, OBSERVER]),
    ("apim:mediation_policy_create", &[ADMIN, CREATOR]),
    ("apim:mediation_policy_manage", &[ADMIN, CREATOR]),
    ("apim:mediation_policy_view", &[ADMIN, CREATOR]),
    ("apim:monetization_usage_publish", &[ADMIN, PUBLISHER]),
    ("apim:organization_manage", &[ADMIN]),
    ("apim:organization_read", &[ADMIN]),
    ("apim:policies_import_export", &[ADMIN, DEVOPS]),
    ("apim:publisher_organization_read", &[ADMIN, CREATOR]),
    ("apim:publisher_settings", &[ADMIN, CREATOR, PUBLISHER, OBSERVER]),
    ("apim:scope_manage", &[ADMIN]),
    ("apim:shared_scope_manage", &[ADMIN]),
    ("apim:store_settings", &[ADMIN, SUBSCRIBER]),
    ("apim:sub_manage", &[ADMIN, SUBSCRIBER, DEVOPS]),
    ("apim:subscribe", &[ADMIN, SUBSCRIBER, DEVOPS]),
    ("apim:subscription_block", &[ADMIN, PUBLISHER]),
    ("apim:subscription_manage", &[ADMIN, PUBLISHER]),
    ("apim:subscription_view", &[ADMIN, CREATOR, PUBLISHER]),
    ("apim:tenantInfo", &[ADMIN]),
    ("apim:tenant_theme_manage", &[ADMIN]),
    ("apim:tier_manage", &[ADMIN]),
    ("apim:tier_view", &[ADMIN, CREATOR, PUBLISHER]),
    ("service_catalog:service_view", &[ADMIN, CREATOR, PUBLISHER]),
    ("service_catalog:service_write", &[ADMIN, CREATOR]),
];

/// Roles of which a user needs one to get the scope; none for what is no scope of the REST APIs.
#[must_use]
pub fn roles_of(scope: &str) -> &'static [&'static str] {
    match ROLES_BY_SCOPE.binary_search_by_key(&scope, |(name, _)| name) {
        Ok(index) => ROLES_BY_SCOPE.get(index).map_or(&[], |(_, roles)| roles),
        Err(_) => &[],
    }
}

/// Whether a user with these roles may have the scope.
#[must_use]
pub fn is_allowed<R: AsRef<str>>(scope: &str, roles: &[R]) -> bool {
    roles_of(scope).iter().any(|allowed| roles.iter().any(|own| own.as_ref() == *allowed))
}

/// Every scope that a user with these roles may have, in the order of their names.
#[must_use]
pub fn scopes_for<R: AsRef<str>>(roles: &[R]) -> Vec<&'static str> {
    ROLES_BY_SCOPE.iter().map(|(scope, _)| *scope).filter(|scope| is_allowed(scope, roles)).collect()
}

/// Every scope of the REST APIs, in the order of their names.
pub fn all() -> impl Iterator<Item = &'static str> {
    ROLES_BY_SCOPE.iter().map(|(scope, _)| *scope)
}

/// Whether the name is kept for the REST APIs, known or not.
#[must_use]
pub fn is_rest_api_scope(scope: &str) -> bool {
    PREFIXES.iter().any(|prefix| scope.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::role::EVERYONE;

    #[test]
    fn the_table_is_sorted_without_repetition() {
        assert!(ROLES_BY_SCOPE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn every_scope_has_a_reserved_prefix_and_goes_to_the_administrator() {
        for (scope, roles) in ROLES_BY_SCOPE {
            assert!(is_rest_api_scope(scope), "{scope}");
            assert!(roles.contains(&ADMIN), "{scope}");
        }
        assert_eq!(scopes_for(&[ADMIN]).len(), all().count());
    }

    #[test]
    fn a_subscriber_gets_the_developer_portal_and_nothing_of_the_publisher() {
        let scopes = scopes_for(&[SUBSCRIBER, EVERYONE]);
        assert_eq!(
            scopes,
            ["apim:api_key", "apim:app_manage", "apim:store_settings", "apim:sub_manage", "apim:subscribe"]
        );
    }

    #[test]
    fn creators_create_and_publishers_publish() {
        assert!(is_allowed("apim:api_create", &[CREATOR]) && !is_allowed("apim:api_publish", &[CREATOR]));
        assert!(is_allowed("apim:api_publish", &[PUBLISHER]) && !is_allowed("apim:api_create", &[PUBLISHER]));
        assert!(is_allowed("apim:api_import_export", &[DEVOPS]));
    }

    #[test]
    fn an_unknown_name_is_nobodys_scope() {
        assert!(roles_of("apim:everything").is_empty());
        assert!(!is_allowed("apim:everything", &[ADMIN]));
        assert!(is_rest_api_scope("apim:everything") && !is_rest_api_scope("orders:read"));
    }
}
