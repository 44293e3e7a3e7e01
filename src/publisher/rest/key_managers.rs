//! Tag `Key Managers (Collection)`.

use actix_web::HttpResponse;
use http::answer;
use http::guard::Guarded;
use http::pagination::WholeListDto;
use http::problem::Problem;

use super::scopes::KeyManagerView;
use crate::dto::key_manager::KeyManagerInfoDto;

/// The built-in key manager: there is no other yet.
pub async fn get_all_key_managers(_: Guarded<KeyManagerView>) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(WholeListDto::new(vec![KeyManagerInfoDto::resident()])))
}
