//! Ends a server without cutting off calls in flight and without waiting for idle connections.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServerHandle;
use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Time for the last bytes of the last answers to leave the buffers.
const FLUSH: Duration = Duration::from_millis(50);

/// The calls that a server is answering.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: AtomicUsize,
    draining: AtomicBool,
    ended: Notify,
}

/// One call; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Call(Arc<Inner>);

impl InFlight {
    pub(super) fn begin(&self) -> Call {
        self.inner.calls.fetch_add(1, Ordering::AcqRel);
        Call(Arc::clone(&self.inner))
    }

    pub(super) fn is_draining(&self) -> bool {
        self.inner.draining.load(Ordering::Acquire)
    }

    /// Waits for `shutdown`, takes no new connections, lets calls end for at most `limit`, then stops the server.
    pub(super) async fn drain(self, shutdown: CancellationToken, server: ServerHandle, limit: Duration) {
        shutdown.cancelled().await;
        self.inner.draining.store(true, Ordering::Release);
        server.pause().await;
        if tokio::time::timeout(limit, self.idle()).await.is_err() {
            let calls = self.inner.calls.load(Ordering::Acquire);
            tracing::warn!(calls, "management calls are cut off after the drain time-out");
        }
        tokio::time::sleep(FLUSH).await;
        server.stop(false).await;
    }

    async fn idle(&self) {
        loop {
            let ended = self.inner.ended.notified();
            if self.inner.calls.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_one();
    }
}

/// A body that keeps its call open until it is written.
pub(super) struct CallBody {
    body: BoxBody,
    _call: Call,
}

impl CallBody {
    pub(super) fn new(body: BoxBody, call: Call) -> Self {
        Self { body, _call: call }
    }
}

impl MessageBody for CallBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
