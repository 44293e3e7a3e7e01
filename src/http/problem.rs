//! The one mapping from errors to answers of the management APIs (the `Error` schema of the REST specifications).

use std::fmt;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use domain::error_code::{self, ErrorCode};
use domain::failure::Failure;
use serde::Serialize;
use telemetry::error_chain::ErrorChain;

/// Portals take a 401 with exactly this description for a lost session.
const UNAUTHENTICATED_DESCRIPTION: &str = "Unauthenticated request";

/// Longest description in characters.
const DESCRIPTION_CHARS_MAX: usize = 4000;

/// How long a caller waits before it asks a busy node again, unless the cause says otherwise.
const RETRY_AFTER_SECS: u64 = 1;

/// An answer that says why a management call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: ErrorCode,
    description: String,
    details: Vec<Detail>,
    header: Option<ProblemHeader>,
}

/// One of several causes (`Error.error[]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    pub code: String,
    pub message: String,
    pub description: String,
}

/// The header that belongs to some statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ProblemHeader {
    RetryAfter(u64),
    Allow(String),
    Challenge,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDto<'a> {
    code: u32,
    message: &'a str,
    description: &'a str,
    more_info: &'a str,
    error: &'a [Detail],
}

impl Problem {
    /// A description that quotes too much of the input is cut.
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        let mut description = description.into();
        if let Some((end, _)) = description.char_indices().nth(DESCRIPTION_CHARS_MAX) {
            description.truncate(end);
            description.push('…');
        }
        Self { code, description, details: Vec::new(), header: None }
    }

    /// 400 that names the field.
    pub fn invalid(field: &str, reason: impl fmt::Display) -> Self {
        Self::new(error_code::BAD_REQUEST, format!("{field}: {reason}"))
    }

    /// 401; which check failed is for the log only.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let problem = Self::new(error_code::UNAUTHENTICATED, UNAUTHENTICATED_DESCRIPTION);
        Self { header: Some(ProblemHeader::Challenge), ..problem }
    }

    /// 403: the caller is known but none of its scopes suffices.
    #[must_use]
    pub fn missing_scope(any_of: &[&str]) -> Self {
        Self::new(error_code::INVALID_SCOPE, format!("The request needs one of these scopes: {}", any_of.join(", ")))
    }

    /// 403 for a reason other than scopes.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self::new(error_code::FORBIDDEN, reason)
    }

    /// 404 for a path that no operation has.
    #[must_use]
    pub fn no_such_path(path: &str) -> Self {
        let path: String = path.chars().take(256).collect();
        Self::new(error_code::NOT_FOUND, format!("There is no resource {path}"))
    }

    /// 405; `allowed` are the verbs that the path has.
    #[must_use]
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let problem = Self::new(error_code::METHOD_NOT_ALLOWED, format!("The resource allows {allowed}"));
        Self { header: Some(ProblemHeader::Allow(allowed)), ..problem }
    }

    /// 412: the resource changed since the caller read it.
    #[must_use]
    pub fn stale() -> Self {
        Self::new(error_code::PRECONDITION_FAILED, "The resource was changed in the meantime; read it again")
    }

    /// 503 with Retry-After.
    #[must_use]
    pub fn busy(retry_after_secs: u64) -> Self {
        Self::unavailable("The service is busy; try again shortly", retry_after_secs)
    }

    /// 503 with Retry-After, for a reason of its own.
    pub fn unavailable(description: impl Into<String>, retry_after_secs: u64) -> Self {
        let problem = Self::new(error_code::SERVICE_UNAVAILABLE, description);
        Self { header: Some(ProblemHeader::RetryAfter(retry_after_secs.max(RETRY_AFTER_SECS))), ..problem }
    }

    /// 500. The cause is logged here, once, with a trace id; the answer carries the trace id alone.
    #[must_use]
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let trace_id = uuid::Uuid::new_v4().simple().to_string();
        tracing::error!(trace.id = %trace_id, error = %ErrorChain(cause), "management call failed");
        Self::new(error_code::INTERNAL_ERROR, format!("Internal failure, trace id {trace_id}"))
    }

    /// Adds causes (`error[]`), at most 100.
    #[must_use]
    pub fn with_details(mut self, details: impl IntoIterator<Item = Detail>) -> Self {
        self.details.extend(details.into_iter().take(100));
        self
    }

    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code.code, self.code.title, self.description)
    }
}

impl std::error::Error for Problem {}

impl actix_web::ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status());
        match &self.header {
            Some(ProblemHeader::RetryAfter(secs)) => response.insert_header((RETRY_AFTER, *secs)),
            Some(ProblemHeader::Allow(verbs)) => response.insert_header((ALLOW, verbs.as_str())),
            Some(ProblemHeader::Challenge) => response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"gatewright\"")),
            None => &mut response,
        };
        response.json(ErrorDto {
            code: self.code.code,
            message: self.code.title,
            description: &self.description,
            more_info: "",
            error: &self.details,
        })
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { code, description } => Self::new(code, description),
            Failure::Busy { retry_after_secs } => Self::busy(retry_after_secs),
            Failure::Unavailable { description, retry_after_secs } => Self::unavailable(description, retry_after_secs),
            Failure::Internal(cause) => Self::internal(cause.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use actix_web::body::MessageBody;
    use serde_json::{Value, json};

    use super::*;

    fn body(problem: &Problem) -> Value {
        let bytes = problem.error_response().into_body().try_into_bytes().unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_refusal_carries_code_title_and_description() {
        let problem = Problem::from(Failure::refused(error_code::API_NOT_FOUND, "There is no API with this id"));
        assert_eq!(problem.status_code(), 404);
        let expected = json!({
            "code": 900308, "message": "The API is not found", "description": "There is no API with this id",
            "moreInfo": "", "error": []
        });
        assert_eq!(body(&problem), expected);
    }

    #[test]
    fn an_unauthenticated_request_is_described_as_portals_expect_it() {
        let problem = Problem::unauthenticated();
        assert_eq!(problem.status_code(), 401);
        assert_eq!(body(&problem)["description"], "Unauthenticated request");
        assert!(problem.error_response().headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_busy_service_says_when_to_come_back() {
        let response = Problem::from(Failure::Busy { retry_after_secs: 3 }).error_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").unwrap(), "3");
    }

    #[test]
    fn an_internal_failure_shows_a_trace_id_and_not_the_cause() {
        let problem = Problem::from(Failure::internal("password of the database is wrong"));
        assert_eq!(problem.status_code(), 500);
        let description = body(&problem)["description"].as_str().unwrap().to_owned();
        assert!(description.starts_with("Internal failure, trace id "), "{description}");
        assert!(!body(&problem).to_string().contains("password"));
    }
}
