//! Tag `Throttling Policies`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use domain::throttling::policy::UNAUTHENTICATED;
use domain::throttling::{AdvancedPolicy, SubscriptionPolicy};
use http::answer;
use http::guard::Guarded;
use http::pagination::Pagination;
use http::problem::Problem;

use super::scopes::TierView;
use crate::dto::throttling_policy::ThrottlingPolicyDto;

/// Subscription policies, and the advanced ones of APIs and operations.
pub async fn get_all_throttling_policies(
    caller: Guarded<TierView>,
    level: Path<String>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let list: Vec<ThrottlingPolicyDto> = match level.as_str() {
        "subscription" => control_plane
            .list_policies::<SubscriptionPolicy>(&caller.organization)
            .await?
            .iter()
            .filter(|policy| policy.name != UNAUTHENTICATED)
            .map(ThrottlingPolicyDto::subscription)
            .collect(),
        "api" => control_plane
            .list_policies::<AdvancedPolicy>(&caller.organization)
            .await?
            .iter()
            .map(ThrottlingPolicyDto::advanced)
            .collect(),
        other => return Err(Problem::invalid("policyLevel", format!("'{other}' is not api or subscription"))),
    };
    Ok(answer::ok(pagination.envelope_of_all(list)))
}
