//! The correlation id of a call (`activityid`): the client's own when it is sane, else a new one.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// WSO2's correlation header, in requests to back ends and in answers.
pub const ACTIVITY_ID: HeaderName = HeaderName::from_static("activityid");

/// Longest id taken from a client.
const LENGTH_MAX: usize = 64;

/// Makes ids that are unique but no secret: a random part per worker and a count.
pub struct ActivityIds {
    worker: uuid::Uuid,
    count: AtomicU64,
}

impl Default for ActivityIds {
    fn default() -> Self {
        Self { worker: uuid::Uuid::new_v4(), count: AtomicU64::new(0) }
    }
}

impl ActivityIds {
    /// The id of a call with these headers.
    #[must_use]
    pub fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let own = headers.get(ACTIVITY_ID).filter(|value| is_sane(value.as_bytes()));
        own.cloned().unwrap_or_else(|| self.next())
    }

    /// In the shape of a UUID, which tools expect.
    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let (high, low) = self.worker.as_u64_pair();
        // The multiplier is odd, so that different counts give different ids.
        let low = low ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let id = uuid::Uuid::from_u64_pair(high, low);
        let mut text = String::with_capacity(36);
        // Writing into a String cannot fail.
        let _ = write!(text, "{}", id.hyphenated());
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

fn is_sane(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=LENGTH_MAX).contains(&id.len()) && id.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_another_replaced() {
        let ids = ActivityIds::default();
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACTIVITY_ID, value.parse().unwrap());
            ids.of(&headers)
        };
        assert_eq!(with("abc-1:2.3_4"), "abc-1:2.3_4");
        for strange in ["", "a b", "<script>", &"x".repeat(65)] {
            assert_eq!(with(strange).len(), 36, "{strange}");
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
