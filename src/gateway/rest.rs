//! Gateway REST API v2 (`/api/am/gateway/v2`): what tools ask one gateway about itself.
//!
//! Handlers need the app data `web::Data<Tables>` and `web::Data<dyn PasswordChecker>`.

mod artifacts;
mod health;
mod operator;

use http::routes::Routes;

/// Base path on the wire.
pub const BASE_PATH: &str = "/api/am/gateway/v2";

/// The operations of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE_PATH)
        .get("/server-startup-healthcheck", health::server_startup_healthcheck)
        .get("/api-artifact", artifacts::get_api_artifacts)
}
