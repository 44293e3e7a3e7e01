//! What the access log tells of a call that came as far as its quotas: enough to replay it against another policy. No
//! credentials, no query, no headers.

use std::net::IpAddr;
use std::sync::Arc;

use domain::throttling::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED};

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
    tier: TierName,
    /// Length of the request's body, when the client announced it.
    pub request_bytes: Option<u64>,
}

enum TierName {
    Subscribed(Arc<str>),
    BuiltIn(&'static str),
}

impl Governed {
    /// `None` for calls that nothing counts.
    #[must_use]
    pub fn of(call: &CallView<'_>, operation: usize, request_bytes: Option<u64>) -> Option<Self> {
        let tier = match &call.access.plan {
            Plan::Unmetered => return None,
            Plan::Subscribed(own) => TierName::Subscribed(Arc::clone(&own.tier)),
            Plan::Subscriptionless if call.access.consumer.is_some() => TierName::BuiltIn(DEFAULT_SUBSCRIPTIONLESS),
            Plan::Subscriptionless | Plan::PerAddress => TierName::BuiltIn(UNAUTHENTICATED),
        };
        let (user, consumer) = (call.user(), call.access.consumer.clone());
        Some(Self { operation, user, client: call.client, consumer, tier, request_bytes })
    }

    /// Name of the subscription policy.
    #[must_use]
    pub fn tier(&self) -> &str {
        match &self.tier {
            TierName::Subscribed(tier) => tier,
            TierName::BuiltIn(tier) => tier,
        }
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
