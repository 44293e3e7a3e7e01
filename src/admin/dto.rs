//! Shapes of the wire, named after the contract's schemas.

pub mod limit;
pub mod policy;
pub mod tenant;
