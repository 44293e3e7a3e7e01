//! Every refusal and failure that callers see: one list, one place that writes the bodies (WSO2's shapes, JSON).

use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use domain::application::KeyType;
use domain::error_code::{self, ErrorCode};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::router::VerbSet;

/// Why a call gets no answer of the back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The message can be understood in more than one way; the connection is closed.
    Ambiguous(&'static str),
    /// The path can be understood in more than one way.
    BadPath(String),
    PayloadTooLarge,
    /// The client stopped sending in the middle of its body.
    ClientTooSlow,
    /// No API has this context, or it is retired.
    UnknownContext,
    NoResource,
    MethodNotAllowed(VerbSet),
    /// The API is not served over this transport (`http`, `https`).
    UnsupportedTransport(&'static str),
    ApiBlocked,
    MissingCredentials,
    /// Wrong, expired or revoked; which one is for the log only.
    InvalidCredentials,
    /// An application's token where a user's is wanted, or the other way round.
    IncorrectTokenType,
    SubscriptionBlocked,
    SubscriptionInactive,
    NotSubscribed,
    ScopeMissing,
    AudienceMismatch,
    /// The API has endpoints, but none for keys of this type.
    NoEndpointFor(KeyType),
    NoEndpoint,
    /// A quota is used up until the window ends.
    Throttled {
        code: ErrorCode,
        now: Timestamp,
        retry_in: Duration,
    },
    /// No traffic manager says whether the call may pass, so it may not.
    ThrottleUnavailable,
    /// The back end could not be called or gave no answer.
    Backend {
        code: ErrorCode,
        description: &'static str,
    },
}

/// The bodies that WSO2 has: faults of authentication and throttling have no `type`.
enum Shape {
    Plain { message: &'static str },
    StatusReport { message: &'static str },
}

impl Fault {
    /// The code of the body, by which faults are counted.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.row().code
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        let status = match self {
            // Where WSO2 answers with another status than the code has elsewhere.
            Self::NoEndpointFor(_) => 403,
            Self::ThrottleUnavailable => 503,
            _ => self.row().status,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether nothing that follows on the connection can be trusted.
    #[must_use]
    pub fn closes_connection(&self) -> bool {
        matches!(self, Self::Ambiguous(_) | Self::ClientTooSlow | Self::PayloadTooLarge)
    }

    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body().to_string()));
        *response.status_mut() = self.status();
        self.write_headers(response.headers_mut());
        response
    }

    fn row(&self) -> ErrorCode {
        match self {
            Self::Ambiguous(_) | Self::BadPath(_) => error_code::BAD_REQUEST,
            Self::PayloadTooLarge => error_code::PAYLOAD_TOO_LARGE,
            Self::ClientTooSlow => error_code::REQUEST_TIMEOUT,
            Self::UnknownContext | Self::NoResource => error_code::NOT_FOUND,
            Self::MethodNotAllowed(_) => error_code::METHOD_NOT_ALLOWED,
            Self::UnsupportedTransport(_) => error_code::FORBIDDEN,
            Self::ApiBlocked => error_code::API_BLOCKED,
            Self::MissingCredentials => error_code::MISSING_CREDENTIALS,
            Self::InvalidCredentials | Self::NoEndpointFor(_) => error_code::UNAUTHENTICATED,
            Self::IncorrectTokenType => error_code::INCORRECT_TOKEN_TYPE,
            Self::SubscriptionBlocked => error_code::SUBSCRIPTION_BLOCKED,
            Self::SubscriptionInactive => error_code::SUBSCRIPTION_INACTIVE,
            Self::NotSubscribed => error_code::RESOURCE_FORBIDDEN,
            Self::ScopeMissing => error_code::INVALID_SCOPE,
            Self::AudienceMismatch => error_code::INVALID_AUDIENCE,
            Self::NoEndpoint => error_code::NO_ENDPOINT,
            Self::ThrottleUnavailable => error_code::GENERAL_AUTH_ERROR,
            Self::Throttled { code, .. } | Self::Backend { code, .. } => *code,
        }
    }

    fn shape(&self) -> Shape {
        let title = self.row().title;
        match self {
            // The same code has another title on management surfaces.
            Self::InvalidCredentials => Shape::Plain { message: "Invalid Credentials" },
            Self::ThrottleUnavailable => Shape::Plain { message: "Unclassified Throttling Failure" },
            Self::NoResource | Self::MethodNotAllowed(_) | Self::NoEndpointFor(_) => {
                Shape::StatusReport { message: "Runtime Error" }
            }
            Self::Ambiguous(_)
            | Self::BadPath(_)
            | Self::PayloadTooLarge
            | Self::ClientTooSlow
            | Self::UnknownContext
            | Self::UnsupportedTransport(_)
            | Self::ApiBlocked
            | Self::NoEndpoint
            | Self::Backend { .. } => Shape::StatusReport { message: title },
            _ => Shape::Plain { message: title },
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Ambiguous(reason) => (*reason).to_owned(),
            Self::BadPath(reason) => reason.clone(),
            Self::PayloadTooLarge => "The request body is larger than this gateway takes".to_owned(),
            Self::ClientTooSlow => "The request body did not arrive in time".to_owned(),
            Self::UnknownContext => "The requested resource is not available.".to_owned(),
            Self::NoResource => "No matching resource found for given API Request".to_owned(),
            Self::MethodNotAllowed(_) => "Method not allowed for given API resource".to_owned(),
            Self::UnsupportedTransport(transport) => {
                format!("Unsupported Transport [ {transport} ]. The requested resource is not available.")
            }
            Self::ApiBlocked => "This API is blocked for the time being. Try again later or ask its owner".to_owned(),
            Self::MissingCredentials => {
                "Missing Credentials. The API takes 'Authorization : Bearer ACCESS_TOKEN'".to_owned()
            }
            Self::InvalidCredentials => {
                "Invalid Credentials. Make sure you have provided the correct security credentials".to_owned()
            }
            Self::NoEndpointFor(KeyType::Production) => {
                "Production key offered to the API with no production endpoint".to_owned()
            }
            Self::NoEndpointFor(KeyType::Sandbox) => {
                "Sandbox key offered to the API with no sandbox endpoint".to_owned()
            }
            Self::NoEndpoint => "The API has no back end".to_owned(),
            Self::NotSubscribed => "The application has no subscription to this API".to_owned(),
            Self::AudienceMismatch => "The access token is for another audience".to_owned(),
            Self::ScopeMissing => "The access token has none of the scopes that the resource asks for".to_owned(),
            Self::Throttled { .. } => {
                format!(
                    "You have exceeded your quota .You can access API after {}",
                    self.next_access().unwrap_or_default()
                )
            }
            Self::ThrottleUnavailable => "Quotas cannot be checked at the moment. Try again later".to_owned(),
            Self::Backend { description, .. } => (*description).to_owned(),
            Self::IncorrectTokenType | Self::SubscriptionBlocked | Self::SubscriptionInactive => {
                self.row().title.to_owned()
            }
        }
    }

    /// When the next window starts, e.g. `2026-Mar-04 05:07:00+0000 UTC`.
    fn next_access(&self) -> Option<String> {
        let Self::Throttled { now, retry_in, .. } = self else { return None };
        Some(now.plus(*retry_in).to_utc().format("%Y-%b-%d %H:%M:%S+0000 UTC").to_string())
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("code".to_owned(), json!(self.code().to_string()));
        let message = match self.shape() {
            Shape::Plain { message } => message,
            Shape::StatusReport { message } => {
                body.insert("type".to_owned(), json!("Status report"));
                message
            }
        };
        body.insert("message".to_owned(), json!(message));
        body.insert("description".to_owned(), json!(self.description()));
        if let Some(next_access) = self.next_access() {
            body.insert("nextAccessTime".to_owned(), json!(next_access));
        }
        Value::Object(body)
    }

    fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        if self.closes_connection() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match self {
            Self::MethodNotAllowed(verbs) => {
                if let Ok(value) = HeaderValue::try_from(verbs.to_string()) {
                    headers.insert(ALLOW, value);
                }
            }
            Self::Throttled { retry_in, .. } => {
                // Rounded up: a client that comes back in time must not be early.
                let seconds = retry_in.as_millis().div_ceil(1000).max(1);
                headers.insert(RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
            }
            Self::ThrottleUnavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::MissingCredentials => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("OAuth2 realm=\"WSO2 API Manager\""));
            }
            _ if self.status() == StatusCode::UNAUTHORIZED => {
                headers.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static(
                        "OAuth2 realm=\"WSO2 API Manager\", error=\"invalid_token\", \
                         error_description=\"The provided token is invalid\"",
                    ),
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fault: Fault) -> String {
        String::from_utf8(fault.into_response().into_body().to_vec()).unwrap()
    }

    #[test]
    fn an_unknown_context_has_the_main_sequence_body() {
        assert_eq!(
            text(Fault::UnknownContext),
            r#"{"code":"404","type":"Status report","message":"Not Found","description":"The requested resource is not available."}"#
        );
    }

    #[test]
    fn an_unknown_resource_has_the_fault_sequence_body() {
        assert_eq!(
            text(Fault::NoResource),
            r#"{"code":"404","type":"Status report","message":"Runtime Error","description":"No matching resource found for given API Request"}"#
        );
    }

    #[test]
    fn bad_credentials_have_a_string_code_and_a_challenge() {
        let response = Fault::InvalidCredentials.into_response();
        assert_eq!(response.status(), 401);
        let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(
            challenge.starts_with("OAuth2 realm=\"WSO2 API Manager\", error=\"invalid_token\", error_description=")
        );
        let body = text(Fault::InvalidCredentials);
        assert!(body.starts_with(r#"{"code":"900901","message":"Invalid Credentials","description":"#), "{body}");
        let missing = Fault::MissingCredentials.into_response();
        assert_eq!(missing.headers()[WWW_AUTHENTICATE], "OAuth2 realm=\"WSO2 API Manager\"");
    }

    #[test]
    fn a_throttled_call_learns_when_to_come_back() {
        let fault = Fault::Throttled {
            code: error_code::SUBSCRIPTION_LIMIT_EXCEEDED,
            now: Timestamp::from_secs(1_772_600_767),
            retry_in: Duration::from_millis(52_001),
        };
        let response = fault.clone().into_response();
        assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (429, &HeaderValue::from(53)));
        assert_eq!(
            text(fault),
            r#"{"code":"900804","message":"Message throttled out","description":"You have exceeded your quota .You can access API after 2026-Mar-04 05:06:59+0000 UTC","nextAccessTime":"2026-Mar-04 05:06:59+0000 UTC"}"#
        );
    }

    #[test]
    fn a_key_of_the_wrong_type_is_a_403_with_the_code_of_bad_credentials() {
        let fault = Fault::NoEndpointFor(KeyType::Sandbox);
        assert_eq!((fault.status().as_u16(), fault.code()), (403, 900_901));
        assert!(!fault.into_response().headers().contains_key(WWW_AUTHENTICATE));
    }
}
