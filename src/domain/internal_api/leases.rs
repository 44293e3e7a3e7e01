//! The lease protocol: what gateways and traffic managers say on ports 9711 (TLS) and 9611 (plain, loopback only).
//!
//! A frame is a length of four bytes (big endian) and that many bytes of JSON. The client opens with [`Hello`] and waits
//! for [`Welcome`]; then it asks ([`Question`]) and gets answers ([`Answer`]) in any order, matched by id. A question may
//! be lost with its connection: what was granted then counts as spent. Ids of questions grow; one that does not is a
//! repetition and is ignored. An answer with the id 0 answers no question: the server says it of its own accord.
//!
//! Both sides say how much of [`LEVEL`] they know, and the other one says no more than that.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contract::throttle::{LeaseReply, LeaseRequest};

/// Version of the protocol that this release speaks.
pub const VERSION: u32 = 1;

/// What this release knows beyond the first one of this version: 1 knows owners of slots ([`Outcome::NotOwner`]), signs
/// of life ([`Ask::Ping`]) and recalls ([`Outcome::Recall`]); 2 counts what gateways hold ([`Outcome::Count`], [`Ask::Held`]).
pub const LEVEL: u32 = 2;

/// The id of answers to no question.
pub const UNASKED: u64 = 0;

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
    /// See [`LEVEL`]; 0 for the first release.
    #[serde(default)]
    pub level: u32,
}

/// First frame of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    Accepted {
        /// Who the client is.
        node_id: String,
        /// Who the server is, for [`Outcome::NotOwner`].
        #[serde(default)]
        server_id: String,
        /// See [`LEVEL`]; 0 for the first release.
        #[serde(default)]
        level: u32,
    },
    Refused {
        reason: String,
    },
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
    GiveBack {
        key: String,
        window_id: i64,
        epoch: u64,
        units: u64,
    },
    /// Are you there? Answered with [`Outcome::Done`].
    Ping,
    /// What [`Outcome::Count`] with this number wanted to know: unspent units. Answered with [`Outcome::Done`].
    Held {
        count: u64,
        units: u64,
    },
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
    /// Somebody else owns the key; the node id of the owner, as far as it is known.
    NotOwner {
        owner: Option<String>,
    },
    /// Units of this key are wanted elsewhere: give idle ones back.
    Recall {
        key: String,
    },
    /// How many units of leases for this window do you hold unspent? `count` numbers these questions.
    Count {
        count: u64,
        key: String,
        window_id: i64,
    },
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
    use crate::throttling::{Shape, TimeUnit};

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
    fn greetings_of_the_first_release_are_understood() {
        let hello: Hello = decode(br#"{"version":1,"token":"t"}"#).unwrap();
        assert_eq!(hello.level, 0);
        let welcome: Welcome = decode(br#"{"accepted":{"node_id":"gw1"}}"#).unwrap();
        let expected = Welcome::Accepted { node_id: "gw1".to_owned(), server_id: String::new(), level: 0 };
        assert_eq!(welcome, expected);
    }

    #[test]
    fn a_question_of_an_earlier_release_is_about_aligned_windows_of_utc() {
        let ask = br#"{"id":1,"ask":{"lease":{"key":"k","limit":5,"unit_time":1,"time_unit":"day","units":1}}}"#;
        let Ask::Lease(request) = decode::<Question>(ask).unwrap().ask else { panic!("another question") };
        assert_eq!(request.shape(), Shape::aligned(1, TimeUnit::Day));
        let frame = encode(&Question { id: 1, ask: Ask::Lease(request) }).unwrap();
        assert_eq!(&frame[HEADER_BYTES..], ask);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_on_both_sides() {
        assert!(matches!(encode(&"x".repeat(FRAME_BYTES_MAX)), Err(FrameError::TooLong(_))));
        assert!(matches!(body_length([1, 0, 0, 0]), Err(FrameError::TooLong(_))));
        assert!(matches!(decode::<Question>(b"{"), Err(FrameError::Body(_))));
    }
}
