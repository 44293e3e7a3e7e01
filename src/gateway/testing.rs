//! Values and actors that tests start from.

pub mod back_end;
pub mod fixture;
pub mod gateway;
pub mod raw;
pub mod throttle;
pub mod wait;
