//! A hub in memory whose faults can be chosen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::contract::event_bus::{DeploymentAck, EventBus, EventBusError, Fetch, Fetched, GatewayHeartbeat, HubPulse};
use domain::contract::{RuntimeData, RuntimeDataError};
use domain::event::{Event, LogEntry, LogName, Position, SCHEMA_VERSION};
use domain::runtime::{DeployedRevision, GatewayApi, Snapshot};
use domain::{EventId, Timestamp};
use tokio::sync::watch;

use super::super::artifacts::sha256_hex;

#[derive(Default)]
pub struct State {
    pub log_id: String,
    pub control: Vec<Event>,
    pub revocation: Vec<Event>,
    pub snapshot: Snapshot,
    pub artifacts: HashMap<String, String>,
    pub acks: Vec<DeploymentAck>,
    pub heartbeats: Vec<GatewayHeartbeat>,
    pub is_down: bool,
    pub takes_no_acks: bool,
    /// Artifacts are asked for and never come.
    pub artifacts_hang: bool,
}

pub struct Hub {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Hub {
    pub fn new() -> Arc<Self> {
        let state = State { log_id: "first".into(), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), changes: watch::channel(0).0 })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changes.send_modify(|count| *count += 1);
    }

    pub fn append(&self, event: Event) {
        self.change(|state| match event.log() {
            LogName::Control => state.control.push(event),
            LogName::Revocation => state.revocation.push(event),
        });
    }

    /// Stores the document and returns the deployment that refers to it.
    pub fn put(&self, api: &GatewayApi, environment: &str) -> DeployedRevision {
        let document = serde_json::to_string(api).unwrap();
        let artifact_hash = sha256_hex(document.as_bytes());
        self.state().artifacts.insert(artifact_hash.clone(), document);
        DeployedRevision {
            api_id: api.api_id,
            revision_id: api.revision_id,
            environment: environment.into(),
            vhost: "localhost".into(),
            artifact_hash,
        }
    }

    pub async fn until(&self, is_so: impl Fn(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        while !is_so(&self.state()) {
            changes.changed().await.unwrap();
        }
    }
}

impl State {
    fn check(&self) -> Result<(), EventBusError> {
        if self.is_down { Err(EventBusError::Unavailable("down".into())) } else { Ok(()) }
    }

    fn log(&self, log: LogName) -> &[Event] {
        match log {
            LogName::Control => &self.control,
            LogName::Revocation => &self.revocation,
        }
    }

    fn position(&self, log: LogName) -> Position {
        Position { log_id: self.log_id.clone(), number: self.log(log).len() as u64 }
    }
}

#[async_trait]
impl EventBus for Hub {
    async fn head(&self, log: LogName) -> Result<Position, EventBusError> {
        self.state().check()?;
        Ok(self.state().position(log))
    }

    async fn fetch(&self, fetch: Fetch) -> Result<Fetched, EventBusError> {
        let mut changes = self.changes.subscribe();
        loop {
            {
                let state = self.state();
                state.check()?;
                if fetch.after.log_id != state.log_id {
                    return Ok(Fetched::SnapshotRequired);
                }
                let log = state.log(fetch.log);
                let entries: Vec<_> = (1..).zip(log).filter(|(number, _)| *number > fetch.after.number).collect();
                if !entries.is_empty() {
                    let entries = entries.into_iter().take(fetch.max).map(|(number, event)| entry(number, event));
                    return Ok(Fetched::Entries { entries: entries.collect(), head: log.len() as u64 });
                }
            }
            changes.changed().await.unwrap();
        }
    }

    async fn heartbeat(&self, heartbeat: GatewayHeartbeat) -> Result<HubPulse, EventBusError> {
        self.state().check()?;
        self.change(|state| state.heartbeats.push(heartbeat));
        Ok(HubPulse::default())
    }

    async fn acknowledge(&self, acks: Vec<DeploymentAck>) -> Result<(), EventBusError> {
        self.state().check()?;
        if self.state().takes_no_acks {
            return Err(EventBusError::Unavailable("no acks".into()));
        }
        self.change(|state| state.acks.extend(acks));
        Ok(())
    }
}

fn entry(number: u64, event: &Event) -> LogEntry {
    LogEntry {
        number,
        event_id: EventId::random(),
        schema: if matches!(event, Event::Unknown(_)) { SCHEMA_VERSION + 1 } else { SCHEMA_VERSION },
        at: Timestamp::from_millis(0),
        event: event.clone(),
    }
}

#[async_trait]
impl RuntimeData for Hub {
    async fn snapshot(&self, _environments: &[String]) -> Result<Snapshot, RuntimeDataError> {
        let state = self.state();
        state.check().map_err(|error| RuntimeDataError::Unavailable(error.into()))?;
        let (control, revocation) = (state.position(LogName::Control), state.position(LogName::Revocation));
        Ok(Snapshot { control, revocation, ..state.snapshot.clone() })
    }

    async fn artifact(&self, hash: &str) -> Result<GatewayApi, RuntimeDataError> {
        Ok(serde_json::from_str(&self.artifact_document(hash).await?).unwrap())
    }

    async fn artifact_document(&self, hash: &str) -> Result<Arc<str>, RuntimeDataError> {
        if self.state().artifacts_hang {
            std::future::pending::<()>().await;
        }
        let state = self.state();
        state.check().map_err(|error| RuntimeDataError::Unavailable(error.into()))?;
        let document = state.artifacts.get(hash).map(|document| Arc::from(document.as_str()));
        document.ok_or_else(|| RuntimeDataError::UnknownArtifact(hash.to_owned()))
    }
}
