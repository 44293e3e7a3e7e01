//! `ThrottleLimit` of admin and publisher.

use domain::Failure;
use domain::throttling::{Limit, OnTmLoss, Quota, TimeUnit, WindowKind};
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
    /// Ours: `aligned` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// Ours: what gateways are configured to do when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_tm_loss: Option<String>,
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
        let window = chosen(
            &format!("{field}.window"),
            self.window,
            WindowKind::parse,
            WindowKind::ALL.map(WindowKind::as_str),
        )?;
        let on_tm_loss = chosen(
            &format!("{field}.onTmLoss"),
            self.on_tm_loss,
            OnTmLoss::parse,
            OnTmLoss::ALL.map(OnTmLoss::as_str),
        )?;
        Ok(Limit { quota, unit_time, time_unit, window: window.unwrap_or_default(), on_tm_loss })
    }
}

/// The choice that `text` names, which must be one of `values`.
fn chosen<T, const N: usize>(
    field: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Option<T>,
    values: [&str; N],
) -> Result<Option<T>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let chosen = parse(&text);
    let refusal = || Failure::invalid(field, format!("must be one of {}", values.join(", ")));
    chosen.map(Some).ok_or_else(refusal)
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
            window: None,
            on_tm_loss: None,
        }
    }
}

impl From<&Limit> for ThrottleLimitDto {
    fn from(limit: &Limit) -> Self {
        let (time_unit, unit_time) = (limit.time_unit.as_str().to_owned(), limit.unit_time);
        let none = Self {
            kind: LimitKind::RequestCount,
            request_count: None,
            bandwidth: None,
            event_count: None,
            window: Some(limit.window).filter(|kind| !kind.is_default()).map(|kind| kind.as_str().to_owned()),
            on_tm_loss: limit.on_tm_loss.map(|own| own.as_str().to_owned()),
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Limit, String> {
        let dto: ThrottleLimitDto = serde_json::from_str(json).unwrap();
        dto.into_limit().map_err(|failure| failure.to_string())
    }

    fn limit(more: &str) -> String {
        let count = r#""requestCount":{"timeUnit":"min","unitTime":1,"requestCount":5}"#;
        format!(r#"{{"type":"REQUESTCOUNTLIMIT",{count}{more}}}"#)
    }

    #[test]
    fn what_a_limit_says_of_windows_and_losses_comes_back_as_it_was_sent() {
        for more in ["", r#","window":"first-request""#, r#","window":"first-request","onTmLoss":"deny""#] {
            let text = limit(more);
            assert_eq!(serde_json::to_string(&ThrottleLimitDto::from(&read(&text).unwrap())).unwrap(), text);
        }
        // The usual choice is not written, so that what clients of the original store stays as it is.
        let aligned = read(&limit(r#","window":"aligned""#)).unwrap();
        assert_eq!(serde_json::to_string(&ThrottleLimitDto::from(&aligned)).unwrap(), limit(""));
    }

    #[test]
    fn an_unknown_choice_is_refused_with_the_field_and_the_values() {
        let refusal = |more: &str| read(&limit(more)).unwrap_err();
        let window = refusal(r#","window":"sliding""#);
        assert_eq!(window, "defaultLimit.window: must be one of aligned, first-request");
        let loss = refusal(r#","onTmLoss":"share""#);
        assert_eq!(loss, "defaultLimit.onTmLoss: must be one of local-share, allow, deny");
    }
}
