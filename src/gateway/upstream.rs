//! The way to the back ends: one pool of connections per worker, bodies streamed in both directions.

mod body;
mod headers;
mod progress;
mod roots;
mod target;

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use config::sections::gateway::Upstream as UpstreamConfig;
use domain::error_code::{
    BACKEND_CONNECT_FAILED, BACKEND_CONNECT_TIMEOUT, BACKEND_CONNECTION_CLOSED, BACKEND_RECEIVE_FAILED,
    BACKEND_SEND_FAILED, BACKEND_TIMEOUT,
};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use telemetry::seldom::Seldom;

pub use body::{BodyFailure, BodyLimits, RequestBody, ResponseStream};
pub use headers::{API_KEY, Forwarded, prepare_passed_headers, prepare_request_headers, prepare_response_headers};
pub use roots::{TrustError, client_config};
pub use target::back_end_uri;

use crate::fault::Fault;

/// One worker's client.
#[derive(Clone)]
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, RequestBody>,
    response_timeout: Duration,
    /// A back end that is down fails every call: the log hears of one in a while.
    trouble: Arc<Seldom>,
}

/// How often the log hears of failing back ends.
const SAY_INTERVAL: Duration = Duration::from_secs(1);

impl Upstream {
    #[must_use]
    pub fn new(config: &UpstreamConfig, tls: Arc<rustls::ClientConfig>) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.connect_timeout.get()));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&tls))
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.idle_timeout.get())
            .pool_max_idle_per_host(usize::try_from(config.idle_max).unwrap_or(usize::MAX))
            .build(connector);
        let trouble = Arc::new(Seldom::new(SAY_INTERVAL));
        Self { client, response_timeout: config.response_timeout.get(), trouble }
    }

    /// Sends the request and waits for the response's head. `timeout` counts from the last byte of the request body
    /// that was passed on.
    pub async fn send(
        &self,
        request: Request<RequestBody>,
        timeout: Option<Duration>,
    ) -> Result<Response<Incoming>, Fault> {
        let timeout = timeout.unwrap_or(self.response_timeout);
        let progress = request.body().progress();
        let response = self.client.request(request);
        let answer = match &progress {
            None => tokio::time::timeout(timeout, response).await.ok(),
            Some(progress) => progress.within(timeout, response).await,
        };
        let failure = progress.as_ref().and_then(|progress| progress.failure());
        let response = match (answer, failure) {
            (_, Some(failure)) => return Err(failure.into_fault()),
            (None, None) => return Err(backend(BACKEND_TIMEOUT, "The back end did not answer in time")),
            (Some(Err(error)), None) => {
                if let Some(unsaid) = self.trouble.may_say(std::time::Instant::now()) {
                    tracing::warn!(error = &error as &dyn std::error::Error, unsaid, "a call to a back end failed");
                }
                return Err(classify(&error));
            }
            (Some(Ok(response)), None) => response,
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(backend(BACKEND_RECEIVE_FAILED, "The back end changed the protocol unasked"));
        }
        let (mut parts, body) = response.into_parts();
        parts.version = Version::HTTP_11;
        prepare_response_headers(&mut parts.headers);
        Ok(Response::from_parts(parts, body))
    }
}

fn backend(code: domain::error_code::ErrorCode, description: &'static str) -> Fault {
    Fault::Backend { code, description }
}

/// Which fault an error of the client is; the text of the error is for the log.
fn classify(error: &ClientError) -> Fault {
    if error.is_connect() {
        return if is_timeout(error) {
            backend(BACKEND_CONNECT_TIMEOUT, "The connection to the back end took too long")
        } else {
            backend(BACKEND_CONNECT_FAILED, "The back end cannot be connected to")
        };
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    match cause {
        Some(cause) if cause.is_incomplete_message() || cause.is_closed() || cause.is_canceled() => {
            backend(BACKEND_CONNECTION_CLOSED, "The back end closed the connection without an answer")
        }
        Some(cause) if cause.is_parse() => backend(BACKEND_RECEIVE_FAILED, "The back end's answer is not valid HTTP"),
        _ => backend(BACKEND_SEND_FAILED, "The call to the back end was cut off"),
    }
}

fn is_timeout(error: &ClientError) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}
