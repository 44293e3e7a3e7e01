//! Access tokens: which scopes they get, how they are made and how they are checked.

pub(crate) mod internal_key;
pub(crate) mod issue;
pub(crate) mod scopes;
pub(crate) mod verify;
