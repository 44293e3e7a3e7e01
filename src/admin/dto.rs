//! Shapes of the wire, named after the contract's schemas.

pub mod advanced_policy;
pub mod custom_rule;
pub mod deny_policy;
pub mod exported_policy;
pub mod overview;
pub mod policy;
pub mod tenant;
