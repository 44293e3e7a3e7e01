//! Throttling policies: subscription, application, advanced and custom.

mod advanced;
mod custom;
mod overview;
mod subscription;
mod transfer;
mod unlimited;

use domain::event::Event;
use domain::oauth::Principal;
use domain::throttling::policy::UNLIMITED;
use domain::throttling::{ApplicationPolicy, Limit, PolicyKind, Quota};
use domain::{Failure, PolicyId, Timestamp, error_code};
use store::apim::policies::{self, StoredPolicy};
use store::{ApimConn, StoreError};

use crate::ControlPlane;

pub use overview::PolicyOverview;
pub(crate) use subscription::check_permitted;
pub use transfer::{ExistingPolicy, ImportOutcome, PolicyName};
pub use unlimited::UnlimitedTier;

/// Longest policy name, in characters.
const NAME_CHARS_MAX: usize = 60;
/// Largest quota and window; far beyond use, and safe to multiply.
const QUOTA_MAX: u64 = 1_000_000_000_000;
const UNIT_TIME_MAX: u32 = 10_000;

/// A kind of policy that this room serves.
pub trait ServedPolicy: StoredPolicy + Clone + Send + Sync + 'static {
    fn limit(&self) -> Option<&Limit>;
    fn set_id(&mut self, id: PolicyId);
    /// What gateways hear of a new or changed policy.
    fn updated(self) -> Event;
    /// The kind as gateways know it.
    const EVENT_KIND: PolicyKind;
    /// What uses policies of this kind.
    const USERS: &'static str;
    /// Most policies of this kind in one tenant.
    const COUNT_MAX: i64 = 1_000;
    /// Names of those that gateways need, and that cannot be deleted therefore.
    const BUILT_IN: &'static [&'static str] = &[UNLIMITED];
    /// # Errors
    /// 400 naming the field.
    fn check_more(&self) -> Result<(), Failure> {
        Ok(())
    }
}

impl ServedPolicy for ApplicationPolicy {
    fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn set_id(&mut self, id: PolicyId) {
        self.id = id;
    }

    const EVENT_KIND: PolicyKind = PolicyKind::Application;
    const USERS: &'static str = "applications";

    fn updated(self) -> Event {
        Event::ApplicationPolicyUpdated(self)
    }
}

fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no throttling policy with the id '{id}'"))
}

fn parse_id(text: &str) -> Result<PolicyId, Failure> {
    text.parse().map_err(|_| not_found(text))
}

fn taken(name: &str) -> Failure {
    Failure::refused(error_code::CONFLICT, format!("policyName: a throttling policy '{name}' already exists"))
}

fn check<P: ServedPolicy>(policy: &P) -> Result<(), Failure> {
    let name = policy.name();
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX {
        return Err(Failure::invalid("policyName", format!("must have 1 to {NAME_CHARS_MAX} characters")));
    }
    if let Some(c) = name.chars().find(|c| !(c.is_alphanumeric() || "._- ".contains(*c))) {
        return Err(Failure::invalid("policyName", format!("must not contain {c:?}")));
    }
    if let Some(limit) = policy.limit() {
        check_limit("defaultLimit", limit)?;
    }
    policy.check_more()
}

/// Quota and window of `limit` in `field`.
fn check_limit(field: &str, limit: &Limit) -> Result<(), Failure> {
    if limit.unit_time == 0 || limit.unit_time > UNIT_TIME_MAX {
        return Err(Failure::invalid(&format!("{field}.unitTime"), format!("must be 1 to {UNIT_TIME_MAX}")));
    }
    let amount = match limit.quota {
        Quota::RequestCount { requests } => requests,
        Quota::Bandwidth { bytes } => bytes,
        Quota::EventCount { events } => events,
    };
    if amount == 0 || amount > QUOTA_MAX {
        return Err(Failure::invalid(field, format!("the quota must be 1 to {QUOTA_MAX}")));
    }
    Ok(())
}

/// Writes a new policy with its event.
fn insert<P: ServedPolicy>(conn: &mut ApimConn, policy: &P, now: Timestamp) -> Result<(), Failure> {
    if policies::count::<P>(conn, policy.organization())? >= P::COUNT_MAX {
        let reason = format!("there are {} policies of this kind, the most that a tenant can have", P::COUNT_MAX);
        return Err(Failure::invalid("policyName", reason));
    }
    match policies::insert(conn, policy) {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => return Err(taken(policy.name())),
        Err(other) => return Err(other.into()),
    }
    conn.append(now, policy.clone().updated());
    Ok(())
}

/// Writes a changed policy with its event.
fn replace<P: ServedPolicy>(conn: &mut ApimConn, policy: &P, now: Timestamp) -> Result<(), Failure> {
    policies::update(conn, policy)?;
    conn.append(now, policy.clone().updated());
    Ok(())
}

impl ControlPlane {
    /// Stores a new policy under a new id.
    ///
    /// # Errors
    /// 400 naming the field; 409 when the name is taken.
    pub async fn create_policy<P: ServedPolicy>(&self, mut policy: P) -> Result<P, Failure> {
        check(&policy)?;
        policy.set_id(PolicyId::random());
        let now = self.now();
        self.apim()
            .write(move |conn| {
                if policies::find_by_name::<P>(conn, policy.organization(), policy.name())?.is_some() {
                    return Err(taken(policy.name()));
                }
                insert(conn, &policy, now)?;
                Ok(policy.clone())
            })
            .await
    }

    /// Replaces a policy's limits; its name never changes, since subscriptions and applications refer to it.
    ///
    /// # Errors
    /// 404; 400 naming the field.
    pub async fn update_policy<P: ServedPolicy>(&self, id: &str, mut policy: P) -> Result<P, Failure> {
        check(&policy)?;
        let id = parse_id(id)?;
        policy.set_id(id);
        let now = self.now();
        self.apim()
            .write(move |conn| {
                let stored = policies::find::<P>(conn, policy.organization(), id)?.ok_or_else(|| not_found(id))?;
                if stored.name() != policy.name() {
                    return Err(Failure::invalid("policyName", "cannot be changed"));
                }
                replace(conn, &policy, now)?;
                Ok(policy.clone())
            })
            .await
    }

    /// Deletes a policy that nothing uses.
    ///
    /// # Errors
    /// 404; 403 for one in use and for those that gateways need.
    pub async fn delete_policy<P: ServedPolicy>(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let id = parse_id(id)?;
        let (organization, now) = (caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let policy = policies::find::<P>(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let name = policy.name();
                if P::BUILT_IN.contains(&name) {
                    return Err(Failure::refused(
                        error_code::FORBIDDEN,
                        format!("the policy '{name}' is built in and cannot be deleted"),
                    ));
                }
                let users = P::usage(conn, &organization, name)?;
                if users > 0 {
                    let what = P::USERS;
                    return Err(Failure::refused(
                        error_code::FORBIDDEN,
                        format!("the policy '{name}' is in use by {users} {what}; give them another one first"),
                    ));
                }
                policies::delete(conn, &policy)?;
                let (organization, name, kind) = (organization.clone(), name.to_owned(), P::EVENT_KIND);
                conn.append(now, Event::PolicyDeleted { organization, kind, policy_id: id, name });
                Ok(())
            })
            .await
    }

    /// # Errors
    /// 404.
    pub async fn get_policy<P: ServedPolicy>(&self, caller: &Principal, id: &str) -> Result<P, Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        self.apim().read(move |conn| policies::find::<P>(conn, &organization, id)?.ok_or_else(|| not_found(id))).await
    }

    /// The policy with this name, if it is offered.
    ///
    /// # Errors
    /// 404.
    pub async fn get_policy_by_name<P: ServedPolicy>(&self, caller: &Principal, name: &str) -> Result<P, Failure> {
        let found = self.find_policy::<P>(caller, &PolicyName::Name(name.to_owned())).await?;
        let offered = found.filter(|policy| self.unlimited_tier().offers_of::<P>(policy.name()));
        let missing = || Failure::refused(error_code::NOT_FOUND, format!("there is no throttling policy '{name}'"));
        offered.ok_or_else(missing)
    }

    /// Name of the policy that portals begin with: the one without a limit, else the first that is offered to
    /// APIs that do not stream.
    pub async fn default_policy<P: ServedPolicy>(
        &self,
        organization: &domain::Organization,
    ) -> Result<String, Failure> {
        if self.unlimited_tier().offers(UNLIMITED) {
            return Ok(UNLIMITED.to_owned());
        }
        let mut offered = self.list_policies::<P>(organization).await?.into_iter();
        let plain = offered.find(|policy| !policy.limit().is_some_and(Limit::counts_events));
        Ok(plain.map(|policy| policy.name().to_owned()).unwrap_or_default())
    }

    /// All policies of the kind that are offered, by name.
    pub async fn list_policies<P: ServedPolicy>(&self, organization: &domain::Organization) -> Result<Vec<P>, Failure> {
        let organization = organization.clone();
        let mut found =
            self.apim().read(move |conn| Ok::<_, Failure>(policies::list::<P>(conn, Some(&organization))?)).await?;
        let unlimited = self.unlimited_tier();
        found.retain(|policy| unlimited.offers_of::<P>(policy.name()));
        Ok(found)
    }
}
