//! Values that tests start from.

pub mod fixture;
pub mod throttle;
