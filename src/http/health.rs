//! `/health/live`, `/health/ready`, `/metrics` and `/services/Version`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use async_trait::async_trait;
use serde::Serialize;
use telemetry::metrics::{self, Metrics};

use crate::guard::Public;
use crate::routes::Routes;

/// Longest time that a check may take before it counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// `Ok` with a word on the state, or what is wrong. Both are shown to anybody: no secrets, no addresses.
pub type CheckResult = Result<String, String>;

/// Something that must work before the node can do its job.
#[async_trait]
pub trait Check: Send + Sync {
    async fn check(&self) -> CheckResult;
}

#[async_trait]
impl<F: Fn() -> CheckResult + Send + Sync> Check for F {
    async fn check(&self) -> CheckResult {
        self()
    }
}

type NamedCheck = (&'static str, Arc<dyn Check>);

/// The checks of one node; clones share them.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<NamedCheck>>>,
    started: Arc<AtomicBool>,
    draining: Arc<AtomicBool>,
}

#[derive(Serialize)]
struct ReportDto {
    status: &'static str,
    checks: Vec<CheckDto>,
}

#[derive(Serialize)]
struct CheckDto {
    name: &'static str,
    status: &'static str,
    detail: String,
}

impl Health {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check under a name such as `apim_db`.
    pub fn register(&self, name: &'static str, check: impl Check + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push((name, Arc::new(check)));
    }

    /// All roles are started: from now on the checks alone decide. Before, the node is not ready.
    pub fn started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// The node goes away: not ready from now on, so that load balancers send no new calls.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the node can do its job now.
    pub async fn is_ready(&self) -> bool {
        self.report().await.0
    }

    /// The checks that do not pass now, each with what is wrong.
    pub async fn failing(&self) -> Vec<String> {
        let checks = self.report().await.1.checks;
        let failing = checks.into_iter().filter(|check| check.status == DOWN);
        failing.map(|check| format!("{}: {}", check.name, check.detail)).collect()
    }

    async fn report(&self) -> (bool, ReportDto) {
        let mut checks = vec![self.lifecycle()];
        let registered = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcomes = registered.iter().map(|(name, check)| async {
            let outcome = tokio::time::timeout(CHECK_TIMEOUT, check.check()).await;
            CheckDto::new(name, outcome.unwrap_or_else(|_elapsed| Err("no answer in time".to_owned())))
        });
        checks.extend(futures_util::future::join_all(outcomes).await);
        let ready = checks.iter().all(|check| check.status == UP);
        (ready, ReportDto { status: if ready { UP } else { DOWN }, checks })
    }

    fn lifecycle(&self) -> CheckDto {
        let outcome = if self.draining.load(Ordering::Acquire) {
            Err("shutting down".to_owned())
        } else if self.started.load(Ordering::Acquire) {
            Ok("running".to_owned())
        } else {
            Err("starting".to_owned())
        };
        CheckDto::new("node", outcome)
    }
}

const UP: &str = "UP";
const DOWN: &str = "DOWN";

impl CheckDto {
    fn new(name: &'static str, outcome: CheckResult) -> Self {
        match outcome {
            Ok(detail) => Self { name, status: UP, detail },
            Err(detail) => Self { name, status: DOWN, detail },
        }
    }
}

/// `/health/live` (the process answers) and `/health/ready` (it can do its job: 200, else 503, with JSON per check).
pub fn health_routes(health: &Health) -> Routes {
    let health = health.clone();
    Routes::new("/health")
        .get("/live", async |_: Public| HttpResponse::Ok().json(ReportDto { status: UP, checks: Vec::new() }))
        .get("/ready", move |_: Public| {
            let health = health.clone();
            async move {
                let (ready, report) = health.report().await;
                let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                HttpResponse::build(status).json(report)
            }
        })
}

/// `/metrics` in OpenMetrics text.
pub fn metrics_routes(metrics: &Metrics) -> Routes {
    let metrics = metrics.clone();
    Routes::new("/metrics").get("", move |_: Public| {
        let text = metrics.encode();
        async move { HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(text) }
    })
}

/// `/services/Version`: tools wait until it answers.
#[must_use]
pub fn version_routes(version: &'static str) -> Routes {
    Routes::new("/services").get("/Version", move |_: Public| async move {
        let namespace = "http://version.services.core.carbon.wso2.org";
        HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(format!(
            "<ns:getVersionResponse xmlns:ns=\"{namespace}\"><ns:return>Gatewright-{version}</ns:return></ns:getVersionResponse>"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{app, get};

    #[actix_web::test]
    async fn a_node_is_ready_when_it_is_started_and_every_check_passes() {
        let health = Health::new();
        let working = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&working);
        health.register("apim_db", move || {
            if seen.load(Ordering::Relaxed) { Ok("open".to_owned()) } else { Err("cannot be reached".to_owned()) }
        });
        let app = app(health_routes(&health)).await;
        assert_eq!(get(&app, "/health/live").await.0, 200);
        assert_eq!(get(&app, "/health/ready").await.0, 503);
        health.started();
        assert_eq!(get(&app, "/health/ready").await.0, 200);
        working.store(false, Ordering::Relaxed);
        assert_eq!(health.failing().await, ["apim_db: cannot be reached"]);
        let (status, text) = get(&app, "/health/ready").await;
        assert_eq!(status, 503);
        assert!(text.contains(r#"{"name":"apim_db","status":"DOWN","detail":"cannot be reached"}"#), "{text}");
        working.store(true, Ordering::Relaxed);
        health.drain();
        assert_eq!(get(&app, "/health/ready").await.0, 503);
    }

    #[actix_web::test]
    async fn a_check_that_hangs_counts_as_failed() {
        struct Hangs;

        #[async_trait]
        impl Check for Hangs {
            async fn check(&self) -> CheckResult {
                std::future::pending().await
            }
        }

        tokio::time::pause();
        let health = Health::new();
        health.started();
        health.register("slow", Hangs);
        assert!(!health.is_ready().await);
    }

    #[actix_web::test]
    async fn metrics_and_version_answer_anybody() {
        let metrics = app(metrics_routes(&Metrics::new())).await;
        assert_eq!(get(&metrics, "/metrics").await, (200, "# EOF\n".to_owned()));
        let version = app(version_routes("1.2.3")).await;
        assert!(get(&version, "/services/Version").await.1.contains("Gatewright-1.2.3"));
    }
}
