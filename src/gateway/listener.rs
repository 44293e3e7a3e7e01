//! The gateway's doors: sockets on both ports for every worker, connections with limits, and their end.

mod head_watch;
mod socket;
mod tap;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::AnswerBody;
use crate::filters::transport::Transport;
use crate::pipeline::{Connection, Pipeline};
use head_watch::HeadWatch;
pub use socket::{BindError, Door, bind};
use tap::Tap;

/// How long to wait before accepting again when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Smallest read buffer that hyper takes.
const HTTP1_BUFFER_MIN: usize = 8192;

/// Limits of connections and request heads.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    pub head_timeout: Duration,
    pub head_bytes_max: usize,
    pub headers_max: usize,
    pub http2_streams_max: u32,
    /// How long calls in flight may go on after the end was announced.
    pub drain_timeout: Duration,
}

/// One worker's side of one port, without the socket itself: that is closed at once when the end is announced, while
/// connections go on.
pub struct Listener {
    pub tls: Option<TlsAcceptor>,
    /// Connections that may still be opened on the port, over all workers.
    pub free: Arc<Semaphore>,
    pub pipeline: Arc<Pipeline>,
    pub limits: ConnectionLimits,
}

impl Listener {
    /// Accepts until `cancel`; connections go on in `tasks`.
    pub async fn run(self, socket: TcpListener, tasks: TaskTracker, cancel: CancellationToken) {
        let own = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                accepted = own.accept(&socket) => accepted,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let (own, cancel) = (Arc::clone(&own), cancel.clone());
                    tasks.spawn(async move {
                        own.serve(stream, peer, &cancel).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Waits for room before the next one is accepted: what does not fit stays in the kernel's queue.
    async fn accept(&self, socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let (stream, peer) = socket.accept().await?;
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(io::Error::other)?;
        Ok((stream, peer, permit))
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, cancel: &CancellationToken) {
        let open = &self.pipeline.shared.metrics.connections;
        open.inc();
        // Small answers must not wait for more; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        let connection = |transport| Connection { peer: peer.ip(), transport };
        match &self.tls {
            None => self.serve_http1(stream, connection(Transport::Http), cancel).await,
            Some(acceptor) => match tokio::time::timeout(self.limits.head_timeout, acceptor.accept(stream)).await {
                Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    self.serve_http2(stream, connection(Transport::Https), cancel).await;
                }
                Ok(Ok(stream)) => self.serve_http1(stream, connection(Transport::Https), cancel).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        open.dec();
    }

    async fn serve_http1<S>(&self, stream: S, connection: Connection, cancel: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let watch = Arc::new(HeadWatch::default());
        let pipeline = Arc::clone(&self.pipeline);
        let watched = Arc::clone(&watch);
        let service = service_fn(move |request: Request<Incoming>| {
            let (pipeline, violation) = (Arc::clone(&pipeline), watched.next_head());
            async move { answer(&pipeline, request, connection, violation).await }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_header_size(self.limits.head_bytes_max)
            .max_headers(self.limits.headers_max)
            .max_buf_size(self.limits.head_bytes_max.max(HTTP1_BUFFER_MIN));
        let served = builder.serve_connection(TokioIo::new(Tap::new(stream, watch)), service);
        let mut served = std::pin::pin!(served);
        let result = tokio::select! {
            result = served.as_mut() => result,
            () = cancel.cancelled() => {
                served.as_mut().graceful_shutdown();
                self.bounded(served).await
            }
        };
        log_end(result);
    }

    async fn serve_http2<S>(&self, stream: S, connection: Connection, cancel: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pipeline = Arc::clone(&self.pipeline);
        let service = service_fn(move |request: Request<Incoming>| {
            let pipeline = Arc::clone(&pipeline);
            async move { answer(&pipeline, request, connection, None).await }
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(self.limits.head_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(self.limits.http2_streams_max)
            // HTTP/2 has no head time-out: a peer that does not answer pings is gone.
            .keep_alive_interval(self.limits.head_timeout)
            .keep_alive_timeout(self.limits.head_timeout);
        let served = builder.serve_connection(TokioIo::new(stream), service);
        let mut served = std::pin::pin!(served);
        let result = tokio::select! {
            result = served.as_mut() => result,
            () = cancel.cancelled() => {
                served.as_mut().graceful_shutdown();
                self.bounded(served).await
            }
        };
        log_end(result);
    }

    /// Lets a connection that is ending go on for the drain time.
    async fn bounded(&self, served: impl Future<Output = hyper::Result<()>>) -> hyper::Result<()> {
        tokio::time::timeout(self.limits.drain_timeout, served).await.unwrap_or_else(|_| {
            tracing::warn!("a connection was cut off because its calls did not end in time");
            Ok(())
        })
    }
}

async fn answer(
    pipeline: &Pipeline,
    request: Request<Incoming>,
    connection: Connection,
    violation: Option<&'static str>,
) -> Result<Response<AnswerBody>, std::convert::Infallible> {
    Ok(pipeline.answer(request, connection, violation).await)
}

fn log_end(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(error = &error as &dyn std::error::Error, "a client connection ended early");
    }
}
