//! The lease protocol: what gateways and traffic managers say on ports 9711 (TLS) and 9611 (plain, loopback only).
//!
//! A frame is a length of four bytes (big endian) and that many bytes of JSON. The client opens with [`Hello`] and waits
//! for [`Welcome`]; then it asks ([`Question`]) and gets answers ([`Answer`]) in any order, matched by id. A question may
//! be lost with its connection: what was granted then counts as spent.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contract::throttle::{LeaseReply, LeaseRequest};

/// Version of the protocol that this release speaks.
pub const VERSION: u32 = 1;

/// Bytes of the length before a frame's body.
pub const HEADER_BYTES: usize = 4;

/// Longest body of a frame.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// First frame of the client.
#[derive(Clone, Serialize, Deserialize)]
pub struct Hello {
    pub version: u32,
    /// Node token, narrowed to the callee.
    pub token: String,
}

/// First frame of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    Accepted { node_id: String },
    Refused { reason: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub id: u64,
    pub ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    Lease(LeaseRequest),
    GiveBack { key: String, window_id: i64, epoch: u64, units: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub id: u64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Lease(LeaseReply),
    Done,
    /// The owner cannot decide, e.g. because its database is away.
    Unavailable,
}

/// Bytes that are no frame; the connection ends.
#[derive(Debug, Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    #[error("a frame does not hold the expected JSON")]
    Body(#[source] serde_json::Error),
}

/// Length and body of a message.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEADER_BYTES];
    serde_json::to_writer(&mut frame, message).map_err(FrameError::Body)?;
    let length = frame.len() - HEADER_BYTES;
    let header = u32::try_from(length).ok().filter(|_| length <= FRAME_BYTES_MAX);
    let header = header.ok_or(FrameError::TooLong(length))?.to_be_bytes();
    frame[..HEADER_BYTES].copy_from_slice(&header);
    Ok(frame)
}

/// Length of the body that follows a header.
pub fn body_length(header: [u8; HEADER_BYTES]) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX { Err(FrameError::TooLong(length)) } else { Ok(length) }
}

/// The message in a body.
pub fn decode<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(body).map_err(FrameError::Body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let ask = Ask::GiveBack { key: "sub:a".to_owned(), window_id: 5, epoch: 2, units: 3 };
        let question = Question { id: 7, ask };
        let frame = encode(&question).unwrap();
        let header = frame[..HEADER_BYTES].try_into().unwrap();
        assert_eq!(body_length(header).unwrap(), frame.len() - HEADER_BYTES);
        assert_eq!(decode::<Question>(&frame[HEADER_BYTES..]).unwrap(), question);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_on_both_sides() {
        assert!(matches!(encode(&"x".repeat(FRAME_BYTES_MAX)), Err(FrameError::TooLong(_))));
        assert!(matches!(body_length([1, 0, 0, 0]), Err(FrameError::TooLong(_))));
        assert!(matches!(decode::<Question>(b"{"), Err(FrameError::Body(_))));
    }
}
