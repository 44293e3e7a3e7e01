//! Policies are known by tenant and name.

use std::hash::{Hash, Hasher};

use domain::Organization;
use papaya::Equivalent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PolicyKey {
    pub organization: Organization,
    pub name: String,
}

/// [`PolicyKey`] for look-ups without copies.
pub(super) struct PolicyName<'a> {
    pub organization: &'a Organization,
    pub name: &'a str,
}

impl Hash for PolicyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        PolicyName { organization: &self.organization, name: &self.name }.hash(state);
    }
}

impl Hash for PolicyName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.organization.hash(state);
        self.name.hash(state);
    }
}

impl Equivalent<PolicyKey> for PolicyName<'_> {
    fn equivalent(&self, key: &PolicyKey) -> bool {
        *self.organization == key.organization && self.name == key.name
    }
}
