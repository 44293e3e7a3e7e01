//! One HTTP/2 connection to another node.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::{Secret, Timestamp};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use security::cluster_tls::Fingerprint;
use security::enrolment::Credentials;
use security::node_token;
use serde::Deserialize;

use super::dial::{Address, DialError, dial};
use super::{ANSWER_BYTES_MAX, Attempt};

/// How often the other side must show that it lives, and how long it may take.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a narrowed token is used; it lives twice as long.
const NARROWED_FOR: Duration = Duration::from_secs(30);

/// Largest answer that is passed on.
const PASSED_BYTES_MAX: usize = 1 << 20;

/// Longest reason that is read of an error answer, in bytes.
const REASON_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    callee: String,
    narrowed: Mutex<Option<Narrowed>>,
}

/// A token for this connection.
#[derive(Clone)]
struct Narrowed {
    header: HeaderValue,
    /// Credentials that it comes from.
    issued_at: Timestamp,
    until: Timestamp,
}

impl Connection {
    /// The connection goes on in a task of the current runtime until both sides let go.
    pub(super) async fn open(address: &Address, role: &str, trust: Fingerprint) -> Result<Self, DialError> {
        let dialled = dial(address, role, trust, &[b"h2"]).await?;
        if dialled.stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(DialError::Protocol);
        }
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        let (sender, connection) = builder.handshake(TokioIo::new(dialled.stream)).await.map_err(DialError::Http)?;
        let shown = address.to_string();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(peer = shown, %error, "a connection to another node ended");
            }
        });
        Ok(Self { sender, authority: address.to_string(), callee: dialled.callee, narrowed: Mutex::new(None) })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks in this node's own name.
    pub(super) async fn ask(&self, path: &str, body: Bytes, credentials: &Credentials, now: Timestamp) -> Attempt {
        let header = match self.authorization(credentials, now) {
            Ok(header) => header,
            Err(error) => return Attempt::NotSent(error),
        };
        let request =
            Request::post(path).header(CONTENT_TYPE, "application/json").header(AUTHORIZATION, header).body(body);
        let request = match request {
            Ok(request) => request,
            Err(error) => return Attempt::NotSent(error.to_string()),
        };
        let bytes_max = |status: StatusCode| if status.is_success() { ANSWER_BYTES_MAX } else { REASON_BYTES_MAX };
        self.send(request, bytes_max).await.map_or_else(|failed| failed, understand)
    }

    /// Sends a call as it is, and takes every answer as it is.
    pub(super) async fn pass(&self, request: Request<Bytes>) -> Attempt {
        self.send(request, |_| PASSED_BYTES_MAX).await.map_or_else(|failed| failed, Attempt::Answered)
    }

    /// The target of `request` is a path; `bytes_max` limits what is read of an answer. Fails with what else came of it.
    async fn send(
        &self,
        request: Request<Bytes>,
        bytes_max: fn(StatusCode) -> usize,
    ) -> Result<Response<Bytes>, Attempt> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("https://{}{path}", self.authority).parse();
        parts.uri = uri.map_err(|_| Attempt::NotSent("the target is not valid".to_owned()))?;
        parts.version = Version::HTTP_2;
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(|error| Attempt::NotSent(error.to_string()))?;
        let sent = sender.send_request(Request::from_parts(parts, Full::new(body))).await;
        let (parts, body) = sent.map_err(|error| Attempt::Lost(error.to_string()))?.into_parts();
        let body = Limited::new(body, bytes_max(parts.status)).collect().await;
        let body = body.map_err(|error| Attempt::Lost(error.to_string()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn authorization(&self, credentials: &Credentials, now: Timestamp) -> Result<HeaderValue, String> {
        let mut narrowed = self.narrowed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |own: &&Narrowed| {
            let age = own.until.as_millis().saturating_sub(now.as_millis());
            let longest = i64::try_from(NARROWED_FOR.as_millis()).unwrap_or(i64::MAX);
            // A clock that was set back must not keep a token for ever.
            own.issued_at == credentials.issued_at && age > 0 && age <= longest
        };
        if let Some(own) = narrowed.as_ref().filter(is_fresh) {
            return Ok(own.header.clone());
        }
        let token = node_token::attenuate(&credentials.token, &self.callee, now).map_err(|error| error.to_string())?;
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let mut header = HeaderValue::from_str(bearer.expose()).map_err(|error| error.to_string())?;
        header.set_sensitive(true);
        let until = now.plus(NARROWED_FOR);
        *narrowed = Some(Narrowed { header: header.clone(), issued_at: credentials.issued_at, until });
        Ok(header)
    }
}

/// What an answer says to a call of this node's own.
fn understand(response: Response<Bytes>) -> Attempt {
    match response.status() {
        status if status.is_success() => Attempt::Answered(response),
        StatusCode::UNAUTHORIZED => Attempt::Refused,
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Attempt::Unable(format!("answers {}", status.as_u16()))
        }
        status => Attempt::Status(status.as_u16(), reason(response.body())),
    }
}

/// The description of a WSO2 `Error`, else the start of the body.
fn reason(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ErrorBody {
        description: String,
    }

    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(error) => error.description,
        Err(_) => String::from_utf8_lossy(body).chars().take(200).collect(),
    }
}
