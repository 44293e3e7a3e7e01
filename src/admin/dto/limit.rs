//! `ThrottleLimit`.

use domain::Failure;
use domain::throttling::{Limit, Quota, TimeUnit};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleLimitDto {
    #[serde(rename = "type")]
    kind: LimitKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_count: Option<RequestCountLimitDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bandwidth: Option<BandwidthLimitDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_count: Option<EventCountLimitDto>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum LimitKind {
    #[serde(rename = "REQUESTCOUNTLIMIT")]
    RequestCount,
    #[serde(rename = "BANDWIDTHLIMIT")]
    Bandwidth,
    #[serde(rename = "EVENTCOUNTLIMIT")]
    EventCount,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestCountLimitDto {
    time_unit: String,
    unit_time: u32,
    request_count: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BandwidthLimitDto {
    time_unit: String,
    unit_time: u32,
    data_amount: u64,
    data_unit: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventCountLimitDto {
    time_unit: String,
    unit_time: u32,
    event_count: u64,
}

impl ThrottleLimitDto {
    /// # Errors
    /// 400 naming the field.
    pub fn into_limit(self) -> Result<Limit, Failure> {
        self.into_limit_of("defaultLimit")
    }

    /// The limit in `field`.
    ///
    /// # Errors
    /// 400 naming the field.
    pub fn into_limit_of(self, field: &str) -> Result<Limit, Failure> {
        let missing = |part: &str| Failure::invalid(&format!("{field}.{part}"), "is missing for this type of limit");
        let (quota, unit_time, time_unit) = match self.kind {
            LimitKind::RequestCount => {
                let limit = self.request_count.ok_or_else(|| missing("requestCount"))?;
                (Quota::RequestCount { requests: limit.request_count }, limit.unit_time, limit.time_unit)
            }
            LimitKind::EventCount => {
                let limit = self.event_count.ok_or_else(|| missing("eventCount"))?;
                (Quota::EventCount { events: limit.event_count }, limit.unit_time, limit.time_unit)
            }
            LimitKind::Bandwidth => {
                let limit = self.bandwidth.ok_or_else(|| missing("bandwidth"))?;
                let factor = match limit.data_unit.to_ascii_uppercase().as_str() {
                    "KB" => 1024,
                    "MB" => 1024 * 1024,
                    "GB" => 1024 * 1024 * 1024,
                    _ => return Err(Failure::invalid(&format!("{field}.bandwidth.dataUnit"), "must be KB, MB or GB")),
                };
                let bytes = limit.data_amount.saturating_mul(factor);
                (Quota::Bandwidth { bytes }, limit.unit_time, limit.time_unit)
            }
        };
        let time_unit = TimeUnit::parse(&time_unit).ok_or_else(|| {
            Failure::invalid(&format!("{field}.timeUnit"), "must be one of sec, min, hour, day, week, month, year")
        })?;
        Ok(Limit { quota, unit_time, time_unit })
    }
}

impl ThrottleLimitDto {
    /// How the wire shows a policy that limits nothing: clients want to read some limit.
    pub fn unlimited() -> Self {
        Self {
            kind: LimitKind::RequestCount,
            request_count: Some(RequestCountLimitDto {
                time_unit: TimeUnit::Min.as_str().to_owned(),
                unit_time: 1,
                request_count: i32::MAX as u64,
            }),
            bandwidth: None,
            event_count: None,
        }
    }
}

impl From<&Limit> for ThrottleLimitDto {
    fn from(limit: &Limit) -> Self {
        let (time_unit, unit_time) = (limit.time_unit.as_str().to_owned(), limit.unit_time);
        let none = Self { kind: LimitKind::RequestCount, request_count: None, bandwidth: None, event_count: None };
        match limit.quota {
            Quota::RequestCount { requests } => Self {
                request_count: Some(RequestCountLimitDto { time_unit, unit_time, request_count: requests }),
                ..none
            },
            Quota::EventCount { events } => Self {
                kind: LimitKind::EventCount,
                event_count: Some(EventCountLimitDto { time_unit, unit_time, event_count: events }),
                ..none
            },
            Quota::Bandwidth { bytes } => Self {
                kind: LimitKind::Bandwidth,
                bandwidth: Some(BandwidthLimitDto {
                    time_unit,
                    unit_time,
                    data_amount: bytes / 1024,
                    data_unit: "KB".to_owned(),
                }),
                ..none
            },
        }
    }
}
