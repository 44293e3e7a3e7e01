//! Names of log fields, dotted by entity, so that the same thing is called the same in every room.
//!
//! `tracing` macros need literal field names: these constants are for code that builds or reads records, and the list
//! that log statements follow.

pub const API_ID: &str = "api.id";
pub const APPLICATION_ID: &str = "application.id";
/// Wall time of the operation in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
pub const ENVIRONMENT_NAME: &str = "environment.name";
pub const EVENT_NUMBER: &str = "event.number";
pub const GATEWAY_ID: &str = "gateway.id";
pub const HTTP_METHOD: &str = "http.method";
/// Path without query: queries carry tokens.
pub const HTTP_PATH: &str = "http.path";
pub const HTTP_STATUS: &str = "http.status";
pub const REVISION_ID: &str = "revision.id";
pub const TENANT_DOMAIN: &str = "tenant.domain";
/// Links a 5xx answer to its log line.
pub const TRACE_ID: &str = "trace.id";
pub const USER_NAME: &str = "user.name";
