//! What other nodes can ask over HTTP: looks at keys. Handlers need the app data `web::Data<dyn ThrottleInspector>`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::contract::throttle_inspector::KeyQuestion;
use domain::contract::{InspectError, ThrottleInspector};
use domain::internal_api::throttle::{BASE, KEY_BYTES_MAX, LOOK, LookAnswer};
use http::guard::FromNode;
use http::json::JsonBody;
use http::problem::Problem;
use http::routes::Routes;
use http::{answer, node_service};
use telemetry::error_chain::ErrorChain;

node_service! {
    ThrottleLooks = domain::node::service::THROTTLE_LOOKS;
}

/// The operations for nodes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE).post(LOOK, look)
}

async fn look(
    _caller: FromNode<ThrottleLooks>,
    question: JsonBody<KeyQuestion>,
    inspector: Data<dyn ThrottleInspector>,
) -> Result<HttpResponse, Problem> {
    if question.0.key.len() > KEY_BYTES_MAX {
        return Err(Problem::invalid("key", format!("has more than {KEY_BYTES_MAX} bytes")));
    }
    let found = match inspector.look(&question.0).await {
        Ok(state) => LookAnswer::State(state),
        Err(InspectError::NotOwner(owner)) => LookAnswer::NotOwner { owner },
        Err(InspectError::Unsettled) => LookAnswer::Unsettled,
        Err(error @ (InspectError::Unable(_) | InspectError::Unavailable(_))) => {
            tracing::warn!(error = %ErrorChain(&error), "a throttle key cannot be looked at");
            return Err(Problem::busy(1));
        }
    };
    Ok(answer::ok(found))
}
