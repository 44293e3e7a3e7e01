//! Throttling policies and the default ones that clients take for granted.

pub mod advanced;
pub mod custom_rule;
pub mod defaults;
pub mod deny_policy;
pub mod key;
pub mod on_tm_loss;
pub mod policy;
pub mod reset;
pub mod slot;
pub mod window;

pub use advanced::AdvancedPolicy;
pub use custom_rule::CustomRule;
pub use deny_policy::{DenyPolicy, DenyTarget};
pub use key::KeyName;
pub use on_tm_loss::OnTmLoss;
pub use policy::{ApplicationPolicy, Limit, PolicyKind, Quota, RateLimit, SubscriptionPolicy, TimeUnit};
pub use reset::ThrottleReset;
pub use slot::Slot;
pub use window::{Shape, Window, WindowKind};
