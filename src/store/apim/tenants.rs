//! Whose rows a list shows.

use domain::Organization;

/// Every tenant, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    All,
    One(Organization),
}

impl Tenants {
    /// The organization that rows must have, if there is one.
    pub(crate) fn only(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::One(organization) => Some(organization.as_str()),
        }
    }
}

/// Patterns of the two ids in text form that can have the number (`ApiId::number`).
pub(crate) fn ids_with_number(number: u32) -> [String; 2] {
    [format!("%{number:08x}"), format!("%{:08x}", number | 1 << 31)]
}
