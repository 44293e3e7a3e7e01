//! Tags `Application Policy`, `Subscription Policy`, `Custom Rules` and `Advanced Policy`: the same five operations on
//! four kinds.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;

use super::scopes::{TierManage, TierView};
use crate::dto::policy::PolicyDto;
use crate::routes::BASE_PATH;

pub async fn list<D: PolicyDto>(
    caller: Guarded<TierView>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policies = control_plane.list_policies::<D::Policy>(&caller.organization).await?;
    Ok(answer::ok(WholeListDto::new(policies.iter().map(D::from_policy).collect())))
}

pub async fn create<D: PolicyDto>(
    caller: Guarded<TierManage>,
    body: JsonBody<D>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policy = control_plane.create_policy(body.0.into_policy(&caller.organization)?).await?;
    let location = format!("{BASE_PATH}/throttling/policies/{}/{}", D::COLLECTION, D::id(&policy));
    Ok(answer::created(&location, D::from_policy(&policy)))
}

pub async fn get<D: PolicyDto>(
    caller: Guarded<TierView>,
    policy_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policy = control_plane.get_policy::<D::Policy>(&caller, &policy_id).await?;
    Ok(answer::ok(D::from_policy(&policy)))
}

pub async fn update<D: PolicyDto>(
    caller: Guarded<TierManage>,
    policy_id: Path<String>,
    body: JsonBody<D>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policy = control_plane.update_policy(&policy_id, body.0.into_policy(&caller.organization)?).await?;
    Ok(answer::ok(D::from_policy(&policy)))
}

pub async fn delete<D: PolicyDto>(
    caller: Guarded<TierManage>,
    policy_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_policy::<D::Policy>(&caller, &policy_id).await?;
    Ok(answer::done())
}
