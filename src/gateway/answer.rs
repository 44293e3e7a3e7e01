//! Bodies of answers: made here or streamed from a back end, watched to their end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::{Response, StatusCode};

use crate::activity::ACTIVITY_ID;
use crate::fault::Fault;
use crate::observe::Observation;
use crate::upstream::{BodyFailure, ResponseStream};

/// The body of any answer.
pub struct AnswerBody {
    content: Content,
    observation: Observation,
}

enum Content {
    Made(Option<Bytes>),
    Streamed(ResponseStream),
}

/// An answer of the gateway itself.
pub fn made(response: Response<Bytes>, mut observation: Observation) -> Response<AnswerBody> {
    observation.answered(response.status().as_u16(), None);
    finish(response.map(|bytes| Content::Made(Some(bytes))), observation)
}

/// A refusal or failure.
pub fn fault(fault: Fault, mut observation: Observation) -> Response<AnswerBody> {
    let code = fault.code();
    let response = fault.into_response(observation.reply.form);
    observation.answered(response.status().as_u16(), Some(code));
    finish(response.map(|bytes| Content::Made(Some(bytes))), observation)
}

/// The back end's answer.
pub fn streamed(response: Response<ResponseStream>, mut observation: Observation) -> Response<AnswerBody> {
    observation.answered(response.status().as_u16(), None);
    finish(response.map(Content::Streamed), observation)
}

fn finish(mut response: Response<Content>, observation: Observation) -> Response<AnswerBody> {
    response.headers_mut().insert(ACTIVITY_ID, observation.activity.clone());
    observation.reply.write(response.headers_mut());
    let has_no_body = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    response.map(|content| {
        let mut body = AnswerBody { content, observation };
        body.observation.is_complete = has_no_body || body.is_end_stream();
        body
    })
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let body = self.get_mut();
        let polled = match &mut body.content {
            Content::Made(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Streamed(stream) => Pin::new(stream).poll_frame(cx),
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                body.observation.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                body.observation.is_complete = body.content.is_end_stream();
            }
            Poll::Ready(None) => body.observation.is_complete = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Made(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Streamed(stream) => stream.size_hint(),
        }
    }
}

impl Content {
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Made(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Streamed(stream) => stream.is_end_stream(),
        }
    }
}
