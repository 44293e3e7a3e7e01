//! One connection of the lease protocol.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use domain::contract::throttle::Holders;
use domain::internal_api::leases::{self, Answer, Ask, Hello, LEVEL, Outcome, Question, VERSION, Welcome};
use domain::internal_api::nodes::{BASE, TRAFFIC_MANAGER, TrafficManagerInfo};
use domain::node::role;
use security::node_token;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::client::TlsStream;

use super::Asked;
use crate::peers::{Address, Dialled, PeerError, Peers, dial};

/// Questions that are sent in one write at most.
const BATCH_MAX: usize = 64;

/// Time between two looks at whether the other end is still there.
const PING: Duration = Duration::from_millis(500);

/// Looks without any answer after which the connection counts as dead.
const SILENCE_MAX: u32 = 3;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("no connection: {0}")]
    Dial(String),
    #[error("the node's token cannot be narrowed")]
    Token(#[from] node_token::NodeTokenError),
    #[error("the connection ended: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] leases::FrameError),
    #[error("refused: {0}")]
    Refused(String),
}

pub(super) struct Session {
    peer: String,
    node: String,
    level: u32,
    reader: BufReader<ReadHalf<TlsStream<TcpStream>>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
}

impl Session {
    /// Asks the traffic manager with this index for its lease port, connects, and says who this node is.
    pub(super) async fn open(peers: &Peers, index: usize) -> Result<Self, SessionError> {
        let info: TrafficManagerInfo =
            peers.call_peer(index, &format!("{BASE}{TRAFFIC_MANAGER}"), &serde_json::json!({})).await?;
        let host = peers.address(index).map(|address| address.host.clone()).unwrap_or_default();
        let address = Address { host, port: info.lease_port };
        let credentials = peers.membership().current().ok_or(PeerError::NotAMember)?;
        let dialled = dial(&address, role::TRAFFIC_MANAGER, credentials.authority, &[]).await;
        let Dialled { stream, callee } = dialled.map_err(|error| SessionError::Dial(error.to_string()))?;
        let token = node_token::attenuate(&credentials.token, &callee, peers.membership().now())?;
        let (reader, writer) = tokio::io::split(stream);
        let (peer, node, reader) = (address.to_string(), String::new(), BufReader::new(reader));
        let mut session = Self { peer, node, level: 0, reader, writer };
        session.write(&Hello { version: VERSION, token: token.expose().clone(), level: LEVEL }).await?;
        match read(&mut session.reader).await? {
            Welcome::Accepted { server_id, level, .. } => Ok(Self { node: server_id, level, ..session }),
            Welcome::Refused { reason } => Err(SessionError::Refused(reason)),
        }
    }

    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// Node id of the other end; empty when it does not tell.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Sends questions and hands out answers until the connection ends; says why it did. Who still waits then learns it
    /// by the end of its channel. Recalls go to the `holders`.
    pub(super) async fn run(mut self, questions: &mut mpsc::Receiver<Asked>, holders: &Holders) -> String {
        let (mut waiting, mut next_id) = (HashMap::new(), 0_u64);
        let (answers, mut received) = mpsc::channel::<Result<Answer, SessionError>>(BATCH_MAX);
        let reading = tokio::spawn(read_all(self.reader, answers));
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let (mut looks, mut silent) = (tokio::time::interval(PING), 0);
        let reason = loop {
            let mut frames = Vec::new();
            tokio::select! {
                answer = received.recv() => {
                    silent = 0;
                    match answer {
                        Some(Ok(Answer { outcome: Outcome::Recall { key }, .. })) => holders.recall(&key),
                        Some(Ok(Answer { outcome: Outcome::Count { count, key, window_id }, .. })) => {
                            if let Some(units) = held(holders, &key, window_id).await {
                                next_id += 1;
                                push(&mut frames, next_id, Ask::Held { count, units });
                            }
                        }
                        Some(Ok(Answer { id, outcome })) => {
                            if let Some(waiter) = waiting.remove(&id) {
                                hand_over(waiter, outcome);
                            }
                        }
                        Some(Err(error)) => break error.to_string(),
                        None => break "the reader ended".to_owned(),
                    }
                }
                count = questions.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        break "nobody asks any more".to_owned();
                    }
                    // Those who hung up wait for nothing.
                    waiting.retain(|_, waiter: &mut oneshot::Sender<Outcome>| !waiter.is_closed());
                    for Asked { ask, answer } in batch.drain(..) {
                        next_id += 1;
                        if push(&mut frames, next_id, ask) {
                            waiting.insert(next_id, answer);
                        } else {
                            hand_over(answer, Outcome::Unavailable);
                        }
                    }
                }
                _ = looks.tick(), if self.level >= 1 => {
                    if silent >= SILENCE_MAX {
                        break "nothing was heard for too long".to_owned();
                    }
                    silent += 1;
                    next_id += 1;
                    push(&mut frames, next_id, Ask::Ping);
                }
            }
            if frames.is_empty() {
                continue;
            }
            let written = async {
                self.writer.write_all(&frames).await?;
                self.writer.flush().await
            };
            match tokio::time::timeout(PING * SILENCE_MAX, written).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => break error.to_string(),
                Err(_elapsed) => break "nothing can be sent".to_owned(),
            }
        };
        reading.abort();
        reason
    }

    async fn write<T: Serialize>(&mut self, message: &T) -> Result<(), SessionError> {
        self.writer.write_all(&leases::encode(message)?).await?;
        Ok(self.writer.flush().await?)
    }
}

/// What all holders on this node have; `None` when one cannot tell. Those of one node tell without waiting.
async fn held(holders: &Holders, key: &str, window_id: i64) -> Option<u64> {
    let mut all = 0_u64;
    for holder in holders.living() {
        all = all.saturating_add(holder.held(key, window_id).await?);
    }
    Some(all)
}

/// Whether the question could be written.
fn push(frames: &mut Vec<u8>, id: u64, ask: Ask) -> bool {
    match leases::encode(&Question { id, ask }) {
        Ok(frame) => {
            frames.extend(frame);
            true
        }
        Err(error) => {
            tracing::error!(%error, "a question for leases cannot be written");
            false
        }
    }
}

fn hand_over(waiter: oneshot::Sender<Outcome>, outcome: Outcome) {
    // Who asked may be gone; granted units then count as spent.
    let _ = waiter.send(outcome);
}

async fn read_all(
    mut reader: BufReader<ReadHalf<TlsStream<TcpStream>>>,
    answers: mpsc::Sender<Result<Answer, SessionError>>,
) {
    loop {
        let answer = read(&mut reader).await;
        let is_end = answer.is_err();
        if answers.send(answer).await.is_err() || is_end {
            return;
        }
    }
}

async fn read<T: DeserializeOwned>(reader: &mut BufReader<ReadHalf<TlsStream<TcpStream>>>) -> Result<T, SessionError> {
    let mut header = [0; leases::HEADER_BYTES];
    reader.read_exact(&mut header).await?;
    let mut body = vec![0; leases::body_length(header)?];
    reader.read_exact(&mut body).await?;
    Ok(leases::decode(&body)?)
}
