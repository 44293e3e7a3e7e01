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
use crate::dto::subscription::{SubscriptionDto, SubscriptionInputDto};
use crate::routes::BASE_PATH;

/// Parameters of `GET /subscriptions`.
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
    let SubscriptionInputDto { api_id, application_id, throttling_policy } = body.0;
    let view = control_plane.create_subscription(&caller, &api_id, &application_id, &throttling_policy).await?;
    let location = format!("{BASE_PATH}/subscriptions/{}", view.subscription.id);
    Ok(answer::created(&location, SubscriptionDto::from(&view)))
}

pub async fn get_subscription(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.get_subscription(&caller, &subscription_id).await?;
    Ok(answer::ok(SubscriptionDto::from(&view)))
}

pub async fn delete_subscription(
    caller: Guarded<SubscriptionManage>,
    subscription_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_subscription(&caller, &subscription_id).await?;
    Ok(answer::done())
}
