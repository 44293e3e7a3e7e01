//! The wire's forms.

pub(super) mod api;
pub(super) mod api_policy;
pub(super) mod application;
pub(super) mod application_key_mapping;
pub(super) mod block_conditions;
pub(super) mod global_policy;
pub(super) mod key_manager;
pub(super) mod limit;
pub(super) mod policy;
pub(super) mod revoked_events;
pub(super) mod scope;
pub(super) mod subscription;
pub(super) mod synapse_attributes;
