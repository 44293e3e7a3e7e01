//! The roles of a node, one file each: made from the node's means and from what other roles offer, then started.

pub(crate) mod accounts;
pub(crate) mod control_plane;
pub(crate) mod event_hub;
pub(crate) mod gateway;
pub(crate) mod key_manager;
pub(crate) mod membership;
pub(crate) mod throttle_looks;
pub(crate) mod traffic_manager;

/// A role cannot be made or started.
#[derive(Debug, thiserror::Error)]
#[error("the role '{role}' cannot start")]
pub struct RoleError {
    role: &'static str,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl RoleError {
    /// For `map_err`: says which role failed.
    pub(crate) fn of<E>(role: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |cause| Self { role, cause: cause.into() }
    }
}
