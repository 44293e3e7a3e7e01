//! Throttling policies and the default ones that clients take for granted.

pub mod advanced;
pub mod defaults;
pub mod policy;
pub mod window;

pub use advanced::AdvancedPolicy;
pub use policy::{ApplicationPolicy, Limit, PolicyKind, Quota, RateLimit, SubscriptionPolicy, TimeUnit};
