//! The traffic manager as a gateway in the same process sees it: a function call, also for keys of other owners.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use domain::contract::throttle::{Holder, LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::throttling::Slot;

use super::{TrafficManager, unavailable};

pub(super) struct Local {
    pub(super) own: TrafficManager,
    /// The other traffic managers, where this node knows how to reach them.
    pub(super) others: Option<Arc<dyn Throttle>>,
}

#[async_trait]
impl Throttle for Local {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let refusal = match self.own.lease(request.clone()).await {
            Err(refusal @ ThrottleUnavailable::NotOwner { .. }) => refusal,
            reply => return reply,
        };
        if let Some(others) = &self.others {
            match others.lease(request.clone()).await {
                Err(ThrottleUnavailable::Lost(_) | ThrottleUnavailable::NotOwner { .. }) => {}
                reply => return reply,
            }
        }
        tracing::debug!(%refusal, "a slot of throttle keys is taken from an owner that cannot be asked");
        let owner = &self.own.owner;
        owner.seize(Slot::of(&request.key)).await.map_err(unavailable)?;
        self.own.lease(request).await
    }

    async fn give_back(&self, key: &str, window_id: i64, epoch: u64, units: u64) -> Result<(), ThrottleUnavailable> {
        match &self.others {
            Some(others) if self.own.owner.ownership.epoch(Slot::of(key)).is_none() => {
                others.give_back(key, window_id, epoch, units).await
            }
            _ => self.own.give_back(key, window_id, epoch, units).await,
        }
    }

    fn introduce(&self, holder: Weak<dyn Holder>) {
        if let Some(others) = &self.others {
            others.introduce(holder.clone());
        }
        self.own.introduce(holder);
    }
}
