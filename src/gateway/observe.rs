//! What is told about calls: one access log line and a few counters each.

mod governed;

use std::sync::Arc;
use std::time::Instant;

use domain::ApplicationId;
use hyper::header::HeaderValue;
use hyper::{Method, Uri};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use telemetry::metrics::Metrics;

pub use governed::Governed;

use crate::reply::Reply;
use crate::table::ApiEntry;

type Label<V> = [(&'static str, V); 1];

/// The gateway's counters, shared by all workers.
pub struct GatewayMetrics {
    /// By first digit of the status, 1 to 5.
    by_class: [Counter; 5],
    faults: Family<Label<u32>, Counter>,
    in_flight: Gauge,
    pub lease_refills: Counter,
    /// Calls that passed while no traffic manager could be reached.
    pub local_admitted: Counter,
    pub connections: Gauge,
}

impl GatewayMetrics {
    #[must_use]
    pub fn register(metrics: &Metrics) -> Arc<Self> {
        const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        let requests: Family<Label<&'static str>, Counter> = Family::default();
        // Looked up once: the family has a lock that calls must not meet in.
        let by_class = CLASSES.map(|class| requests.get_or_create_owned(&[("class", class)]));
        let own = Self {
            by_class,
            faults: Family::default(),
            in_flight: Gauge::default(),
            lease_refills: Counter::default(),
            local_admitted: Counter::default(),
            connections: Gauge::default(),
        };
        metrics.register("gateway_requests", "Answered calls by class of status", requests);
        metrics.register("gateway_faults", "Refused or failed calls by code", own.faults.clone());
        metrics.register("gateway_in_flight", "Calls that are being answered", own.in_flight.clone());
        metrics.register("gateway_lease_refills", "Leases asked of traffic managers", own.lease_refills.clone());
        metrics.register(
            "throttle_local_admitted",
            "Calls with a quota that passed while no traffic manager could be reached",
            own.local_admitted.clone(),
        );
        metrics.register("gateway_connections", "Open client connections", own.connections.clone());
        Arc::new(own)
    }
}

/// Target of the access log's lines.
pub const ACCESS_LOG: &str = "access";

/// Whether anybody reads the access log: what only its lines need is not worth finding out otherwise.
#[must_use]
pub fn logs_access() -> bool {
    tracing::enabled!(target: ACCESS_LOG, tracing::Level::INFO)
}

/// A call from its head to the last byte of its answer; dropping it writes the log line.
pub struct Observation {
    metrics: Arc<GatewayMetrics>,
    started: Instant,
    method: Method,
    uri: Uri,
    /// The correlation id that the answer carries.
    pub activity: HeaderValue,
    /// How the answer must look.
    pub reply: Reply,
    pub api: Option<Arc<ApiEntry>>,
    pub application: Option<ApplicationId>,
    /// Set once the call comes as far as its quotas, for the access log alone.
    pub governed: Option<Governed>,
    status: u16,
    fault: Option<u32>,
    /// Bytes of the answer's body so far.
    pub bytes: u64,
    /// Whether the answer was passed on to its end.
    pub is_complete: bool,
}

impl Observation {
    #[must_use]
    pub fn start(metrics: Arc<GatewayMetrics>, method: Method, uri: Uri, activity: HeaderValue) -> Self {
        metrics.in_flight.inc();
        Self {
            metrics,
            started: Instant::now(),
            method,
            uri,
            activity,
            reply: Reply::default(),
            api: None,
            application: None,
            governed: None,
            status: 0,
            fault: None,
            bytes: 0,
            is_complete: false,
        }
    }

    /// The head of the answer is known.
    pub fn answered(&mut self, status: u16, fault: Option<u32>) {
        self.status = status;
        self.fault = fault;
        if let Some(counter) = self.metrics.by_class.get(usize::from(status / 100).wrapping_sub(1)) {
            counter.inc();
        }
        if let Some(code) = fault {
            self.metrics.faults.get_or_create(&[("code", code)]).inc();
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        let duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let api = self.api.as_ref().map(|entry| &entry.api);
        let document = api.map(|api| &api.document);
        let governed = self.governed.as_ref();
        let advanced = governed.zip(api).and_then(|(own, api)| own.advanced(api));
        let application = governed.and_then(|own| own.consumer.as_ref()).map(|consumer| &consumer.application);
        tracing::info!(
            target: ACCESS_LOG,
            duration_ms,
            http.method = self.method.as_str(),
            http.path = self.uri.path(),
            http.status = self.status,
            bytes = self.bytes,
            complete = self.is_complete,
            fault = self.fault,
            api.id = document.map(|own| tracing::field::display(own.api_id)),
            api.context = document.map(|own| own.context.as_str()),
            api.version = document.map(|own| own.version.as_str()),
            api.operation = governed.zip(api).and_then(|(own, api)| own.operation(api)),
            tenant.domain = document.map(|own| own.organization.as_str()),
            application.id = self.application.map(tracing::field::display),
            application.tenant = application.map(|own| own.organization.as_str()),
            user.name = governed.and_then(|own| own.user.as_deref()),
            client.address = governed.map(|own| tracing::field::display(own.client)),
            request.bytes = governed.and_then(|own| own.request_bytes),
            policy.subscription = governed.and_then(Governed::tier),
            policy.application = application.map(|own| own.throttling_policy.as_str()),
            policy.advanced = advanced.map(|(_, name)| name),
            policy.advanced_level = advanced.map(|(level, _)| level),
            trace.id = self.activity.to_str().unwrap_or_default(),
            "call answered",
        );
    }
}
