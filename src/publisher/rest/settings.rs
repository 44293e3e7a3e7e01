//! Tag `Settings`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use domain::throttling::{AdvancedPolicy, SubscriptionPolicy};
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::problem::Problem;

use crate::dto::settings::SettingsDto;

/// Portals read the list of scopes before anybody has signed in; the rest needs a caller.
pub async fn get_settings(
    caller: OptionallyAuthenticated,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(match caller.principal() {
        Some(caller) => {
            let advanced = control_plane.default_policy::<AdvancedPolicy>(&caller.organization).await?;
            let subscription = control_plane.default_policy::<SubscriptionPolicy>(&caller.organization).await?;
            SettingsDto::whole(control_plane.environments(), (advanced, subscription))
        }
        None => SettingsDto::anonymous(),
    }))
}
