//! Every refusal and failure that callers see: one list, one place that writes the bodies (WSO2's shapes, JSON or XML).

mod form;

use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use domain::application::KeyType;
use domain::error_code::{self, ErrorCode};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::router::VerbSet;
pub use form::FaultForm;
use form::Namespace;

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
    /// Says which credentials the API takes.
    MissingCredentials(Accepted),
    /// Wrong, expired or revoked; which one is for the log only.
    InvalidCredentials,
    ApiKeyExpired,
    /// The key may not be used from this address or page.
    NotPermittedHere,
    /// An internal key for another API.
    KeyOfOtherApi,
    /// An application's token where a user's is wanted, or the other way round.
    IncorrectTokenType,
    SubscriptionBlocked,
    SubscriptionInactive,
    NotSubscribed,
    ScopeMissing,
    AudienceMismatch,
    /// A deny policy names the call.
    Denied,
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
    /// No key manager answers.
    TokenServiceUnavailable,
    /// The back end could not be called or gave no answer.
    Backend {
        code: ErrorCode,
        description: &'static str,
    },
}

/// Kinds of credentials that an API takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// OAuth2 access tokens.
    pub bearer: bool,
    pub api_key: bool,
}

/// The bodies that WSO2 has: faults of authentication and throttling have no `type`.
enum Shape {
    Plain { message: &'static str },
    StatusReport { message: &'static str },
}

impl Accepted {
    fn forms(self) -> &'static str {
        match (self.bearer, self.api_key) {
            (true, true) => "'Authorization : Bearer ACCESS_TOKEN' or 'apikey : API_KEY'",
            (false, true) => "'apikey : API_KEY'",
            (true, false) => "'Authorization : Bearer ACCESS_TOKEN'",
            (false, false) => "no credentials that this gateway knows",
        }
    }

    fn challenge(self) -> &'static str {
        match (self.bearer, self.api_key) {
            (true, true) => "OAuth2 realm=\"WSO2 API Manager\", API Key realm=\"WSO2 API Manager\"",
            (false, true) => "API Key realm=\"WSO2 API Manager\"",
            _ => "OAuth2 realm=\"WSO2 API Manager\"",
        }
    }
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
    pub fn into_response(self, form: FaultForm) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(form.write(self.fields(), self.namespace())));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, form.content_type());
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
            Self::MissingCredentials(_) => error_code::MISSING_CREDENTIALS,
            Self::ApiKeyExpired => error_code::TOKEN_EXPIRED,
            Self::NotPermittedHere | Self::KeyOfOtherApi => error_code::RESOURCE_FORBIDDEN,
            Self::InvalidCredentials | Self::NoEndpointFor(_) => error_code::UNAUTHENTICATED,
            Self::IncorrectTokenType => error_code::INCORRECT_TOKEN_TYPE,
            Self::SubscriptionBlocked => error_code::SUBSCRIPTION_BLOCKED,
            Self::SubscriptionInactive => error_code::SUBSCRIPTION_INACTIVE,
            Self::NotSubscribed => error_code::RESOURCE_FORBIDDEN,
            Self::ScopeMissing => error_code::INVALID_SCOPE,
            Self::AudienceMismatch => error_code::INVALID_AUDIENCE,
            Self::Denied => error_code::MESSAGE_BLOCKED,
            Self::NoEndpoint => error_code::NO_ENDPOINT,
            Self::ThrottleUnavailable => error_code::GENERAL_AUTH_ERROR,
            Self::TokenServiceUnavailable => error_code::SERVICE_UNAVAILABLE,
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
            | Self::TokenServiceUnavailable
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
            Self::MissingCredentials(accepted) => format!("Missing Credentials. The API takes {}", accepted.forms()),
            Self::ApiKeyExpired => "The API key has expired".to_owned(),
            Self::NotPermittedHere => "The API key may not be used from this address or page".to_owned(),
            Self::KeyOfOtherApi => "The internal key is for another API".to_owned(),
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
            Self::Denied => "This call is blocked by an administrator of the API".to_owned(),
            Self::ScopeMissing => "The access token has none of the scopes that the resource asks for".to_owned(),
            Self::Throttled { .. } => {
                format!(
                    "You have exceeded your quota .You can access API after {}",
                    self.next_access().unwrap_or_default()
                )
            }
            Self::ThrottleUnavailable => "Quotas cannot be checked at the moment. Try again later".to_owned(),
            Self::TokenServiceUnavailable => "The token service does not answer. Try again later".to_owned(),
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

    fn namespace(&self) -> Namespace {
        match (self, self.shape()) {
            (Self::Throttled { .. } | Self::ThrottleUnavailable | Self::Denied, _) => Namespace::THROTTLING,
            (_, Shape::Plain { .. }) => Namespace::SECURITY,
            (_, Shape::StatusReport { .. }) => Namespace::GENERAL,
        }
    }

    fn fields(&self) -> Map<String, Value> {
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
        body
    }

    fn write_headers(&self, headers: &mut HeaderMap) {
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
            Self::ThrottleUnavailable | Self::TokenServiceUnavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::MissingCredentials(accepted) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(accepted.challenge()));
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
mod tests;
