//! Internal data service (`/internal/data/v1`): what tools pull that are made for WSO2's event hub. Gateways of this
//! product do not: they follow the logs.
//!
//! Handlers need the app data `web::Data<DataService>`.

mod artifacts;
mod asked_tenants;
mod dto;
mod extent;
mod key_managers;
mod policies;
mod revoked;
mod subscription_validation;
mod text;
mod throttling;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, SubscriptionPolicy};
use domain::{Clock, Organization};
use http::guard::FromOperator;
use http::problem::Problem;
use http::routes::Routes;
use store::apim::tenants::Tenants;
use store::database::{ApimConn, SharedConn};
use store::shared::users::tenants;
use store::{ApimDb, SharedDb, StoreError};
use telemetry::error_chain::ErrorChain;

use super::EventHubService;
use dto::api_policy::ApiPolicyDto;
use dto::global_policy::GlobalPolicyDto;
use dto::policy::{ApplicationPolicyDto, SubscriptionPolicyDto};

/// Base path on the wire.
pub const BASE_PATH: &str = "/internal/data/v1";

/// Who may pull.
type Caller = FromOperator<EventHubService>;

/// The databases behind the routes.
pub struct DataService {
    pub apim: ApimDb,
    pub shared: SharedDb,
    pub clock: Arc<dyn Clock>,
}

impl DataService {
    /// Runs `work` in one read transaction of apim_db.
    async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnMut(&mut ApimConn) -> Result<T, StoreError> + Send + 'static,
    {
        self.apim.read(work).await.map_err(|error| problem(&error))
    }

    /// The numbers of the tenants, which stand in policies.
    async fn tenant_ids(&self, wanted: &Tenants) -> Result<BTreeMap<Organization, i64>, Problem> {
        let wanted = wanted.clone();
        let found = self.shared.read(move |conn: &mut SharedConn| match &wanted {
            Tenants::One(organization) => Ok(tenants::find(conn, organization.as_str())?.into_iter().collect()),
            Tenants::All => {
                let mut all = tenants::list(conn, None)?;
                all.extend(tenants::find(conn, Organization::SUPER)?);
                Ok::<Vec<_>, StoreError>(all)
            }
        });
        let found = found.await.map_err(|error| problem(&error))?;
        Ok(found.into_iter().map(|tenant| (tenant.organization, tenant.tenant_id)).collect())
    }
}

fn problem(error: &StoreError) -> Problem {
    tracing::warn!(error = %ErrorChain(error), "runtime data cannot be read for a tool");
    Problem::busy(1)
}

/// The operations for tools.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE_PATH)
        .get("/block", throttling::get_block)
        .get("/keyTemplates", throttling::get_key_templates)
        .get("/keymanagers", key_managers::get_keymanagers)
        .get("/revokedjwt", revoked::get_revokedjwt)
        .get("/apis", subscription_validation::get_apis)
        .get("/applications", subscription_validation::get_applications)
        .get("/subscriptions", subscription_validation::get_subscriptions)
        .get("/application-key-mappings", subscription_validation::get_application_key_mappings)
        .get("/scopes", subscription_validation::get_scopes)
        .get("/subscription-policies", policies::get::<SubscriptionPolicy, SubscriptionPolicyDto>)
        .get("/application-policies", policies::get::<ApplicationPolicy, ApplicationPolicyDto>)
        .get("/api-policies", policies::get::<AdvancedPolicy, ApiPolicyDto>)
        .get("/global-policies", policies::get::<CustomRule, GlobalPolicyDto>)
        .get("/runtime-artifacts", artifacts::get_runtime_artifacts)
        .get("/synapse-attributes", artifacts::get_synapse_attributes)
}
