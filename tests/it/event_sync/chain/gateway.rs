//! The gateway's part of the chain.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, RevisionId, SystemClock, Timestamp};
use gateway::sync::status::SyncStatus;
use gateway::sync::{Options, Sync};
use gateway::table::{Tables, TokenFacts};
use node_store::last_good::Content;
use node_store::{Carbon, LastGood};
use telemetry::metrics::Metrics;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Chain, ENVIRONMENT, LONG, Pizza};

/// One life of a gateway: sync and tables.
pub struct Gateway {
    home: Arc<TempDir>,
    carbon: Carbon,
    tables: Tables,
    status: watch::Receiver<SyncStatus>,
    metrics: Metrics,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Gateway {
    pub fn start(chain: &Chain) -> Self {
        Self::start_at(chain, Arc::new(TempDir::new().unwrap()))
    }

    pub fn start_at(chain: &Chain, home: Arc<TempDir>) -> Self {
        let (tables, metrics) = (Tables::new(), Metrics::new());
        let carbon = Carbon::open(&home.path().join("carbon.db"), SystemClock.now()).unwrap();
        let sync = Sync::create(gateway::sync::Deps {
            bus: Arc::new(chain.hub.clone()),
            data: Arc::new(chain.hub.clone()),
            carbon: carbon.clone(),
            // The same in each life on one home.
            gateway_id: home.path().file_name().unwrap().to_str().unwrap().to_owned(),
            tables: tables.clone(),
            environments: vec![ENVIRONMENT.into()],
            clock: Arc::new(SystemClock),
            metrics: metrics.clone(),
            options: Options { heartbeat_interval: Duration::from_millis(100), ..Options::default() },
        });
        let (status, shutdown) = (sync.status(), CancellationToken::new());
        let running = sync.start(shutdown.clone());
        Self { home, carbon, tables, status, metrics, shutdown, running }
    }

    pub async fn until(&mut self, is_so: impl FnMut(&SyncStatus) -> bool) {
        let waiting = tokio::time::timeout(LONG, self.status.wait_for(is_so));
        drop(waiting.await.expect("waited too long").unwrap());
    }

    pub fn revision(&self, pizza: &Pizza) -> Option<RevisionId> {
        let path = format!("/{}/1.0.0", pizza.name);
        self.tables.live().find_api(path.as_bytes()).map(|(entry, _)| entry.deployment.revision_id)
    }

    /// Snapshots taken in this life.
    pub fn snapshots(&self) -> u64 {
        self.counter("sync_snapshots")
    }

    /// Times that the content was found to be another than the database's.
    pub fn mismatches(&self) -> u64 {
        self.counter("sync_content_mismatches")
    }

    /// Entries of a newer release that were skipped.
    pub fn skipped(&self) -> u64 {
        self.counter("sync_skipped")
    }

    /// Number of the last control entry that is applied.
    pub fn applied(&self) -> u64 {
        self.status.borrow().control.applied.number
    }

    fn counter(&self, name: &str) -> u64 {
        let (text, prefix) = (self.metrics.encode(), format!("gatewright_{name}_total "));
        text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().parse().unwrap()
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What is on disk.
    pub fn content(&self) -> Content {
        LastGood::new(self.carbon.clone()).content().unwrap()
    }

    pub fn is_revoked(&self, jti: &str) -> bool {
        let issued_at = Timestamp::from_millis(0);
        self.tables.live().revocations.covers(&TokenFacts { jti, consumer_key: "c", user: "u", issued_at })
    }

    /// Where the stored documents send calls.
    pub fn backends(&self) -> Vec<String> {
        let artifacts = LastGood::new(self.carbon.clone()).load().unwrap().artifacts;
        artifacts.values().map(|api| api.production.as_ref().unwrap().url.clone()).collect()
    }

    pub async fn stop(self) -> Arc<TempDir> {
        self.shutdown.cancel();
        self.running.await.unwrap();
        self.home
    }
}
