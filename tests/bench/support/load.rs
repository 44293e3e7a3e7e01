//! Load over plain HTTP/1.1 with as little work as possible: connections that stay, requests made once, answers of which only
//! the status and the length are read. And a back end that answers everything alike, after it has read it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longest message that is read.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// Answers every request with 200 and so many bytes; its address.
pub async fn back_end(payload_bytes: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {payload_bytes}\r\n\r\n{}", "x".repeat(payload_bytes));
    let answer: Arc<[u8]> = answer.into_bytes().into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move { answer_all(stream, &answer).await });
        }
    });
    address
}

/// Until the other end goes away. Requests come one after the other.
async fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    let (mut buffer, mut filled) = (vec![0; MESSAGE_BYTES_MAX], 0);
    while let Ok(count @ 1..) = stream.read(&mut buffer[filled..]).await {
        filled += count;
        if length(&buffer[..filled]).is_some_and(|whole| filled >= whole) {
            filled = 0;
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// One caller on one connection.
#[derive(Clone)]
pub struct Caller {
    pub port: u16,
    pub path: String,
    pub token: String,
    /// Sent with POST; GET without any.
    pub body: String,
    /// Calls per second; `None` as fast as answers come. Calls that are late are made up for.
    pub rate: Option<f64>,
}

/// An answered call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub sent: Instant,
    pub answered: Instant,
    pub status: u16,
}

/// Who hears of every call.
pub trait Listener: Send + 'static {
    fn note(&mut self, call: Call);
}

/// Calls until `end`.
pub fn call<L: Listener>(caller: Caller, end: Instant, mut listener: L) -> JoinHandle<L> {
    tokio::spawn(async move {
        let mut connection = Connection::open(&caller).await;
        let pause = caller.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        // Callers of one rate must not all call in the same moment.
        let mut next = Instant::now() + pause.map_or(Duration::ZERO, |pause| pause.mul_f64(fraction(&caller)));
        while Instant::now() < end {
            if let Some(pause) = pause {
                tokio::time::sleep_until(next.into()).await;
                next += pause;
            }
            listener.note(connection.call().await);
        }
        listener
    })
}

/// A place between 0 and 1 that depends on the caller alone.
fn fraction(caller: &Caller) -> f64 {
    let sum = caller.token.bytes().fold(u64::from(caller.port), |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    (sum % 1_000) as f64 / 1_000.0
}

/// Calls until the status is wanted.
pub async fn until(caller: &Caller, is_wanted: impl Fn(u16) -> bool) {
    while !is_wanted(Connection::open(caller).await.call().await.status) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(caller: &Caller) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", caller.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let Caller { path, token, body, .. } = caller;
        let (method, length) = match body.len() {
            0 => ("GET", String::new()),
            length => ("POST", format!("content-length: {length}\r\n")),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{length}");
        let request = format!("{head}\r\n{body}").into_bytes();
        Self { stream, request, buffer: vec![0; MESSAGE_BYTES_MAX] }
    }

    async fn call(&mut self) -> Call {
        let sent = Instant::now();
        self.stream.write_all(&self.request).await.unwrap();
        let status = self.answer().await;
        Call { sent, answered: Instant::now(), status }
    }

    async fn answer(&mut self) -> u16 {
        let (mut filled, mut whole) = (0, None);
        while whole.is_none_or(|whole| filled < whole) {
            let count = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(
                count > 0,
                "the gateway closed the connection: {:?}",
                String::from_utf8_lossy(&self.buffer[..filled])
            );
            filled += count;
            whole = whole.or_else(|| length(&self.buffer[..filled]));
        }
        let digits = std::str::from_utf8(&self.buffer[9..12]).unwrap();
        digits.parse().unwrap()
    }
}

/// Bytes of head and body, once the head is there.
fn length(message: &[u8]) -> Option<usize> {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let lines = message[..head].split(|byte| *byte == b'\n');
    let name = b"content-length:";
    let is_length = |line: &&[u8]| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name));
    let body = lines.filter(is_length).map(|line| std::str::from_utf8(&line[name.len()..]).unwrap().trim());
    Some(head + body.map(|digits| digits.parse::<usize>().unwrap()).next().unwrap_or(0))
}
