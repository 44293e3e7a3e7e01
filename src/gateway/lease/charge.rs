//! What is counted by size: charged after the call, when the size is known.

use std::sync::Arc;

use domain::contract::Throttle;
use domain::contract::throttle::LeaseReply;
use tokio::runtime::Handle;

use crate::table::RequestQuota;

/// Leases that one charge may take: each but the last brings at least an eighth of what is left.
const LEASES_MAX: u32 = 256;

/// A debt whose height is not known yet. The window may end below zero in effect: what a call has already sent cannot be
/// taken back, it only keeps the next one from passing.
pub struct Charge {
    pub(super) throttle: Arc<dyn Throttle>,
    pub(super) key: Arc<str>,
    pub(super) quota: RequestQuota,
}

impl Charge {
    /// Takes so many units out of the current window, as far as it has them. The first was taken to let the call pass. While
    /// the gateway stops there is nobody to do it, and nothing is charged.
    pub fn settle(self, units: u64) {
        let mut left = units.saturating_sub(1);
        let Some(runtime) = Handle::try_current().ok().filter(|_| left > 0) else { return };
        runtime.spawn(async move {
            for _ in 0..LEASES_MAX {
                match self.throttle.lease(self.quota.wish(&self.key, left)).await {
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
