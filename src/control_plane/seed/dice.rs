//! Numbers that look random and are the same for the same seed on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to vary content. Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// A sequence of its own for thing `number` of a kind, so that it does not depend on how many things there are.
    pub(super) fn of(seed: u64, kind: u64, number: u32) -> Self {
        let mut dice = Self(seed ^ kind.rotate_left(56));
        dice.0 = dice.roll() ^ u64::from(number);
        Self(dice.roll())
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `sides` - 1; 0 when there are no sides.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        // The remainder is smaller than `sides`, which is an usize.
        usize::try_from(self.roll() % (sides.max(1) as u64)).unwrap_or(0)
    }

    pub(super) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }

    /// As [`Self::pick`], with the first words more often: some tags are on many APIs, most on few.
    pub(super) fn pick_skewed<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let index = self.below(words.len()).min(self.below(words.len()));
        words.get(index).copied().unwrap_or_default()
    }
}
