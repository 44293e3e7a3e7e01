//! Whether the gateway is up.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::error_code;
use http::answer;
use http::guard::Public;
use http::problem::Problem;

use crate::table::Tables;

/// 200 with text as soon as there are tables to decide from.
pub async fn server_startup_healthcheck(_: Public, tables: Data<Tables>) -> Result<HttpResponse, Problem> {
    if !tables.is_loaded() {
        return Err(Problem::new(error_code::SERVICE_UNAVAILABLE, "the gateway has nothing to serve yet"));
    }
    Ok(answer::text("text/plain; charset=utf-8", "The gateway is up\n"))
}
