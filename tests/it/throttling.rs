//! What administrators say about limits and refusals.

mod advanced;
mod custom_rules;
mod deny_policies;
mod explain;
mod simulate;
mod streaming_policies;
mod subscription_policies;
mod transfer;
mod unlimited;
mod windows;
