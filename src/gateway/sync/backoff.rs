//! Pauses after errors: doubling, bounded, and spread so that a fleet does not come back at the same instant.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Half of the pause is fixed, the other half is `random`'s part of it.
    pub(super) fn next(&mut self, random: u16) -> Duration {
        let full = self.min.saturating_mul(1_u32 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u16::MAX))
    }
}

/// Good enough to spread pauses.
pub(super) fn random() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_one_and_start_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let mut next = || backoff.next(u16::MAX).as_millis();
        assert_eq!([next(), next(), next(), next()], [100, 200, 350, 350]);
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::from_millis(50));
    }
}
