//! Throttling policies.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::Organization;
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, SubscriptionPolicy};
use http::answer;
use http::pagination::ListDto;
use http::problem::Problem;
use http::query::QueryParams;
use serde::{Deserialize, Serialize};
use store::apim::policies::{self, StoredPolicy};

use super::asked_tenants::AskedTenants;
use super::dto::api_policy::ApiPolicyDto;
use super::dto::global_policy::GlobalPolicyDto;
use super::dto::policy::{ApplicationPolicyDto, PolicyDto, SubscriptionPolicyDto};
use super::extent::Extent;
use super::text::Text;
use super::{Caller, DataService};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyParameters {
    policy_name: Option<Text>,
}

/// What the handlers of all kinds are asked.
type Asked = (AskedTenants, QueryParams<PolicyParameters>, Extent);

async fn list<P, D>(caller: &Caller, asked: Asked, service: &DataService) -> Result<ListDto<D>, Problem>
where
    P: StoredPolicy + Send + 'static,
    D: for<'a> From<(&'a P, PolicyDto)> + Serialize,
{
    let (tenants, QueryParams(PolicyParameters { policy_name: name }), extent) = asked;
    let (tenants, page, name) = (tenants.or_own(caller)?, extent.page(), name.map(String::from));
    let tenant_ids: BTreeMap<Organization, i64> = service.tenant_ids(&tenants).await?;
    let list = move |conn: &mut _| policies::of_tenants::list::<P>(conn, &tenants, name.as_deref(), page);
    let (found, total) = service.read(list).await?;
    let common = |policy: &P| {
        let tenant_id = tenant_ids.get(policy.organization()).copied();
        PolicyDto::new(policy.id(), policy.organization(), tenant_id, policy.name())
    };
    extent.envelope(found.iter().map(|policy| D::from((policy, common(policy)))).collect(), total)
}

pub async fn get_subscription_policies(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<PolicyParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let asked = (asked, parameters, extent);
    list::<SubscriptionPolicy, SubscriptionPolicyDto>(&caller, asked, &service).await.map(answer::ok)
}

pub async fn get_application_policies(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<PolicyParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let asked = (asked, parameters, extent);
    list::<ApplicationPolicy, ApplicationPolicyDto>(&caller, asked, &service).await.map(answer::ok)
}

pub async fn get_api_policies(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<PolicyParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let asked = (asked, parameters, extent);
    list::<AdvancedPolicy, ApiPolicyDto>(&caller, asked, &service).await.map(answer::ok)
}

/// Custom rules.
pub async fn get_global_policies(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<PolicyParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let asked = (asked, parameters, extent);
    list::<CustomRule, GlobalPolicyDto>(&caller, asked, &service).await.map(answer::ok)
}
