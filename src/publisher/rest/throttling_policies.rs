//! Tag `Throttling Policies`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use domain::throttling::{AdvancedPolicy, SubscriptionPolicy};
use http::answer;
use http::guard::Guarded;
use http::pagination::Pagination;
use http::problem::Problem;

use super::scopes::TierView;
use crate::dto::subscription_policy::SubscriptionPolicyDto;
use crate::dto::throttling_policy::ThrottlingPolicyDto;

/// Subscription policies of APIs that do not stream, and the advanced ones of APIs and operations.
pub async fn get_all_throttling_policies(
    caller: Guarded<TierView>,
    level: Path<String>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let organization = &caller.organization;
    let list: Vec<ThrottlingPolicyDto> = match level.as_str() {
        "subscription" => {
            let plans = control_plane.list_business_plans(organization).await?;
            plans.iter().map(ThrottlingPolicyDto::subscription).collect()
        }
        "api" => {
            let advanced = control_plane.list_policies::<AdvancedPolicy>(organization).await?;
            advanced.iter().map(ThrottlingPolicyDto::advanced).collect()
        }
        other => return Err(unknown_level(other)),
    };
    Ok(answer::ok(pagination.envelope_of_all(list)))
}

/// Subscription policies of APIs that stream.
pub async fn get_subscription_throttling_policies(
    caller: Guarded<TierView>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let found = control_plane.list_streaming_policies(&caller.organization).await?;
    let list: Vec<SubscriptionPolicyDto> = found.iter().map(SubscriptionPolicyDto::from).collect();
    Ok(answer::ok(pagination.envelope_of_all(list)))
}

/// Also one for streaming, which the list leaves out.
pub async fn get_throttling_policy_by_name(
    caller: Guarded<TierView>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (level, name) = ids.into_inner();
    let found = match level.as_str() {
        "subscription" => {
            let policy = control_plane.get_policy_by_name::<SubscriptionPolicy>(&caller, &name).await?;
            ThrottlingPolicyDto::subscription(&policy)
        }
        "api" => {
            let policy = control_plane.get_policy_by_name::<AdvancedPolicy>(&caller, &name).await?;
            ThrottlingPolicyDto::advanced(&policy)
        }
        other => return Err(unknown_level(other)),
    };
    Ok(answer::ok(found))
}

fn unknown_level(level: &str) -> Problem {
    Problem::invalid("policyLevel", format!("'{level}' is not api or subscription"))
}
