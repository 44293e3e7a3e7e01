//! How long tokens live.

use std::time::Duration;

use domain::Timestamp;

/// What "never expires" (-1) means on the wire: 68 years, which every client can hold in 32 bits.
pub(crate) const NEVER_SECS: i64 = i32::MAX as i64;

/// Seconds that a token lives: the client's own number, else the default. A negative number never expires.
pub(crate) fn resolve(own_secs: Option<i64>, default: Duration) -> i64 {
    let default_secs = i64::try_from(default.as_secs()).unwrap_or(NEVER_SECS);
    match own_secs {
        Some(secs) if secs < 0 => NEVER_SECS,
        Some(secs) if secs > 0 => secs.min(NEVER_SECS),
        _ => default_secs.clamp(1, NEVER_SECS),
    }
}

/// `now` and `secs` seconds.
pub(crate) fn after(now: Timestamp, secs: i64) -> Timestamp {
    now.plus(Duration::from_secs(u64::try_from(secs).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_without_a_number_gets_the_default_and_minus_one_never_ends() {
        let hour = Duration::from_secs(3600);
        assert_eq!([None, Some(0), Some(60), Some(-1)].map(|own| resolve(own, hour)), [3600, 3600, 60, NEVER_SECS]);
    }
}
