//! What was revoked and has not expired yet.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::answer;
use http::problem::Problem;
use store::apim::oauth::revocations;

use super::asked_tenants::AskedTenants;
use super::dto::revoked_events::RevokedEventsDto;
use super::extent::Extent;
use super::{Caller, DataService};

pub async fn get_revokedjwt(
    caller: Caller,
    asked: AskedTenants,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page, now) = (asked.or_all(&caller)?, extent.page(), service.clock.now());
    let list = move |conn: &mut _| revocations::of_tenants::list(conn, &tenants, now, page);
    let (found, total) = service.read(list).await?;
    extent.check(total)?;
    Ok(answer::ok(found.into_iter().collect::<RevokedEventsDto>()))
}
