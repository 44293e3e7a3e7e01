//! The one table of error codes: number, HTTP status, title. Codes are WSO2's; a code means the same everywhere.

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// WSO2's number, or the HTTP status where WSO2 has none.
    pub code: u32,
    pub status: u16,
    /// The `message` of the answer.
    pub title: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        $($(#[$doc])* pub const $name: ErrorCode = ErrorCode { code: $code, status: $status, title: $title };)*
        /// Every row.
        pub const ALL: &[ErrorCode] = &[$($name),*];
    };
}

codes! {
    // Management plane.
    BAD_REQUEST = 400, 400, "Bad Request";
    UNAUTHORIZED = 401, 401, "Unauthorized";
    FORBIDDEN = 403, 403, "Forbidden";
    NOT_FOUND = 404, 404, "Not Found";
    METHOD_NOT_ALLOWED = 405, 405, "Method Not Allowed";
    NOT_ACCEPTABLE = 406, 406, "Not Acceptable";
    REQUEST_TIMEOUT = 408, 408, "Request Timeout";
    CONFLICT = 409, 409, "Conflict";
    PRECONDITION_FAILED = 412, 412, "Precondition Failed";
    PAYLOAD_TOO_LARGE = 413, 413, "Payload Too Large";
    UNSUPPORTED_MEDIA_TYPE = 415, 415, "Unsupported Media Type";
    TOO_MANY_REQUESTS = 429, 429, "Too Many Requests";
    INTERNAL_ERROR = 500, 500, "Internal Server Error";
    SERVICE_UNAVAILABLE = 503, 503, "Service Unavailable";
    /// Name and version are taken.
    API_ALREADY_EXISTS = 900250, 409, "The API already exists";
    API_CONTEXT_ALREADY_EXISTS = 900251, 409, "The API context already exists";
    API_VERSION_ALREADY_EXISTS = 900252, 409, "The API version already exists";
    TIER_NOT_ALLOWED = 900305, 400, "The throttling policy is not allowed";
    API_NOT_FOUND = 900308, 404, "The API is not found";
    REVISION_NOT_FOUND = 900347, 404, "The API revision is not found";
    APPLICATION_NOT_FOUND = 900359, 404, "The application is not found";
    ENVIRONMENT_NOT_FOUND = 900504, 400, "The gateway environment is not found";
    INVALID_DEFINITION = 900754, 400, "The API definition is not valid";
    UNAUTHENTICATED = 900901, 401, "Unauthenticated request";
    // Gateway: lifecycle, authentication, throttling, back end.
    API_BLOCKED = 700700, 503, "API blocked";
    API_LIMIT_EXCEEDED = 900800, 429, "Message throttled out";
    HARD_LIMIT_EXCEEDED = 900801, 503, "Message throttled out";
    RESOURCE_LIMIT_EXCEEDED = 900802, 429, "Message throttled out";
    APPLICATION_LIMIT_EXCEEDED = 900803, 429, "Message throttled out";
    SUBSCRIPTION_LIMIT_EXCEEDED = 900804, 429, "Message throttled out";
    MESSAGE_BLOCKED = 900805, 403, "Message blocked";
    CUSTOM_LIMIT_EXCEEDED = 900806, 429, "Message throttled out";
    BURST_LIMIT_EXCEEDED = 900807, 429, "Message throttled out";
    GENERAL_AUTH_ERROR = 900900, 500, "Unclassified Authentication Failure";
    MISSING_CREDENTIALS = 900902, 401, "Missing Credentials";
    TOKEN_EXPIRED = 900903, 401, "Access Token Expired";
    INCORRECT_TOKEN_TYPE = 900905, 401, "Incorrect Access Token Type is provided";
    SUBSCRIPTION_BLOCKED = 900907, 401, "The requested API is temporarily blocked";
    RESOURCE_FORBIDDEN = 900908, 403, "Resource forbidden ";
    SUBSCRIPTION_INACTIVE = 900909, 401, "The subscription to the API is inactive";
    INVALID_SCOPE = 900910, 403, "The access token does not allow you to access the requested resource";
    INVALID_AUDIENCE = 900914, 403, "The access token does not allow you to access the requested resource";
    BACKEND_SEND_FAILED = 101500, 502, "Runtime Error";
    BACKEND_RECEIVE_FAILED = 101501, 502, "Runtime Error";
    BACKEND_CONNECT_FAILED = 101503, 502, "Runtime Error";
    BACKEND_TIMEOUT = 101504, 504, "Runtime Error";
    BACKEND_CONNECTION_CLOSED = 101505, 502, "Runtime Error";
    BACKEND_CONNECT_TIMEOUT = 101508, 504, "Runtime Error";
    NO_ENDPOINT = 303001, 503, "Runtime Error";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_table_once() {
        let mut codes: Vec<u32> = ALL.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn every_status_is_an_error_status() {
        assert!(ALL.iter().all(|row| (400..600).contains(&row.status)));
    }
}
