//! Every operation that is served, in the order of the contract's tags.

use http::routes::Routes;

use crate::dto::advanced_policy::AdvancedThrottlePolicyDto;
use crate::dto::policy::{ApplicationThrottlePolicyDto, SubscriptionThrottlePolicyDto};
use crate::rest::tenants::{create_tenant, get_tenants};
use crate::rest::throttle_policies::{create, delete, get, list, update};
use crate::rest::{applications, overview};

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
        .get("/throttling/policies/advanced", list::<AdvancedThrottlePolicyDto>)
        .post("/throttling/policies/advanced", create::<AdvancedThrottlePolicyDto>)
        .get("/throttling/policies/advanced/{policyId}", get::<AdvancedThrottlePolicyDto>)
        .put("/throttling/policies/advanced/{policyId}", update::<AdvancedThrottlePolicyDto>)
        .delete("/throttling/policies/advanced/{policyId}", delete::<AdvancedThrottlePolicyDto>)
        .get("/applications", applications::get_applications)
        .delete("/applications/{applicationId}", applications::delete_application)
        .post("/applications/{applicationId}/change-owner", applications::change_application_owner)
        .get("/environments", overview::get_environments)
        .get("/environments/{environmentId}", overview::get_environment)
        .get("/tenant-info/{username}", overview::get_tenant_info_by_username)
        .get("/settings", overview::get_settings)
}
