//! `ThrottleLimit`.

use domain::throttling::{Limit, Quota, TimeUnit};
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleLimitDto {
    /// Required by the schema, which does not describe it: the word of the admin API.
    #[serde(rename = "type")]
    kind: &'static str,
    quota_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_count: Option<RequestCountLimitDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<BandwidthLimitDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_count: Option<EventCountLimitDto>,
}

/// `RequestCountLimit`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestCountLimitDto {
    time_unit: &'static str,
    unit_time: u32,
    request_count: u64,
}

/// `BandwidthLimit`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BandwidthLimitDto {
    time_unit: &'static str,
    unit_time: u32,
    data_amount: u64,
    data_unit: &'static str,
}

/// `EventCountLimit`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventCountLimitDto {
    time_unit: &'static str,
    unit_time: u32,
    event_count: u64,
}

impl ThrottleLimitDto {
    /// The limit, or for none the largest one: tools want to read some limit.
    pub(super) fn of(limit: Option<&Limit>) -> Self {
        let requests = u64::from(i32::MAX.unsigned_abs());
        let unlimited = Limit::new(Quota::RequestCount { requests }, 1, TimeUnit::Min);
        Self::from(limit.unwrap_or(&unlimited))
    }

    /// WSO2's word for what is counted, as it stands in policies.
    pub(super) fn quota_type(&self) -> &'static str {
        self.quota_type
    }
}

impl From<&Limit> for ThrottleLimitDto {
    fn from(limit: &Limit) -> Self {
        let (time_unit, unit_time) = (limit.time_unit.as_str(), limit.unit_time);
        let of = |kind, quota_type| Self { kind, quota_type, request_count: None, bandwidth: None, event_count: None };
        match limit.quota {
            Quota::RequestCount { requests: request_count } => Self {
                request_count: Some(RequestCountLimitDto { time_unit, unit_time, request_count }),
                ..of("REQUESTCOUNTLIMIT", "requestCount")
            },
            Quota::Bandwidth { bytes } => Self {
                bandwidth: Some(BandwidthLimitDto { time_unit, unit_time, data_amount: bytes / 1024, data_unit: "KB" }),
                ..of("BANDWIDTHLIMIT", "bandwidthVolume")
            },
            Quota::EventCount { events: event_count } => Self {
                event_count: Some(EventCountLimitDto { time_unit, unit_time, event_count }),
                ..of("EVENTCOUNTLIMIT", "eventCount")
            },
        }
    }
}
