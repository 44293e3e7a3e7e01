//! Who is kept out, and by which keys calls are counted.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::throttling::CustomRule;
use http::answer;
use http::problem::Problem;
use store::apim::tenants::Tenants;
use store::apim::{deny_policies, policies};

use super::asked_tenants::AskedTenants;
use super::dto::block_conditions::BlockConditionsDto;
use super::{Caller, DataService};

pub async fn get_block(
    caller: Caller,
    asked: AskedTenants,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let tenants = asked.or_all(&caller)?;
    let found = service.read(move |conn| deny_policies::list(conn, &tenants)).await?;
    Ok(answer::ok(BlockConditionsDto::of(&found)))
}

/// Templates of custom rules, each once.
pub async fn get_key_templates(
    caller: Caller,
    asked: AskedTenants,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let tenants = asked.or_all(&caller)?;
    let list = move |conn: &mut _| match &tenants {
        Tenants::All => policies::list::<CustomRule>(conn, None),
        Tenants::One(organization) => policies::list::<CustomRule>(conn, Some(organization)),
    };
    let templates: BTreeSet<String> = service.read(list).await?.into_iter().map(|rule| rule.key_template).collect();
    Ok(answer::ok(templates))
}
