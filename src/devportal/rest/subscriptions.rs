//! Tag `Subscriptions`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::{ControlPlane, Page};
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::SubscriptionManage;
use crate::dto::quota::SubscriptionQuotaDto;
use crate::dto::subscription::{SubscriptionChangeDto, SubscriptionDto, SubscriptionInputDto};
use crate::routes::BASE_PATH;

/// Parameters of `GET /subscriptions`. `groupId` is ignored, as applications are not shared in groups.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParameters {
    api_id: Option<String>,
    application_id: Option<String>,
}

pub async fn get_subscriptions(
    caller: Guarded<SubscriptionManage>,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let ListParameters { api_id, application_id } = parameters.0;
    let found = control_plane.list_subscriptions(&caller, api_id.as_deref(), application_id.as_deref(), page).await?;
    let list: Vec<SubscriptionDto> = found.subscriptions.iter().map(SubscriptionDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

pub async fn create_subscription(
    caller: Guarded<SubscriptionManage>,
    body: JsonBody<SubscriptionInputDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.create_subscription(&caller, body.0.into()).await?;
    let location = format!("{BASE_PATH}/subscriptions/{}", view.subscription.id);
    Ok(answer::created(&location, SubscriptionDto::from(&view)))
}

/// 200, as the contract says, although it creates something.
pub async fn create_subscriptions(
    caller: Guarded<SubscriptionManage>,
    body: JsonBody<Vec<SubscriptionInputDto>>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let wishes = body.0.into_iter().map(Into::into).collect();
    let views = control_plane.create_subscriptions(&caller, wishes).await?;
    Ok(answer::ok(views.iter().map(SubscriptionDto::from).collect::<Vec<_>>()))
}

pub async fn update_subscription(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    body: JsonBody<SubscriptionChangeDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.update_subscription(&caller, &subscription_id, body.0.into()).await?;
    Ok(answer::ok(SubscriptionDto::from(&view)))
}

pub async fn get_subscription(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.get_subscription(&caller, &subscription_id).await?;
    Ok(answer::ok(SubscriptionDto::from(&view)))
}

/// Our addition to the contract.
pub async fn get_subscription_quota(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let quota = control_plane.subscription_quota(&caller, &subscription_id).await?;
    Ok(answer::ok(SubscriptionQuotaDto::from(&quota)))
}

pub async fn delete_subscription(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_subscription(&caller, &subscription_id).await?;
    Ok(answer::done())
}
