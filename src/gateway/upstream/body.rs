//! Bodies on their way through: frame by frame, with limits on size and on pauses, never held.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::progress::Progress;
use crate::fault::Fault;
use crate::lease::Charge;

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum BodyFailure {
    #[error("the request body is too large")]
    TooLarge = 1,
    #[error("nothing of the body came for too long")]
    Idle = 2,
    #[error("the body was cut off")]
    CutOff = 3,
}

/// Limits of request bodies.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// `None` sets no limit.
    pub bytes_max: Option<u64>,
    pub idle: Duration,
}

impl BodyLimits {
    /// # Errors
    /// When the announced length is over the limit already.
    pub fn check_announced(&self, body: &Incoming) -> Result<(), BodyFailure> {
        let announced = body.size_hint().lower();
        if self.bytes_max.is_some_and(|max| announced > max) { Err(BodyFailure::TooLarge) } else { Ok(()) }
    }
}

impl BodyFailure {
    pub(super) fn from_number(number: u8) -> Option<Self> {
        [Self::TooLarge, Self::Idle, Self::CutOff].into_iter().find(|failure| *failure as u8 == number)
    }

    /// What a client hears whose request body failed.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        match self {
            Self::TooLarge => Fault::PayloadTooLarge,
            Self::Idle => Fault::ClientTooSlow,
            Self::CutOff => Fault::Ambiguous("the request body was cut off"),
        }
    }
}

/// A request body on its way to the back end.
pub enum RequestBody {
    Empty,
    Streamed(Box<StreamedRequest>),
}

/// See [`RequestBody`].
pub struct StreamedRequest {
    incoming: Incoming,
    limits: BodyLimits,
    passed: u64,
    pause: Pause,
    progress: Arc<Progress>,
    charges: Vec<Charge>,
}

impl RequestBody {
    /// `charges` are settled with the bytes that were passed on, however the body ends.
    #[must_use]
    pub fn new(incoming: Incoming, limits: BodyLimits, charges: Vec<Charge>) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        let (progress, pause) = (Arc::new(Progress::new()), Pause::new(limits.idle));
        Self::Streamed(Box::new(StreamedRequest { incoming, limits, passed: 0, pause, progress, charges }))
    }

    /// `None` when there is nothing to wait for.
    #[must_use]
    pub fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Streamed(streamed) => Some(Arc::clone(&streamed.progress)),
        }
    }
}

impl StreamedRequest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        loop {
            let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    self.progress.waits_for_client();
                    ready!(self.pause.poll(cx));
                    return Poll::Ready(Some(Err(self.fail(BodyFailure::Idle))));
                }
            };
            self.pause.end();
            self.progress.passed_on();
            match frame {
                None => return Poll::Ready(None),
                Some(Err(_)) => return Poll::Ready(Some(Err(self.fail(BodyFailure::CutOff)))),
                Some(Ok(frame)) => {
                    // Trailers could carry what was taken out of the head.
                    let Some(data) = frame.data_ref() else { continue };
                    self.passed = self.passed.saturating_add(data.len() as u64);
                    if self.limits.bytes_max.is_some_and(|max| self.passed > max) {
                        return Poll::Ready(Some(Err(self.fail(BodyFailure::TooLarge))));
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
    }

    fn fail(&self, failure: BodyFailure) -> BodyFailure {
        self.progress.fail(failure);
        failure
    }
}

impl Drop for StreamedRequest {
    fn drop(&mut self) {
        self.charges.drain(..).for_each(|charge| charge.settle(self.passed));
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Streamed(streamed) => streamed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streamed(streamed) => streamed.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streamed(streamed) => streamed.incoming.size_hint(),
        }
    }
}

/// A response body on its way to the client.
pub struct ResponseStream {
    incoming: Incoming,
    pause: Pause,
}

impl ResponseStream {
    #[must_use]
    pub fn new(incoming: Incoming, idle: Duration) -> Self {
        Self { incoming, pause: Pause::new(idle) }
    }
}

impl Body for ResponseStream {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.pause.end();
                Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyFailure::CutOff)))
            }
            Poll::Pending => {
                ready!(self.pause.poll(cx));
                Poll::Ready(Some(Err(BodyFailure::Idle)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Measures one pause in a body; costs nothing while bytes flow.
struct Pause {
    longest: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Pause {
    fn new(longest: Duration) -> Self {
        Self { longest, timer: None, is_running: false }
    }

    /// Ready when the pause has become too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = || Instant::now() + self.longest;
        if !self.is_running {
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(deadline()),
                None => self.timer = Some(Box::pin(tokio::time::sleep_until(deadline()))),
            }
            self.is_running = true;
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }

    fn end(&mut self) {
        self.is_running = false;
    }
}
