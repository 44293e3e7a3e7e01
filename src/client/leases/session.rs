//! One connection of the lease protocol.

use std::collections::HashMap;
use std::io;

use domain::internal_api::leases::{self, Answer, Hello, Outcome, Question, VERSION, Welcome};
use domain::internal_api::nodes::{BASE, TRAFFIC_MANAGER, TrafficManagerInfo};
use domain::node::role;
use security::node_token;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;

use super::Asked;
use crate::peers::{Address, Dialled, PeerError, Peers, dial};

/// Questions that are sent in one write at most.
const BATCH_MAX: usize = 64;

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
        let mut session = Self { peer: address.to_string(), reader: BufReader::new(reader), writer };
        session.write(&Hello { version: VERSION, token: token.expose().clone() }).await?;
        match read(&mut session.reader).await? {
            Welcome::Accepted { .. } => Ok(session),
            Welcome::Refused { reason } => Err(SessionError::Refused(reason)),
        }
    }

    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// Sends questions and hands out answers until the connection ends; says why it did. Who still waits then learns it
    /// by the end of its channel.
    pub(super) async fn run(mut self, questions: &mut mpsc::Receiver<Asked>) -> String {
        let (mut waiting, mut next_id) = (HashMap::new(), 0_u64);
        let (answers, mut received) = mpsc::channel::<Result<Answer, SessionError>>(BATCH_MAX);
        let reading = tokio::spawn(read_all(self.reader, answers));
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let reason = loop {
            tokio::select! {
                answer = received.recv() => match answer {
                    Some(Ok(Answer { id, outcome })) => {
                        if let Some(waiter) = waiting.remove(&id) {
                            hand_over(waiter, outcome);
                        }
                    }
                    Some(Err(error)) => break error.to_string(),
                    None => break "the reader ended".to_owned(),
                },
                count = questions.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        break "nobody asks any more".to_owned();
                    }
                    let mut frames = Vec::new();
                    for Asked { ask, answer } in batch.drain(..) {
                        next_id += 1;
                        match leases::encode(&Question { id: next_id, ask }) {
                            Ok(frame) => {
                                frames.extend(frame);
                                waiting.insert(next_id, answer);
                            }
                            Err(error) => {
                                tracing::error!(%error, "a question for leases cannot be written");
                                hand_over(answer, Outcome::Unavailable);
                            }
                        }
                    }
                    // Those who hung up wait for nothing.
                    waiting.retain(|_, waiter| !waiter.is_closed());
                    let written = async {
                        self.writer.write_all(&frames).await?;
                        self.writer.flush().await
                    };
                    if let Err(error) = written.await {
                        break error.to_string();
                    }
                }
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

fn hand_over(waiter: tokio::sync::oneshot::Sender<Outcome>, outcome: Outcome) {
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
