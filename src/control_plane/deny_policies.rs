//! Deny policies: refusals that administrators switch on and off.

mod query;
mod target;

use domain::event::Event;
use domain::oauth::Principal;
use domain::throttling::DenyPolicy;
use domain::{Failure, PolicyId, error_code};
use store::StoreError;
use store::apim::deny_policies;
use store::apim::tenants::Tenants;

use crate::ControlPlane;

pub use query::DenyPolicyQuery;
pub use target::DenyWish;

/// Most deny policies of one tenant.
const COUNT_MAX: i64 = 10_000;

fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no deny policy with the id '{id}'"))
}

fn parse_id(text: &str) -> Result<PolicyId, Failure> {
    text.parse().map_err(|_| not_found(text))
}

impl ControlPlane {
    /// Stores a refusal and tells gateways.
    ///
    /// # Errors
    /// 400 naming the field, also for an API or an application that does not exist; 409 when there is the same already.
    pub async fn create_deny_policy(
        &self,
        caller: &Principal,
        wish: DenyWish,
        is_active: bool,
    ) -> Result<DenyPolicy, Failure> {
        let (organization, now) = (caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                if deny_policies::count(conn, &organization)? >= COUNT_MAX {
                    let reason = format!("there are {COUNT_MAX} deny policies, the most that a tenant can have");
                    return Err(Failure::invalid("conditionValue", reason));
                }
                let target = target::resolve(conn, &organization, &wish)?;
                let policy =
                    DenyPolicy { id: PolicyId::random(), organization: organization.clone(), target, is_active };
                match deny_policies::insert(conn, &policy) {
                    Ok(()) => {}
                    Err(StoreError::Conflict { .. }) => {
                        let reason = "conditionValue: there is a deny policy with this condition";
                        return Err(Failure::refused(error_code::CONFLICT, reason));
                    }
                    Err(other) => return Err(other.into()),
                }
                conn.append(now, Event::DenyPolicyUpdated(policy.clone()));
                Ok(policy)
            })
            .await
    }

    /// Switches a refusal on or off.
    ///
    /// # Errors
    /// 404.
    pub async fn switch_deny_policy(
        &self,
        caller: &Principal,
        id: &str,
        is_active: bool,
    ) -> Result<DenyPolicy, Failure> {
        let (id, organization, now) = (parse_id(id)?, caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let stored = deny_policies::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                deny_policies::set_active(conn, id, is_active)?;
                let policy = DenyPolicy { is_active, ..stored };
                conn.append(now, Event::DenyPolicyUpdated(policy.clone()));
                Ok(policy)
            })
            .await
    }

    /// # Errors
    /// 404.
    pub async fn delete_deny_policy(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let (policy_id, organization, now) = (parse_id(id)?, caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                if !deny_policies::delete(conn, &organization, policy_id)? {
                    return Err(not_found(policy_id));
                }
                conn.append(now, Event::DenyPolicyDeleted { organization: organization.clone(), policy_id });
                Ok(())
            })
            .await
    }

    /// # Errors
    /// 404.
    pub async fn get_deny_policy(&self, caller: &Principal, id: &str) -> Result<DenyPolicy, Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        self.apim().read(move |conn| deny_policies::find(conn, &organization, id)?.ok_or_else(|| not_found(id))).await
    }

    /// All that the query wants.
    pub async fn list_deny_policies(
        &self,
        caller: &Principal,
        query: DenyPolicyQuery,
    ) -> Result<Vec<DenyPolicy>, Failure> {
        let tenant = Tenants::One(caller.organization.clone());
        let mut found = self.apim().read(move |conn| Ok::<_, Failure>(deny_policies::list(conn, &tenant)?)).await?;
        found.retain(|policy| query.accepts(&policy.target));
        Ok(found)
    }
}
