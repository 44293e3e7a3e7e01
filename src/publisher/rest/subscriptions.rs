//! Tag `Subscriptions`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::{ControlPlane, Page};
use domain::subscription::SubscriptionState;
use http::answer;
use http::guard::Guarded;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{SubscriptionBlock, SubscriptionView};
use crate::dto::subscription::SubscriptionDto;

/// Parameters of `getSubscriptions`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParameters {
    api_id: Option<String>,
    /// Part of the application's name, also as `name:..`.
    query: Option<String>,
}

/// Parameters of `blockSubscription` and `unBlockSubscription`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockParameters {
    subscription_id: String,
    block_state: Option<String>,
}

pub async fn get_subscriptions(
    caller: Guarded<SubscriptionView>,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let part = parameters.0.query.as_deref().map(application_name);
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let api_id = parameters.0.api_id.as_deref();
    let found = control_plane.list_published_subscriptions(&caller, api_id, part, page).await?;
    let list: Vec<SubscriptionDto> = found.subscriptions.iter().map(SubscriptionDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

fn application_name(query: &str) -> String {
    let query = query.trim();
    query.strip_prefix("name:").unwrap_or(query).trim_matches('"').to_owned()
}

pub async fn block_subscription(
    caller: Guarded<SubscriptionBlock>,
    parameters: QueryParams<BlockParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let state = match parameters.0.block_state.as_deref() {
        Some("BLOCKED") => SubscriptionState::Blocked,
        Some("PROD_ONLY_BLOCKED") => SubscriptionState::ProdOnlyBlocked,
        Some(other) => {
            return Err(Problem::invalid("blockState", format!("'{other}' is not BLOCKED or PROD_ONLY_BLOCKED")));
        }
        None => return Err(Problem::invalid("blockState", "is missing: send BLOCKED or PROD_ONLY_BLOCKED")),
    };
    control_plane.set_subscription_state(&caller, &parameters.0.subscription_id, state).await?;
    Ok(answer::done())
}

pub async fn un_block_subscription(
    caller: Guarded<SubscriptionBlock>,
    parameters: QueryParams<BlockParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let id = &parameters.0.subscription_id;
    control_plane.set_subscription_state(&caller, id, SubscriptionState::Unblocked).await?;
    Ok(answer::done())
}
