//! Moving policies between servers: looking one up by id or name, and storing what another server wrote.

use domain::oauth::Principal;
use domain::{Failure, PolicyId};
use store::apim::policies;

use super::{ServedPolicy, check, insert, parse_id, replace, taken};
use crate::ControlPlane;

/// How a policy is named.
#[derive(Debug, Clone)]
pub enum PolicyName {
    Id(String),
    Name(String),
}

/// What becomes of a policy that has the imported one's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingPolicy {
    /// It stays, and the import is refused.
    Kept,
    Replaced,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    Created,
    Replaced,
}

impl ControlPlane {
    /// The policy of this kind, if there is one.
    pub async fn find_policy<P: ServedPolicy>(
        &self,
        caller: &Principal,
        name: &PolicyName,
    ) -> Result<Option<P>, Failure> {
        let (organization, name) = (caller.organization.clone(), name.clone());
        self.apim()
            .read(move |conn| {
                Ok(match &name {
                    PolicyName::Id(id) => match parse_id(id) {
                        Ok(id) => policies::find::<P>(conn, &organization, id)?,
                        Err(_) => None,
                    },
                    PolicyName::Name(name) if name.contains('\0') => None,
                    PolicyName::Name(name) => policies::find_by_name::<P>(conn, &organization, name)?,
                })
            })
            .await
    }

    /// Stores a policy of another server: under a new id, or under that of the policy that it replaces.
    ///
    /// # Errors
    /// 400 naming the field; 409 when there is one of that name which must be kept.
    pub async fn import_policy<P: ServedPolicy>(
        &self,
        policy: P,
        existing: ExistingPolicy,
    ) -> Result<ImportOutcome, Failure> {
        check(&policy)?;
        let now = self.now();
        self.apim()
            .write(move |conn| {
                let mut policy = policy.clone();
                match policies::find_by_name::<P>(conn, policy.organization(), policy.name())? {
                    Some(_) if existing == ExistingPolicy::Kept => Err(taken(policy.name())),
                    Some(stored) => {
                        policy.set_id(stored.id());
                        replace(conn, &policy, now)?;
                        Ok(ImportOutcome::Replaced)
                    }
                    None => {
                        policy.set_id(PolicyId::random());
                        insert(conn, &policy, now)?;
                        Ok(ImportOutcome::Created)
                    }
                }
            })
            .await
    }
}
