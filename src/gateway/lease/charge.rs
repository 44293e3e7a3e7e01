//! What is counted by size: charged after the call, when the size is known.

use std::sync::Arc;

use domain::contract::throttle::{LeaseReply, LeaseRequest};
use domain::runtime::GatewayApi;

use tokio::runtime::Handle;

use super::{LeaseBook, ThrottleKey};
use crate::table::RequestQuota;

/// Leases that one charge may take: each but the last brings at least an eighth of what is left.
const LEASES_MAX: u32 = 256;

/// A debt whose height is not known yet. The window may end below zero in effect: what a call has already sent cannot be
/// taken back, it only keeps the next one from passing.
pub struct Charge {
    book: Arc<LeaseBook>,
    key: String,
    quota: RequestQuota,
}

impl Charge {
    #[must_use]
    pub fn new(book: &Arc<LeaseBook>, key: &ThrottleKey, api: &GatewayApi, quota: RequestQuota) -> Self {
        Self { book: Arc::clone(book), key: key.on_the_wire(api), quota }
    }

    /// Takes so many units out of the current window, as far as it has them. The first was taken to let the call pass. While
    /// the gateway stops there is nobody to do it, and nothing is charged.
    pub fn settle(self, units: u64) {
        let mut left = units.saturating_sub(1);
        let Some(runtime) = Handle::try_current().ok().filter(|_| left > 0) else { return };
        runtime.spawn(async move {
            for _ in 0..LEASES_MAX {
                let request = LeaseRequest {
                    key: self.key.clone(),
                    limit: self.quota.requests,
                    unit_time: self.quota.unit_time,
                    time_unit: self.quota.time_unit,
                    units: left,
                };
                match self.book.throttle.lease(request).await {
                    Ok(LeaseReply::Granted(lease)) => left = left.saturating_sub(lease.units),
                    Ok(LeaseReply::Exhausted { .. }) => return,
                    Err(error) => {
                        tracing::warn!(%error, "the size of a call cannot be charged");
                        return;
                    }
                }
                if left == 0 {
                    return;
                }
            }
        });
    }
}
