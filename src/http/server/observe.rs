//! One span, one log line and one count per management call.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use telemetry::metrics::Metrics;
use tracing::Instrument;

use super::drain::{CallBody, InFlight};

/// Counters of management calls.
#[derive(Clone)]
pub struct Traffic {
    requests: Family<Labels, Counter>,
    seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    /// `2xx` and so on: paths and callers would make as many series as users want.
    status: &'static str,
}

impl Traffic {
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        // 1 ms to about 16 s.
        let traffic =
            Self { requests: Family::default(), seconds: Histogram::new(exponential_buckets(0.001, 2.0, 15)) };
        metrics.register("management_requests", "Management calls by class of status", traffic.requests.clone());
        metrics.register("management_request_seconds", "Duration of management calls", traffic.seconds.clone());
        traffic
    }

    fn count(&self, status: u16, seconds: f64) {
        let status = match status {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&Labels { status }).inc();
        self.seconds.observe(seconds);
    }
}

pub(super) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let traffic = request.app_data::<Traffic>().cloned();
    let in_flight = request.app_data::<InFlight>().cloned();
    let call = in_flight.as_ref().map(InFlight::begin);
    // The path without the query, which may carry tokens.
    let span = tracing::info_span!(
        "management_request",
        http.method = %request.method(),
        http.path = %request.path(),
    );
    async move {
        let outcome = next.call(request).await;
        let status = match &outcome {
            Ok(response) => response.status().as_u16(),
            Err(error) => error.as_response_error().status_code().as_u16(),
        };
        let elapsed = started.elapsed();
        tracing::info!(http.status = status, duration_ms = elapsed.as_secs_f64() * 1000.0, "management call answered");
        if let Some(traffic) = traffic {
            traffic.count(status, elapsed.as_secs_f64());
        }
        let mut response = outcome?.map_into_boxed_body();
        if in_flight.is_some_and(|it| it.is_draining()) {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        Ok(match call {
            Some(call) => response.map_body(|_, body| BoxBody::new(CallBody::new(body, call))),
            None => response,
        })
    }
    .instrument(span)
    .await
}
