//! Throttling policies.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::Organization;
use http::answer;
use http::problem::Problem;
use http::query::QueryParams;
use serde::{Deserialize, Serialize};
use store::apim::policies::{self, StoredPolicy};

use super::asked_tenants::AskedTenants;
use super::dto::policy::PolicyDto;
use super::extent::Extent;
use super::text::Text;
use super::{Caller, DataService};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyParameters {
    policy_name: Option<Text>,
}

/// Policies of one kind: the same question for all of them.
pub async fn get<P, D>(
    caller: Caller,
    tenants: AskedTenants,
    QueryParams(PolicyParameters { policy_name: name }): QueryParams<PolicyParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem>
where
    P: StoredPolicy + Send + 'static,
    D: for<'a> From<(&'a P, PolicyDto)> + Serialize,
{
    let (tenants, page, name) = (tenants.or_own(&caller)?, extent.page(), name.map(String::from));
    let tenant_ids: BTreeMap<Organization, i64> = service.tenant_ids(&tenants).await?;
    let list = move |conn: &mut _| policies::of_tenants::list::<P>(conn, &tenants, name.as_deref(), page);
    let (found, total) = service.read(list).await?;
    let common = |policy: &P| {
        let tenant_id = tenant_ids.get(policy.organization()).copied();
        PolicyDto::new(policy.id(), policy.organization(), tenant_id, policy.name())
    };
    let list: Vec<D> = found.iter().map(|policy| D::from((policy, common(policy)))).collect();
    extent.envelope(list, total).map(answer::ok)
}
