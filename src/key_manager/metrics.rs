//! What the key manager counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use telemetry::metrics::Metrics;

type ByLabel = Family<[(&'static str, &'static str); 1], Counter>;

#[derive(Debug, Clone, Default)]
pub(crate) struct KeyManagerMetrics {
    tokens_issued: ByLabel,
    requests_refused: ByLabel,
    tokens_revoked: Counter,
    refresh_tokens_reused: Counter,
}

impl KeyManagerMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register("oauth_tokens_issued", "Access tokens by grant type", own.tokens_issued.clone());
        metrics.register("oauth_requests_refused", "OAuth requests refused, by error", own.requests_refused.clone());
        metrics.register("oauth_tokens_revoked", "Tokens revoked on request", own.tokens_revoked.clone());
        metrics.register(
            "oauth_refresh_tokens_reused",
            "Refresh tokens presented again after they were replaced",
            own.refresh_tokens_reused.clone(),
        );
        own
    }

    pub(crate) fn issued(&self, grant_type: &'static str) {
        self.tokens_issued.get_or_create(&[("grant_type", grant_type)]).inc();
    }

    pub(crate) fn refused(&self, error: &'static str) {
        self.requests_refused.get_or_create(&[("error", error)]).inc();
    }

    pub(crate) fn revoked(&self) {
        self.tokens_revoked.inc();
    }

    pub(crate) fn reused(&self) {
        self.refresh_tokens_reused.inc();
    }
}
