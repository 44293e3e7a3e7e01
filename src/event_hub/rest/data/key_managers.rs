//! Who issues tokens that count.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::answer;
use http::problem::Problem;
use store::apim::oauth::issuers;
use store::apim::tenants::Tenants;

use super::asked_tenants::AskedTenants;
use super::dto::key_manager::KeyManagerDto;
use super::{Caller, DataService};

pub async fn get_keymanagers(
    caller: Caller,
    asked: AskedTenants,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, now) = (asked.or_own(&caller)?, service.clock.now());
    let found = service.read(move |conn| match &tenants {
        Tenants::All => issuers::list_trusted(conn, now),
        Tenants::One(organization) => issuers::of_organization(conn, organization, now),
    });
    Ok(answer::ok(found.await?.into_iter().map(KeyManagerDto::from).collect::<Vec<_>>()))
}
