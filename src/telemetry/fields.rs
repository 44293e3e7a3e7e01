//! Names of log fields, dotted by entity, so that the same thing is called the same in every room.
//!
//! `tracing` macros need literal field names: these constants are for code that builds or reads records, and the list
//! that log statements follow.

/// Path with the version, and outside of the super tenant with the tenant.
pub const API_CONTEXT: &str = "api.context";
pub const API_ID: &str = "api.id";
/// `<template>:<VERB>`.
pub const API_OPERATION: &str = "api.operation";
pub const API_VERSION: &str = "api.version";
pub const APPLICATION_ID: &str = "application.id";
pub const APPLICATION_TENANT: &str = "application.tenant";
/// Who calls, by trusted proxies' word where there are some.
pub const CLIENT_ADDRESS: &str = "client.address";
/// Wall time of the operation in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
pub const ENVIRONMENT_NAME: &str = "environment.name";
pub const EVENT_NUMBER: &str = "event.number";
pub const GATEWAY_ID: &str = "gateway.id";
pub const HTTP_METHOD: &str = "http.method";
/// Path without query: queries carry tokens.
pub const HTTP_PATH: &str = "http.path";
pub const HTTP_STATUS: &str = "http.status";
/// Name of the advanced policy that counts a call, and whose it is: `api` or `resource`.
pub const POLICY_ADVANCED: &str = "policy.advanced";
pub const POLICY_ADVANCED_LEVEL: &str = "policy.advanced_level";
/// Name of the application's policy.
pub const POLICY_APPLICATION: &str = "policy.application";
/// Name of the subscription policy that counts a call.
pub const POLICY_SUBSCRIPTION: &str = "policy.subscription";
/// Length of a request's body as its sender announced it.
pub const REQUEST_BYTES: &str = "request.bytes";
pub const REVISION_ID: &str = "revision.id";
pub const TENANT_DOMAIN: &str = "tenant.domain";
/// Links a 5xx answer to its log line.
pub const TRACE_ID: &str = "trace.id";
pub const USER_NAME: &str = "user.name";
