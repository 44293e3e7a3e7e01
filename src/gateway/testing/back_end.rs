//! A real HTTP server to call, which remembers what reached it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub type Reply = Response<BoxBody<Bytes, Infallible>>;
type Handler = dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync;

/// What reached the back end.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    pub headers: HeaderMap,
}

#[derive(Clone)]
pub struct BackEnd {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A reply with this text.
pub fn text(text: &str) -> Reply {
    Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())).boxed())
}

impl BackEnd {
    /// Answers everything with its name.
    pub async fn named(name: &'static str) -> Self {
        Self::with(move |_| async move { text(name) }).await
    }

    pub async fn with<F, R>(handler: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        let handler: Arc<Handler> = Arc::new(move |request| Box::pin(handler(request)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&own.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                tokio::spawn(async move {
                    let service = service_fn(|request: Request<Incoming>| {
                        seen.lock().unwrap().push(Seen {
                            method: request.method().to_string(),
                            target: request.uri().to_string(),
                            headers: request.headers().clone(),
                        });
                        let reply = handler(request);
                        async move { Ok::<_, Infallible>(reply.await) }
                    });
                    // Clients that hang up are part of the tests.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        own
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The latest request.
    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}
