//! Sees in the raw bytes of an HTTP/1 connection what hyper forgives: a `Content-Length` beside a `Transfer-Encoding`
//! (hyper drops the length without a trace), and lines that end without carriage return. Both let two servers disagree
//! about where a request ends (RFC 9112 sections 2.2 and 6.1).
//!
//! This is no second parser of requests: it decides nothing but refusals. Only hyper says what a request is; a head
//! that this tracker understands otherwise than hyper does can at worst be refused wrongly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest part of a line that is looked at; names and lengths that matter are far shorter.
const LINE_MAX: usize = 64;

/// What a connection's tracker tells its service.
#[derive(Debug)]
pub struct HeadWatch {
    /// Number of the first head that is ambiguous, in the order of heads on the connection.
    ambiguous_from: AtomicU64,
    /// Number of the next head that hyper hands over.
    next: AtomicU64,
}

impl Default for HeadWatch {
    fn default() -> Self {
        Self { ambiguous_from: AtomicU64::new(u64::MAX), next: AtomicU64::new(0) }
    }
}

impl HeadWatch {
    /// To be called once per request, in order; says what is wrong with its head.
    pub fn next_head(&self) -> Option<&'static str> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let is_ambiguous = number >= self.ambiguous_from.load(Ordering::Acquire);
        is_ambiguous.then_some("the request's framing can be understood in more than one way")
    }
}

/// Follows heads and bodies through the bytes that are read.
pub struct Tracker {
    watch: Arc<HeadWatch>,
    state: State,
    /// Heads that are complete.
    heads: u64,
    head: Head,
    line: Line,
}

enum State {
    Head,
    /// Bytes of a body that are still to come.
    Length(u64),
    ChunkSize,
    /// Bytes of a chunk that are still to come, its line end included.
    Chunk(u64),
    Trailers,
    /// Something is wrong; nothing that follows is looked at.
    Lost,
}

/// What the lines of the present head said.
#[derive(Default)]
struct Head {
    has_request_line: bool,
    length: Option<u64>,
    is_chunked: bool,
    is_ambiguous: bool,
}

/// The beginning of the present line.
struct Line {
    start: [u8; LINE_MAX],
    kept: usize,
    length: usize,
    /// The last byte, which the end of the line is judged by.
    last: u8,
}

impl Tracker {
    pub fn new(watch: Arc<HeadWatch>) -> Self {
        let line = Line { start: [0; LINE_MAX], kept: 0, length: 0, last: 0 };
        Self { watch, state: State::Head, heads: 0, head: Head::default(), line }
    }

    /// Takes in bytes as they come from the connection.
    pub fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Lost => return,
                State::Length(rest) | State::Chunk(rest) => {
                    let (skipped, after) = skip(bytes, *rest);
                    *rest -= skipped;
                    if *rest == 0 {
                        let is_chunk = matches!(self.state, State::Chunk(_));
                        self.state = if is_chunk { State::ChunkSize } else { State::Head };
                    }
                    after
                }
                State::Head | State::ChunkSize | State::Trailers => self.read_line(bytes),
            };
        }
    }

    /// Takes in bytes up to the end of a line and returns the rest.
    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.line.push(bytes);
            return &[];
        };
        let (line, after) = bytes.split_at(end);
        self.line.push(line);
        self.end_line();
        self.line.clear();
        after.get(1..).unwrap_or_default()
    }

    fn end_line(&mut self) {
        let is_terminated = self.line.length > 0 && self.line.last == b'\r';
        let is_empty = self.line.length == usize::from(is_terminated);
        match self.state {
            State::Head => {
                self.head.is_ambiguous |= !is_terminated;
                self.end_head_line(is_empty);
            }
            State::ChunkSize => self.end_chunk_size(is_terminated),
            State::Trailers if !is_terminated => self.lose(),
            State::Trailers if is_empty => self.state = State::Head,
            State::Trailers | State::Length(_) | State::Chunk(_) | State::Lost => {}
        }
    }

    fn end_head_line(&mut self, is_empty: bool) {
        if !self.head.has_request_line {
            // Empty lines before a request are passed over (RFC 9112 section 2.2).
            self.head.has_request_line = !is_empty;
            return;
        }
        if is_empty {
            self.end_head();
        } else if let Some(value) = self.line.value_of(b"content-length:") {
            self.head.length = parse_length(value);
            self.head.is_ambiguous |= self.head.length.is_none() || self.line.is_cut();
        } else if self.line.value_of(b"transfer-encoding:").is_some() {
            // hyper refuses codings that do not end in chunked.
            self.head.is_chunked = true;
        }
    }

    fn end_head(&mut self) {
        let head = std::mem::take(&mut self.head);
        if head.is_ambiguous || (head.is_chunked && head.length.is_some()) {
            self.lose();
            return;
        }
        self.heads += 1;
        self.state = match head.length {
            _ if head.is_chunked => State::ChunkSize,
            None | Some(0) => State::Head,
            Some(length) => State::Length(length),
        };
    }

    fn end_chunk_size(&mut self, is_terminated: bool) {
        match self.line.chunk_size() {
            Some(0) if is_terminated => self.state = State::Trailers,
            // The chunk's own line end comes after its bytes.
            Some(size) if is_terminated => self.state = State::Chunk(size.saturating_add(2)),
            _ => self.lose(),
        }
    }

    /// The head that would come next and all after it are refused.
    fn lose(&mut self) {
        self.watch.ambiguous_from.store(self.heads, Ordering::Release);
        self.state = State::Lost;
    }
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let free = self.start.get_mut(self.kept..).unwrap_or_default();
        let count = free.len().min(bytes.len());
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.kept += count;
        self.length = self.length.saturating_add(bytes.len());
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    fn clear(&mut self) {
        (self.kept, self.length, self.last) = (0, 0, 0);
    }

    fn text(&self) -> &[u8] {
        self.start.get(..self.kept).unwrap_or_default()
    }

    fn is_cut(&self) -> bool {
        self.length > LINE_MAX
    }

    /// What follows a header's name and colon.
    fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        let (own, value) = self.text().split_at_checked(name.len())?;
        own.eq_ignore_ascii_case(name).then_some(value)
    }

    /// The number before any chunk extension (RFC 9112 section 7.1).
    fn chunk_size(&self) -> Option<u64> {
        let digits = self.text().split(|byte| !byte.is_ascii_hexdigit()).next()?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}

fn parse_length(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

/// Passes over up to `count` bytes; says how many they were and what is left.
fn skip(bytes: &[u8], count: u64) -> (u64, &[u8]) {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len());
    (count as u64, bytes.get(count..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each head in turn whether it is refused, with the bytes coming in pieces of every size.
    fn refusals(stream: &str, heads: usize) -> Vec<bool> {
        let by_piece = |size: usize| {
            let watch = Arc::new(HeadWatch::default());
            let mut tracker = Tracker::new(Arc::clone(&watch));
            stream.as_bytes().chunks(size).for_each(|piece| tracker.read(piece));
            (0..heads).map(|_| watch.next_head().is_some()).collect::<Vec<_>>()
        };
        let whole = by_piece(stream.len());
        for size in 1..40 {
            assert_eq!(by_piece(size), whole, "in pieces of {size}");
        }
        whole
    }

    const PLAIN: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn plain_requests_with_and_without_bodies_pass() {
        let stream = format!(
            "{PLAIN}\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\nGET\nContent-Length: 1\n\
             POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             1a;x=y\r\nPOST / HTTP/1.1\nabcdefghi\n\r\n0\r\nX: trailer\r\n\r\n{PLAIN}"
        );
        assert_eq!(refusals(&stream, 4), [false; 4]);
    }

    #[test]
    fn a_length_beside_a_transfer_coding_is_refused_in_either_order_and_case() {
        for lines in
            ["Content-Length: 5\r\nTransfer-Encoding: chunked", "transfer-encoding: chunked\r\nCONTENT-LENGTH:5"]
        {
            let stream = format!("{PLAIN}POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n{PLAIN}");
            assert_eq!(refusals(&stream, 3), [false, true, true], "{lines}");
        }
    }

    #[test]
    fn a_bare_line_feed_in_a_head_is_refused() {
        for head in
            ["GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n"]
        {
            assert_eq!(refusals(head, 1), [true], "{head:?}");
        }
    }

    #[test]
    fn a_length_that_cannot_be_read_is_refused() {
        let spaces = " ".repeat(80);
        for length in ["x", "5, 5", "-1", "99999999999999999999", &format!("{spaces}5")] {
            let stream = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n12345");
            assert_eq!(refusals(&stream, 1), [true], "{length}");
        }
    }

    #[test]
    fn what_follows_a_broken_chunk_is_refused() {
        let stream = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{PLAIN}");
        assert_eq!(refusals(&stream, 2), [false, true]);
    }
}
