//! The lease protocol's server: gateways on other nodes ask for budget over one connection each.

mod gateway;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use domain::Secret;
use domain::contract::throttle::Holder;
use domain::contract::{NodeAuthenticator, Throttle, ThrottleUnavailable};
use domain::internal_api::leases::{self, Answer, Ask, Hello, LEVEL, Outcome, Question, UNASKED, VERSION, Welcome};
use domain::node::service;
use prometheus_client::metrics::gauge::Gauge;
use serde::de::DeserializeOwned;
use telemetry::metrics::Metrics;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use gateway::Gateway;

/// Longest wait for a handshake and the first frame.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Questions of one connection that are worked on at a time; more wait in the socket.
const QUESTIONS_MAX: usize = 1_024;

/// Life of a connection: afterwards the gateway proves anew who it is.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(3_600);

/// Pause when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the server is made of.
pub struct LeaseServer {
    pub throttle: Arc<dyn Throttle>,
    pub nodes: Arc<dyn NodeAuthenticator>,
    /// Name of this node, as owners of slots are named.
    pub node_id: String,
    pub connections_max: usize,
    pub connections: Gauge,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
struct Caller {
    /// See [`LEVEL`].
    level: u32,
    /// This node itself: its gateway knows other owners as well as this one.
    is_self: bool,
}

/// One of its ports.
pub struct Door {
    pub socket: TcpListener,
    /// Plain when unset: for the loopback address only.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl LeaseServer {
    #[must_use]
    pub fn new(
        throttle: Arc<dyn Throttle>,
        nodes: Arc<dyn NodeAuthenticator>,
        node_id: String,
        connections_max: usize,
        metrics: &Metrics,
    ) -> Self {
        let connections = Gauge::default();
        metrics.register("lease_connections", "Gateways that are connected for leases", connections.clone());
        Self { throttle, nodes, node_id, connections_max, connections }
    }

    /// Serves until `shutdown`. Must be called on the node's runtime.
    ///
    /// # Errors
    /// When a socket cannot be used.
    pub fn start(self, doors: Vec<Door>, shutdown: &CancellationToken) -> io::Result<Vec<JoinHandle<()>>> {
        let server = Arc::new(self);
        let free = Arc::new(Semaphore::new(server.connections_max));
        let mut tasks = Vec::new();
        for Door { socket, tls } in doors {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            let acceptor = tls.map(TlsAcceptor::from);
            let (server, free, shutdown) = (Arc::clone(&server), Arc::clone(&free), shutdown.clone());
            tasks.push(tokio::spawn(async move { server.accept(socket, acceptor, free, shutdown).await }));
        }
        Ok(tasks)
    }

    async fn accept(
        self: Arc<Self>,
        socket: tokio::net::TcpListener,
        acceptor: Option<TlsAcceptor>,
        free: Arc<Semaphore>,
        shutdown: CancellationToken,
    ) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection for leases cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Beyond the limit a gateway is better served by another traffic manager than by waiting.
            let Ok(permit) = Arc::clone(&free).try_acquire_owned() else { continue };
            let (server, acceptor, shutdown) = (Arc::clone(&self), acceptor.clone(), shutdown.clone());
            tokio::spawn(async move {
                server.connections.inc();
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = server.connection(stream, acceptor) => {}
                }
                server.connections.dec();
                drop(permit);
            });
        }
    }

    async fn connection(&self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // Answers are small and must not wait for more; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        match acceptor {
            None => self.serve(stream).await,
            Some(acceptor) => match tokio::time::timeout(HELLO_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake for leases failed"),
                Err(_elapsed) => tracing::debug!("a TLS handshake for leases took too long"),
            },
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Send + 'static>(&self, stream: S) {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        let welcomed = tokio::time::timeout(HELLO_TIMEOUT, self.welcome(&mut reader, &mut writer)).await;
        let Ok(Ok(Some(caller))) = welcomed else { return };
        let talked = tokio::time::timeout(CONNECTION_LIFETIME, self.talk(reader, writer, caller)).await;
        if let Ok(Err(error)) = talked {
            tracing::debug!(%error, "a connection for leases ended");
        }
    }

    /// Who the caller is, if it may go on.
    async fn welcome<S: AsyncRead + AsyncWrite>(
        &self,
        reader: &mut BufReader<ReadHalf<S>>,
        writer: &mut WriteHalf<S>,
    ) -> io::Result<Option<Caller>> {
        let hello: Hello = read(reader).await?;
        let welcome = if hello.version == VERSION {
            match self.nodes.node(&Secret::new(hello.token), service::LEASES).await {
                Ok(identity) => Welcome::Accepted {
                    node_id: identity.node_id.unwrap_or_default(),
                    server_id: self.node_id.clone(),
                    level: LEVEL,
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection for leases is refused");
                    Welcome::Refused { reason: "the node token is refused".to_owned() }
                }
            }
        } else {
            Welcome::Refused { reason: format!("version {VERSION} of the protocol is spoken here") }
        };
        writer.write_all(&leases::encode(&welcome).map_err(io::Error::other)?).await?;
        writer.flush().await?;
        Ok(match welcome {
            Welcome::Accepted { node_id, .. } => Some(Caller { level: hello.level, is_self: node_id == self.node_id }),
            Welcome::Refused { .. } => None,
        })
    }

    async fn talk<S: AsyncRead + AsyncWrite + Send + 'static>(
        &self,
        mut reader: BufReader<ReadHalf<S>>,
        writer: WriteHalf<S>,
        caller: Caller,
    ) -> io::Result<()> {
        let (answers, queue) = mpsc::channel(QUESTIONS_MAX);
        let gateway = Arc::new(Gateway::new(answers.clone(), caller));
        let holder: Arc<dyn Holder> = gateway.clone();
        if caller.level >= 1 {
            self.throttle.introduce(Arc::downgrade(&holder));
        }
        let mut last_id = UNASKED;
        let writing = tokio::spawn(write_all(writer, queue));
        let working = Arc::new(Semaphore::new(QUESTIONS_MAX));
        let outcome = loop {
            let question: Question = match read(&mut reader).await {
                Ok(question) => question,
                Err(error) => break Err(error),
            };
            // Units that come back twice would be granted twice.
            if question.id <= last_id {
                continue;
            }
            last_id = question.id;
            let Ok(permit) = Arc::clone(&working).acquire_owned().await else { break Ok(()) };
            let (throttle, answers, gateway) = (Arc::clone(&self.throttle), answers.clone(), Arc::clone(&gateway));
            // Questions do not wait for each other: one may need the database, the next may not.
            tokio::spawn(async move {
                let Question { id, ask } = question;
                let outcome = decide(throttle.as_ref(), ask, &gateway).await;
                // The gateway may be gone; what was granted then counts as spent.
                let _ = answers.send(Answer { id, outcome }).await;
                drop(permit);
            });
        };
        writing.abort();
        outcome
    }
}

async fn decide(throttle: &dyn Throttle, ask: Ask, gateway: &Gateway) -> Outcome {
    let level = gateway.caller.level;
    let outcome = match ask {
        Ask::Lease(request) => throttle.lease(request).await.map(Outcome::Lease),
        Ask::GiveBack { key, window_id, epoch, units } => {
            throttle.give_back(&key, window_id, epoch, units).await.map(|()| Outcome::Done)
        }
        Ask::Ping => Ok(Outcome::Done),
        Ask::Held { count, units } => {
            gateway.told(count, units);
            Ok(Outcome::Done)
        }
    };
    match outcome {
        Ok(outcome) => outcome,
        Err(ThrottleUnavailable::NotOwner { owner }) if level >= 1 => Outcome::NotOwner { owner },
        // Asked again, it may be decided.
        Err(ThrottleUnavailable::Undecided(_)) if level >= 1 => Outcome::NotOwner { owner: None },
        Err(_) => Outcome::Unavailable,
    }
}

async fn write_all<S: AsyncWrite>(mut writer: WriteHalf<S>, mut queue: mpsc::Receiver<Answer>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, QUESTIONS_MAX).await > 0 {
        let mut frames = Vec::new();
        for answer in batch.drain(..) {
            match leases::encode(&answer) {
                Ok(frame) => frames.extend(frame),
                Err(error) => tracing::error!(%error, "an answer for leases cannot be written"),
            }
        }
        let written = async {
            writer.write_all(&frames).await?;
            writer.flush().await
        };
        if written.await.is_err() {
            return;
        }
    }
}

async fn read<S: AsyncRead, T: DeserializeOwned>(reader: &mut BufReader<ReadHalf<S>>) -> io::Result<T> {
    let mut header = [0; leases::HEADER_BYTES];
    reader.read_exact(&mut header).await?;
    let mut body = vec![0; leases::body_length(header).map_err(io::Error::other)?];
    reader.read_exact(&mut body).await?;
    leases::decode(&body).map_err(io::Error::other)
}
