//! What the access log tells of a call that came as far as its quotas: enough to replay it against another policy. No
//! credentials, no query, no headers.

use std::net::IpAddr;
use std::sync::Arc;

use crate::filters::subscription::Plan;
use crate::filters::throttle::{CallView, advanced_policy};
use crate::table::{CompiledApi, Consumer};

/// A call with a caller who has a right to call.
pub struct Governed {
    /// Index of the API's operation.
    operation: usize,
    /// Whose quotas the call counts against, `user@tenant`; nobody's without credentials.
    pub user: Option<Arc<str>>,
    pub client: IpAddr,
    pub consumer: Option<Arc<Consumer>>,
    plan: Plan,
    /// Length of the request's body, when the client announced it.
    pub request_bytes: Option<u64>,
}

impl Governed {
    /// `None` for calls that nothing counts.
    #[must_use]
    pub fn of(call: &CallView<'_>, operation: usize, request_bytes: Option<u64>) -> Option<Self> {
        let plan = Some(&call.access.plan).filter(|plan| plan.tier().is_some())?.clone();
        let (user, consumer) = (call.user(), call.access.consumer.clone());
        Some(Self { operation, user, client: call.client, consumer, plan, request_bytes })
    }

    /// Name of the subscription policy.
    #[must_use]
    pub fn tier(&self) -> Option<&str> {
        self.plan.tier()
    }

    /// `<template>:<VERB>`.
    #[must_use]
    pub fn operation<'a>(&self, api: &'a CompiledApi) -> Option<&'a str> {
        api.operation(self.operation).map(|(_, key)| &**key)
    }

    /// Name of the advanced policy, and whether it is the `api`'s or the `resource`'s.
    #[must_use]
    pub fn advanced<'a>(&self, api: &'a CompiledApi) -> Option<(&'static str, &'a str)> {
        let (operation, _) = api.operation(self.operation)?;
        advanced_policy(&api.document, operation)
    }
}
