//! Tag `Throttling Policies`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use domain::error_code;
use domain::throttling::ApplicationPolicy;
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;
use http::tier::TierDto;

pub async fn get_throttling_policies(
    caller: OptionallyAuthenticated,
    level: Path<String>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(pagination.envelope_of_all(policies(&caller, &level, &control_plane).await?)))
}

/// Clients name a policy by its name.
pub async fn get_throttling_policy(
    caller: OptionallyAuthenticated,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (level, name) = ids.into_inner();
    let found = policies(&caller, &level, &control_plane).await?.into_iter().find(|policy| policy.is_named(&name));
    let not_found = || Problem::new(error_code::NOT_FOUND, format!("there is no {level} policy '{name}'"));
    found.map(answer::ok).ok_or_else(not_found)
}

async fn policies(
    caller: &OptionallyAuthenticated,
    level: &str,
    control_plane: &ControlPlane,
) -> Result<Vec<TierDto>, Problem> {
    let organization = caller.organization();
    Ok(match level {
        "application" => {
            control_plane.list_policies::<ApplicationPolicy>(&organization).await?.iter().map(application).collect()
        }
        "subscription" => control_plane
            .list_subscription_policies_for(&organization, roles(caller))
            .await?
            .iter()
            .map(TierDto::subscription)
            .collect(),
        other => {
            return Err(Problem::invalid("policyLevel", format!("'{other}' is not application or subscription")));
        }
    })
}

/// The caller's roles in the organization that is looked at.
fn roles(caller: &OptionallyAuthenticated) -> &[String] {
    let own = caller.principal().filter(|own| own.organization == caller.organization());
    own.map_or(&[], |own| own.roles.as_slice())
}

fn application(policy: &ApplicationPolicy) -> TierDto {
    TierDto::new("application", &policy.name, &policy.description, policy.limit.as_ref())
}
