//! Who is kept out, and by which keys calls are counted.

use actix_web::HttpResponse;
use http::answer;
use http::problem::Problem;

use super::Caller;
use super::asked_tenants::AskedTenants;
use super::dto::block_conditions::BlockConditionsDto;

/// There are no deny policies yet.
pub async fn get_block(caller: Caller, asked: AskedTenants) -> Result<HttpResponse, Problem> {
    asked.or_all(&caller)?;
    Ok(answer::ok(BlockConditionsDto::default()))
}

/// There are no custom policies yet, and only those have key templates.
pub async fn get_key_templates(caller: Caller, asked: AskedTenants) -> Result<HttpResponse, Problem> {
    asked.or_all(&caller)?;
    Ok(answer::ok(Vec::<String>::new()))
}
