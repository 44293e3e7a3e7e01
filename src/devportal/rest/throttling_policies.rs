//! Tag `Throttling Policies`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use domain::throttling::policy::UNAUTHENTICATED;
use domain::throttling::{ApplicationPolicy, SubscriptionPolicy};
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;

use crate::dto::throttling_policy::ThrottlingPolicyDto;

pub async fn get_throttling_policies(
    caller: OptionallyAuthenticated,
    level: Path<String>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let organization = caller.organization();
    let list: Vec<ThrottlingPolicyDto> = match level.as_str() {
        "application" => control_plane
            .list_policies::<ApplicationPolicy>(&organization)
            .await?
            .iter()
            .map(ThrottlingPolicyDto::application)
            .collect(),
        "subscription" => control_plane
            .list_policies::<SubscriptionPolicy>(&organization)
            .await?
            .iter()
            .filter(|policy| policy.name != UNAUTHENTICATED)
            .map(ThrottlingPolicyDto::subscription)
            .collect(),
        other => {
            return Err(Problem::invalid("policyLevel", format!("'{other}' is not application or subscription")));
        }
    };
    Ok(answer::ok(pagination.envelope_of_all(list)))
}
