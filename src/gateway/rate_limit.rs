//! `RateLimit-Policy` and `RateLimit`: what a governed call still has left (draft-ietf-httpapi-ratelimit-headers-10).

use std::fmt::Write as _;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use crate::table::{Measure, RequestQuota};

pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The quotas that a call met, in the order in which they were asked.
#[derive(Debug, Default)]
pub struct RateLimits(SmallVec<[RateLimit; 4]>);

/// One quota after the call. What other gateways hand out in the same moment is not seen, so that `remaining` is a
/// hint and no promise.
#[derive(Debug)]
pub struct RateLimit {
    /// The level: `api`, `resource`, `subscription`, `application`, `custom`.
    pub name: &'static str,
    pub quota: RequestQuota,
    pub remaining: u64,
    pub resets_in: Duration,
}

impl RateLimits {
    pub fn note(&mut self, limit: RateLimit) {
        self.0.push(limit);
    }

    /// Writes both headers, unless the call met no quota.
    pub fn write(&self, headers: &mut HeaderMap) {
        let (mut policies, mut limits, mut separator) = (String::new(), String::new(), "");
        for limit in &self.0 {
            let (name, quota) = (limit.name, &limit.quota);
            let window_secs = quota.shape.nominal_ms() / 1000;
            // Rounded up: who comes back in time must not be early.
            let reset_secs = limit.resets_in.as_millis().div_ceil(1000);
            // Writing into a String cannot fail.
            let _ = write!(policies, "{separator}\"{name}\";q={}{};w={window_secs}", quota.requests, quota_unit(quota));
            let _ = write!(limits, "{separator}\"{name}\";r={};t={reset_secs}", limit.remaining);
            separator = ", ";
        }
        if let (Ok(policies), Ok(limits), false) =
            (HeaderValue::try_from(policies), HeaderValue::try_from(limits), separator.is_empty())
        {
            headers.insert(RATE_LIMIT_POLICY, policies);
            headers.insert(RATE_LIMIT, limits);
        }
    }
}

/// The parameter `qu` where something else is counted than requests, which are its default.
fn quota_unit(quota: &RequestQuota) -> &'static str {
    match quota.measure {
        Measure::Calls => "",
        Measure::Bytes => ";qu=\"content-bytes\"",
    }
}

#[cfg(test)]
mod tests {
    use domain::throttling::{Shape, TimeUnit};

    use super::*;

    fn limit(name: &'static str, requests: u64) -> RateLimit {
        let shape = Shape::aligned(2, TimeUnit::Min);
        let quota = RequestQuota { requests, shape, on_tm_loss: None, measure: Measure::Calls, stops: true };
        RateLimit { name, quota, remaining: requests - 1, resets_in: Duration::from_millis(30_001) }
    }

    #[test]
    fn every_quota_stands_in_both_headers() {
        let mut limits = RateLimits::default();
        let mut headers = HeaderMap::new();
        limits.write(&mut headers);
        assert!(headers.is_empty());
        limits.note(limit("subscription", 50));
        limits.note(limit("application", 20));
        limits.write(&mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"subscription\";q=50;w=120, \"application\";q=20;w=120");
        let mut bytes = limit("application", 2_048);
        bytes.quota.measure = Measure::Bytes;
        let mut of_bytes = RateLimits::default();
        of_bytes.note(bytes);
        of_bytes.write(&mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"application\";q=2048;qu=\"content-bytes\";w=120");
        limits.write(&mut headers);
        assert_eq!(headers[RATE_LIMIT], "\"subscription\";r=49;t=31, \"application\";r=19;t=31");
    }
}
