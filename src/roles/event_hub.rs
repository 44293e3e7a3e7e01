//! The event hub: numbered logs of changes. Its own copy of them is the node's broker store.

use std::sync::Arc;

use actix_web::web::Data;
use domain::contract::{EventBus, RuntimeData};
use event_hub::rest::HubService;
use event_hub::rest::data::{self, DataService};
use event_hub::{Deps, EventHub};
use http::server::Services;
use node_store::BrokerLog;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use crate::node::{Databases, NodeContext};

pub(crate) struct EventHubRole {
    hub: EventHub,
    /// What tools pull.
    data: Data<DataService>,
}

impl EventHubRole {
    /// Blocking: reads the local copy.
    pub(crate) fn create(node: &NodeContext, databases: &Databases) -> Result<Self, RoleError> {
        let failed = RoleError::of("event-hub");
        let broker = match BrokerLog::open(&node.databases.join("broker.db"), node.clock.now()) {
            Ok(broker) => broker,
            Err(error) => return Err(failed(error)),
        };
        let deps = Deps {
            apim: databases.apim.clone(),
            broker,
            config: node.config.event_hub.clone(),
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
        };
        let hub = EventHub::create(deps).map_err(failed)?;
        let data = DataService {
            apim: databases.apim.clone(),
            shared: databases.shared.clone(),
            clock: Arc::clone(&node.clock),
        };
        Ok(Self { hub, data: Data::new(data) })
    }

    pub(crate) fn event_bus(&self) -> Arc<dyn EventBus> {
        Arc::new(self.hub.clone())
    }

    pub(crate) fn runtime_data(&self) -> Arc<dyn RuntimeData> {
        Arc::new(self.hub.clone())
    }

    /// What gateways on other nodes and tools ask; `draining` ends questions that are held open.
    pub(crate) fn mount(&self, services: Services, draining: &CancellationToken) -> Services {
        let service = Data::new(HubService { hub: self.hub.clone(), draining: draining.clone() });
        let data = self.data.clone();
        let services = services.configure(move |routes| {
            routes.app_data(service.clone()).app_data(data.clone());
        });
        event_hub::rest::routes().into_iter().chain([data::routes()]).fold(services, Services::routes)
    }

    /// Must be called on the node's runtime.
    pub(crate) fn start(&self, shutdown: CancellationToken) -> JoinHandle<()> {
        self.hub.start(shutdown)
    }
}
