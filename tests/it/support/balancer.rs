//! A load balancer as sites have one in front of their nodes: by path, to the node whose role serves it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::rest::client;

/// Base URLs by role.
pub type Targets = Arc<RwLock<BTreeMap<&'static str, String>>>;

/// Answers as long as the test's runtime lives.
pub struct Balancer {
    address: SocketAddr,
}

impl Balancer {
    pub async fn start(targets: Targets) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let targets = Arc::clone(&targets);
                tokio::spawn(async move {
                    let service = service_fn(move |request| pass(Arc::clone(&targets), request));
                    // A client that hangs up ends its connection.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The role that serves a path; a tenant's form of it has `/t/<domain>` before.
fn role_of(path: &str) -> &'static str {
    let own = match path.strip_prefix("/t/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => format!("/{rest}"),
        None => path.to_owned(),
    };
    let starts = |prefix: &str| own.starts_with(prefix);
    if starts("/api/am/publisher") || starts("/api/am/admin") {
        "publisher"
    } else if starts("/api/am/devportal") {
        "devportal"
    } else if starts("/api/am/gateway") {
        "gateway"
    } else if starts("/internal/data") {
        "traffic-manager"
    } else {
        "key-manager"
    }
}

async fn pass(targets: Targets, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let base = targets.read().unwrap().get(role_of(parts.uri.path())).cloned().unwrap_or_default();
    let Ok(body) = body.collect().await else { return Ok(failure("the body ended early")) };
    let mut call = client().request(parts.method.clone(), format!("{base}{path}")).body(body.to_bytes());
    for (name, value) in &parts.headers {
        if ![HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            call = call.header(name, value);
        }
    }
    let answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) => return Ok(failure(&error.to_string())),
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            response = response.header(name, value);
        }
    }
    let bytes = answer.bytes().await.unwrap_or_default();
    Ok(response.body(Full::new(bytes)).unwrap())
}

fn failure(reason: &str) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(format!("the node behind the balancer does not answer: {reason}")));
    Response::builder().status(StatusCode::BAD_GATEWAY).body(body).unwrap()
}
