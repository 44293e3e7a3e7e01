//! Durations and sizes as people write them: `5s`, `250ms`, `1h 30m`, `10MiB`, `64KiB`.
//!
//! Both types read and print the same text, so that defaults in generated documentation can be pasted back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is no duration or size; the message says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    #[error("'{0}' is not a duration (examples: 250ms, 5s, 10m, 1h, 7d)")]
    Duration(String),
    #[error("'{0}' is not a size (examples: 512B, 64KiB, 10MiB, 1GiB)")]
    Size(String),
}

/// A length of time in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HumanDuration(Duration);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ByteSize(u64);

/// Units of durations in milliseconds, longest first; `Display` uses the first that divides the value.
const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Units of sizes in bytes, largest first. Decimal units are read but never printed.
const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const DECIMAL_SIZE_UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];

impl HumanDuration {
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    #[must_use]
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl ByteSize {
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    #[must_use]
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// As a length in memory (saturating on machines whose `usize` is smaller).
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<HumanDuration> for Duration {
    fn from(duration: HumanDuration) -> Self {
        duration.0
    }
}

impl FromStr for HumanDuration {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        parse_sum(text, |unit| DURATION_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis))
            .map(Self::from_millis)
            .ok_or_else(|| InvalidQuantity::Duration(shorten(text)))
    }
}

impl FromStr for ByteSize {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let units = || SIZE_UNITS.iter().chain(&DECIMAL_SIZE_UNITS);
        parse_sum(text, |unit| units().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, bytes)| *bytes))
            .map(Self)
            .ok_or_else(|| InvalidQuantity::Size(shorten(text)))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_largest_unit(f, self.as_millis(), &DURATION_UNITS, "s")
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_largest_unit(f, self.0, &SIZE_UNITS, "B")
    }
}

/// One or more `<number><unit>` parts, with or without spaces between them; `None` when the text is anything else.
fn parse_sum(text: &str, unit_value: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit_value(unit)?)?)?;
        rest = after.trim_start();
    }
    Some(total)
}

fn write_in_largest_unit(
    f: &mut fmt::Formatter<'_>,
    value: u64,
    units: &[(&str, u64)],
    unit_of_zero: &str,
) -> fmt::Result {
    if value == 0 {
        return write!(f, "0{unit_of_zero}");
    }
    match units.iter().find(|(_, size)| value.is_multiple_of(*size)) {
        Some((unit, size)) => write!(f, "{}{unit}", value / size),
        // The last unit of both tables is 1 and divides everything.
        None => write!(f, "{value}"),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

macro_rules! serde_as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(HumanDuration);
serde_as_text!(ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_they_are_written() {
        for text in ["0s", "1ms", "250ms", "5s", "90s", "10m", "1h", "7d"] {
            assert_eq!(text.parse::<HumanDuration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parts_of_a_duration_add_up() {
        assert_eq!("1h 30m".parse::<HumanDuration>().unwrap(), HumanDuration::from_secs(5400));
        assert_eq!("1m5s".parse::<HumanDuration>().unwrap(), HumanDuration::from_secs(65));
    }

    #[test]
    fn sizes_print_as_they_are_written() {
        for text in ["0B", "512B", "64KiB", "10MiB", "1GiB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
        assert_eq!("2 MB".parse::<ByteSize>().unwrap(), ByteSize::from_bytes(2_000_000));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_examples() {
        for text in ["", "5", "s", "5 parsecs", "-1s", "1.5h", "5s,", "99999999999999999999s", "300000000000000d"] {
            assert!(text.parse::<HumanDuration>().is_err(), "{text}");
        }
        let error = "10 bananas".parse::<ByteSize>().unwrap_err();
        assert_eq!(error.to_string(), "'10 bananas' is not a size (examples: 512B, 64KiB, 10MiB, 1GiB)");
    }
}
