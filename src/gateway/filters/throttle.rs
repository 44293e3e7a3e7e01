//! Quotas, level by level: the API's or the operation's policy, subscription, spike arrest, application per user, custom
//! rules, back end. A call that a later level refuses gives back what it took from earlier ones, so refused calls count
//! nowhere.

mod find;
mod view;

use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::error_code::ErrorCode;
use domain::runtime::GatewayApi;
use smallvec::SmallVec;

pub use find::advanced_policy;
pub use view::CallView;

use crate::fault::Fault;
use crate::lease::{Charge, LeaseBook, ThrottleKey, Unit, Verdict};
use crate::local_limit::{LocalKey, LocalLimits, LocalUnit};
use crate::rate_limit::{RateLimit, RateLimits};
use crate::table::{Live, Measure, RequestQuota};

/// Levels of a call that are kept without an allocation: all kinds, with one custom rule.
const LEVELS_INLINE: usize = 6;

type Levels = SmallVec<[Level; LEVELS_INLINE]>;

/// The limits of one call, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct Quotas(Levels);

#[derive(Debug)]
enum Level {
    /// Counted exactly over all gateways.
    Leased(Quota),
    /// Kept by this gateway for its part.
    Local(Burst),
}

#[derive(Debug)]
struct Quota {
    key: ThrottleKey,
    quota: RequestQuota,
    /// What a refusal says.
    code: ErrorCode,
    /// What callers know the quota by.
    name: &'static str,
}

#[derive(Debug)]
struct Burst {
    key: LocalKey,
    limit: domain::throttling::RateLimit,
    code: ErrorCode,
}

/// What was taken on the way.
enum Taken {
    Leased(Unit),
    Local(LocalUnit),
}

/// Where limits are counted.
#[derive(Clone, Copy)]
pub struct Counters<'a> {
    pub leases: &'a LeaseBook,
    pub local: &'a LocalLimits,
}

impl Quotas {
    /// Looks up which limits count for a call.
    pub fn find(live: &Live, call: &CallView<'_>) -> Result<Self, Fault> {
        find::levels(live, call).map(Self)
    }

    /// Takes a unit of each and notes what is left. Refused or cancelled, all that was taken goes back. What is charged by
    /// size is charged once that is known, by the caller.
    pub async fn take(
        self,
        counters: Counters<'_>,
        api: &GatewayApi,
        now: Timestamp,
        limits: &mut RateLimits,
    ) -> Result<Vec<Charge>, Fault> {
        let mut taken: SmallVec<[Taken; LEVELS_INLINE]> = SmallVec::new();
        let mut charges = Vec::new();
        let mut clock = Instant::now();
        for level in self.0 {
            match level {
                Level::Local(own) => match counters.local.take(own.key, own.limit, clock) {
                    Ok(unit) => taken.push(Taken::Local(unit)),
                    Err(retry_in) => return Err(Fault::Throttled { code: own.code, now, retry_in }),
                },
                Level::Leased(own) => {
                    taken.extend(own.take(counters.leases, api, (now, &mut clock), limits).await?.map(Taken::Leased));
                    if own.quota.measure == Measure::Bytes {
                        charges.push(counters.leases.charge(&own.key, api, own.quota));
                    }
                }
            }
        }
        taken.into_iter().for_each(Taken::spend);
        Ok(charges)
    }
}

impl Quota {
    /// `None` when the call passes without a unit.
    async fn take(
        &self,
        book: &LeaseBook,
        api: &GatewayApi,
        (now, clock): (Timestamp, &mut Instant),
        limits: &mut RateLimits,
    ) -> Result<Option<Unit>, Fault> {
        match book.take(&self.key, api, self.quota, clock).await {
            Ok(Verdict::Taken(unit)) => {
                let (remaining, resets_in) = unit.outlook(*clock);
                limits.note(self.after(remaining, resets_in));
                Ok(Some(unit))
            }
            Ok(Verdict::Exhausted { retry_in }) => {
                limits.note(self.after(0, retry_in));
                if self.quota.stops {
                    return Err(Fault::Throttled { code: self.code, now, retry_in });
                }
                Ok(None)
            }
            Err(_) if !self.quota.stops => Ok(None),
            Err(error) => {
                tracing::warn!(api.id = %api.api_id, %error, "a call is refused because its quota cannot be checked");
                Err(Fault::ThrottleUnavailable)
            }
        }
    }

    fn after(&self, remaining: u64, resets_in: Duration) -> RateLimit {
        RateLimit { name: self.name, quota: self.quota, remaining, resets_in }
    }
}

impl Taken {
    fn spend(self) {
        match self {
            Self::Leased(unit) => unit.spend(),
            Self::Local(unit) => unit.spend(),
        }
    }
}
