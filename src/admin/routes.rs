//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::dto::advanced_policy::AdvancedThrottlePolicyDto;
use crate::dto::custom_rule::CustomRuleDto;
use crate::dto::policy::{ApplicationThrottlePolicyDto, SubscriptionThrottlePolicyDto};
use crate::rest::tenants::{create_tenant, get_tenants};
use crate::rest::throttle_policies::{create, delete, get, list, update};
use crate::rest::{applications, deny_policies, import_export, overview, tenant_config};

/// Base path on the wire.
pub const BASE_PATH: &str = "/api/am/admin/v4";

/// The operations of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE_PATH)
        // Not of the contract, which leaves tenants to another interface.
        .get("/tenants", get_tenants)
        .post("/tenants", create_tenant)
        .get("/throttling/policies/search", overview::throttling_policy_search)
        .get("/throttling/policies/application", list::<ApplicationThrottlePolicyDto>)
        .post("/throttling/policies/application", create::<ApplicationThrottlePolicyDto>)
        .get("/throttling/policies/application/{policyId}", get::<ApplicationThrottlePolicyDto>)
        .put("/throttling/policies/application/{policyId}", update::<ApplicationThrottlePolicyDto>)
        .delete("/throttling/policies/application/{policyId}", delete::<ApplicationThrottlePolicyDto>)
        .get("/throttling/policies/subscription", list::<SubscriptionThrottlePolicyDto>)
        .post("/throttling/policies/subscription", create::<SubscriptionThrottlePolicyDto>)
        .get("/throttling/policies/subscription/{policyId}", get::<SubscriptionThrottlePolicyDto>)
        .put("/throttling/policies/subscription/{policyId}", update::<SubscriptionThrottlePolicyDto>)
        .delete("/throttling/policies/subscription/{policyId}", delete::<SubscriptionThrottlePolicyDto>)
        .get("/throttling/policies/custom", list::<CustomRuleDto>)
        .post("/throttling/policies/custom", create::<CustomRuleDto>)
        .get("/throttling/policies/custom/{ruleId}", get::<CustomRuleDto>)
        .put("/throttling/policies/custom/{ruleId}", update::<CustomRuleDto>)
        .delete("/throttling/policies/custom/{ruleId}", delete::<CustomRuleDto>)
        .get("/throttling/policies/advanced", list::<AdvancedThrottlePolicyDto>)
        .post("/throttling/policies/advanced", create::<AdvancedThrottlePolicyDto>)
        .get("/throttling/policies/advanced/{policyId}", get::<AdvancedThrottlePolicyDto>)
        .put("/throttling/policies/advanced/{policyId}", update::<AdvancedThrottlePolicyDto>)
        .delete("/throttling/policies/advanced/{policyId}", delete::<AdvancedThrottlePolicyDto>)
        .get("/throttling/policies/export", import_export::export_throttling_policy)
        .post("/throttling/policies/import", import_export::import_throttling_policy)
        .get("/throttling/deny-policies", deny_policies::get_all_deny_policies)
        .post("/throttling/deny-policies", deny_policies::add_deny_policy)
        .get("/throttling/deny-policy/{conditionId}", deny_policies::get_deny_policy_by_id)
        .delete("/throttling/deny-policy/{conditionId}", deny_policies::remove_deny_policy)
        .patch("/throttling/deny-policy/{conditionId}", deny_policies::update_deny_policy)
        .get("/applications", applications::get_applications)
        .delete("/applications/{applicationId}", applications::delete_application)
        .post("/applications/{applicationId}/change-owner", applications::change_application_owner)
        .get("/environments", overview::get_environments)
        .get("/environments/{environmentId}", overview::get_environment)
        .get("/tenant-info/{username}", overview::get_tenant_info_by_username)
        .get("/tenant-config", tenant_config::export_tenant_config)
        .put("/tenant-config", tenant_config::update_tenant_config)
        .get("/tenant-config-schema", tenant_config::export_tenant_config_schema)
        .get("/settings", overview::get_settings)
}
