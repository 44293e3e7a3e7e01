//! The hub's parts and how they are started.

use std::sync::{Arc, Mutex};

use config::sections;
use domain::Clock;
use domain::event::LogName;
use node_store::{BrokerLog, NodeStoreError};
use store::ApimDb;
use telemetry::metrics::Metrics;
use telemetry::supervised;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::artifact_cache::ArtifactCache;
use crate::audit::Audits;
use crate::metrics::HubMetrics;
use crate::relay::Known;
use crate::{tail, upkeep};

/// What the hub is made of.
pub struct Deps {
    pub apim: ApimDb,
    pub broker: BrokerLog,
    pub config: sections::event_hub::EventHub,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

/// The event hub; clones are handles on the same one. Implements [`domain::contract::EventBus`] and
/// [`domain::contract::RuntimeData`].
#[derive(Clone)]
pub struct EventHub {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) apim: ApimDb,
    pub(crate) broker: BrokerLog,
    pub(crate) config: sections::event_hub::EventHub,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: HubMetrics,
    pub(crate) artifacts: Mutex<ArtifactCache>,
    pub(crate) audits: Audits,
    control: Followed,
    revocation: Followed,
}

struct Followed {
    /// What fetchers wait on: the part of the log that the local copy holds.
    view: watch::Sender<Known>,
    /// Makes the relay read the database now.
    nudge: Notify,
}

impl EventHub {
    /// Reads what the local copy holds; blocking, for start-up.
    pub fn create(deps: Deps) -> Result<Self, NodeStoreError> {
        let followed = |log| {
            let view = watch::channel(Known::load(&deps.broker, log)?).0;
            Ok::<_, NodeStoreError>(Followed { view, nudge: Notify::new() })
        };
        let (control, revocation) = (followed(LogName::Control)?, followed(LogName::Revocation)?);
        let inner = Inner {
            metrics: HubMetrics::register(&deps.metrics),
            artifacts: Mutex::new(ArtifactCache::new(deps.config.artifact_cache.as_usize())),
            audits: Audits::default(),
            apim: deps.apim,
            broker: deps.broker,
            config: deps.config,
            clock: deps.clock,
            control,
            revocation,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Follows the outboxes until `shutdown`; each log has a task of its own, so that neither waits for the other.
    #[must_use]
    pub fn start(&self, shutdown: CancellationToken) -> JoinHandle<()> {
        let parts = (Arc::clone(&self.inner), shutdown);
        tokio::spawn(async move {
            tokio::join!(
                supervised::run("event_hub.control", &parts, |(hub, shutdown)| {
                    tail::run(hub, LogName::Control, shutdown)
                }),
                supervised::run("event_hub.revocation", &parts, |(hub, shutdown)| {
                    tail::run(hub, LogName::Revocation, shutdown)
                }),
                supervised::run("event_hub.listen", &parts, async |(hub, shutdown)| {
                    hub.apim.listen(shutdown.cancelled_owned()).await;
                }),
                supervised::run("event_hub.upkeep", &parts, |(hub, shutdown)| upkeep::run(hub, shutdown)),
            );
        })
    }
}

impl Inner {
    pub(crate) fn view(&self, log: LogName) -> &watch::Sender<Known> {
        &self.followed(log).view
    }

    pub(crate) fn nudge(&self, log: LogName) -> &Notify {
        &self.followed(log).nudge
    }

    fn followed(&self, log: LogName) -> &Followed {
        match log {
            LogName::Control => &self.control,
            LogName::Revocation => &self.revocation,
        }
    }
}
