//! The logs, snapshots and acknowledgements.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::contract::event_bus::{DeploymentAck, EventBus, EventBusError, GatewayHeartbeat};
use domain::contract::runtime_data::{RuntimeData, RuntimeDataError};
use domain::error_code;
use domain::internal_api::hub::{ArtifactRequest, FetchRequest, HeadRequest, SnapshotRequest};
use http::answer;
use http::guard::FromNode;
use http::json::JsonBody;
use http::problem::Problem;
use telemetry::error_chain::ErrorChain;

use super::{EventHubService, HubService};

type Caller = FromNode<EventHubService>;

fn problem(error: EventBusError) -> Problem {
    match error {
        EventBusError::Refused(reason) => Problem::new(error_code::BAD_REQUEST, reason),
        EventBusError::Unavailable(cause) => {
            tracing::warn!(error = %ErrorChain(cause.as_ref()), "the event hub cannot answer a node");
            Problem::busy(1)
        }
    }
}

fn data_problem(error: RuntimeDataError) -> Problem {
    match error {
        RuntimeDataError::UnknownArtifact(hash) => {
            Problem::new(error_code::NOT_FOUND, format!("there is no artifact {hash}"))
        }
        RuntimeDataError::Unavailable(cause) => {
            tracing::warn!(error = %ErrorChain(cause.as_ref()), "runtime data cannot be read for a node");
            Problem::busy(1)
        }
    }
}

/// A node speaks for itself only.
fn check_name(caller: &Caller, named: &str) -> Result<(), Problem> {
    if caller.is(named) {
        return Ok(());
    }
    Err(Problem::new(error_code::FORBIDDEN, "gateway_id: is another node's than the token's"))
}

pub async fn head(_: Caller, body: JsonBody<HeadRequest>, service: Data<HubService>) -> Result<HttpResponse, Problem> {
    service.hub.head(body.0.log).await.map(answer::ok).map_err(problem)
}

/// Answers early, with nothing, when the node is about to stop: the gateway then asks another hub.
pub async fn fetch(
    _: Caller,
    body: JsonBody<FetchRequest>,
    service: Data<HubService>,
) -> Result<HttpResponse, Problem> {
    tokio::select! {
        biased;
        fetched = service.hub.fetch(body.0.into()) => fetched.map(answer::ok).map_err(problem),
        () = service.draining.cancelled() => Err(Problem::busy(1)),
    }
}

pub async fn heartbeat(
    caller: Caller,
    body: JsonBody<GatewayHeartbeat>,
    service: Data<HubService>,
) -> Result<HttpResponse, Problem> {
    check_name(&caller, &body.0.gateway_id)?;
    service.hub.heartbeat(body.0).await.map(answer::ok).map_err(problem)
}

pub async fn acknowledge(
    caller: Caller,
    body: JsonBody<Vec<DeploymentAck>>,
    service: Data<HubService>,
) -> Result<HttpResponse, Problem> {
    for ack in &body.0 {
        check_name(&caller, &ack.gateway_id)?;
    }
    service.hub.acknowledge(body.0).await.map_err(problem)?;
    Ok(answer::ok(BTreeMap::<String, String>::new()))
}

pub async fn snapshot(
    _: Caller,
    body: JsonBody<SnapshotRequest>,
    service: Data<HubService>,
) -> Result<HttpResponse, Problem> {
    service.hub.snapshot(&body.0.environments).await.map(answer::ok).map_err(data_problem)
}

pub async fn artifact(
    _: Caller,
    body: JsonBody<ArtifactRequest>,
    service: Data<HubService>,
) -> Result<HttpResponse, Problem> {
    let document = service.hub.artifact_document(&body.0.hash).await.map_err(data_problem)?;
    Ok(answer::text("application/json", document.to_string()))
}
