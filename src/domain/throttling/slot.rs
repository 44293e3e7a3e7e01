//! Slots: what throttle keys are dealt out by. A key's slot is the same on every node and in every release.

use serde::{Deserialize, Serialize};

/// One of the [`Slot::COUNT`] parts of all throttle keys; each has one owner at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(u8);

impl Slot {
    /// How many there are.
    pub const COUNT: usize = 256;

    /// The slot of a key: FNV-1a with 64 bits, folded to 8. It must never change: nodes of two releases would disagree
    /// about who owns a key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let hash = key
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(hash.to_le_bytes().into_iter().fold(0, |folded, byte| folded ^ byte))
    }

    /// The slot with this number, if there is one.
    #[must_use]
    pub fn numbered(number: usize) -> Option<Self> {
        u8::try_from(number).ok().map(Self)
    }

    /// Its number, below [`Slot::COUNT`].
    #[must_use]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_key_never_changes() {
        assert_eq!(SEEN.map(|(key, _)| Slot::of(key).number()), SEEN.map(|(_, number)| number));
    }

    const SEEN: [(&str, usize); 3] =
        [("", 225), ("app:1:bob@carbon.super", 160), ("sub:1:/pizza/1.0.0:1.0.0:Gold", 150)];

    #[test]
    fn keys_are_spread_over_all_slots() {
        let mut keys = [0_u32; Slot::COUNT];
        for number in 0..25_600 {
            keys[Slot::of(&format!("app:{number}:bob@carbon.super")).number()] += 1;
        }
        assert!(keys.iter().all(|count| (50..=150).contains(count)), "{keys:?}");
    }
}
