//! Damage to files, the same for the same seed.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides.max(1) as u64) as usize
    }
}

/// Writes noise over some parts of the file.
pub fn scribble(file: &Path, seed: u64) {
    let mut dice = Dice(seed);
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    let mut open = OpenOptions::new().write(true).open(file).unwrap();
    for _ in 0..1 + dice.roll(4) {
        let noise: Vec<u8> = (0..1 + dice.roll(600)).map(|_| dice.roll(256) as u8).collect();
        open.seek(SeekFrom::Start(dice.roll(length) as u64)).unwrap();
        open.write_all(&noise).unwrap();
    }
}
