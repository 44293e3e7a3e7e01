//! Seeded runs of owners, gateways and a ledger in virtual time, with crashes, lost replies and late returns. What
//! must hold: no window ever admits more calls than its limit.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::Timestamp;

use super::*;

const SEEDS: u64 = 4_000;
const STEPS: u32 = 250;

/// xorshift64*: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// What survives everything.
#[derive(Default)]
struct Ledger {
    epoch: u64,
    reserved: HashMap<i64, u64>,
}

impl Ledger {
    fn reserve(&mut self, epoch: u64, window: i64, limit: u64, units: u64) -> Option<u64> {
        if epoch != self.epoch {
            return None;
        }
        let reserved = self.reserved.entry(window).or_default();
        let units = units.min(limit.saturating_sub(*reserved));
        *reserved += units;
        Some(units)
    }
}

/// An owner process; a crash forgets all of it.
struct Owner {
    timeline: Timeline,
    epoch: u64,
    bucket: Option<Bucket>,
}

/// A right to call that some gateway holds.
struct Held {
    window: i64,
    epoch: u64,
    units: u64,
    until: Instant,
}

struct World {
    dice: Dice,
    now: Instant,
    /// Wall time minus `now`; jumps as clocks do.
    wall: Timestamp,
    ledger: Ledger,
    /// Two, because an owner that was replaced may not know it yet.
    owners: [Owner; 2],
    held: Vec<Held>,
    admitted: HashMap<i64, u64>,
    limit: u64,
    sizing: Sizing,
    shape: Shape,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let now = Instant::now();
        let wall = Timestamp::from_millis(1_000_000 + dice.below(5_000) as i64);
        let owner = || Owner { timeline: Timeline::new(wall, now), epoch: 0, bucket: None };
        let sizing = Sizing {
            block_units_whole: dice.below(20),
            blocks_per_window: 1 + dice.below(6),
            lease_share: 1 + dice.below(4),
        };
        let owners = [owner(), owner()];
        let limit = dice.below(40);
        let shape = (1 + dice.below(3) as u32, TimeUnit::Sec);
        Self {
            dice,
            now,
            wall,
            ledger: Ledger::default(),
            owners,
            held: Vec::new(),
            admitted: HashMap::new(),
            limit,
            sizing,
            shape,
        }
    }

    fn step(&mut self) {
        let pass = Duration::from_micros(self.dice.below(60_000));
        self.now += pass;
        self.wall = self.wall.plus(pass);
        let who = usize::from(self.dice.one_in(4));
        match self.dice.below(20) {
            0 => self.crash(who),
            1 => self.give_back(who),
            2 => self.set_clock(who),
            3..=9 => self.lease(who),
            _ => self.call(),
        }
    }

    fn crash(&mut self, who: usize) {
        // The next process may find another wall time, but it is the ledger that counts.
        self.owners[who] = Owner { timeline: Timeline::new(self.wall, self.now), epoch: 0, bucket: None };
    }

    fn set_clock(&mut self, who: usize) {
        let jump = self.dice.below(3_000) as i64 - 1_500;
        self.wall = Timestamp::from_millis(self.wall.as_millis() + jump);
        self.owners[who].timeline.resync(self.wall, self.now);
    }

    /// As the owner's shell does it.
    fn lease(&mut self, who: usize) {
        let owner = &mut self.owners[who];
        if owner.epoch == 0 {
            self.ledger.epoch += 1;
            owner.epoch = self.ledger.epoch;
        }
        let before = owner.bucket.take();
        let current = before.filter(|bucket| bucket.is_current(self.now, self.shape, owner.epoch));
        let mut bucket =
            current.unwrap_or_else(|| Bucket::open(&owner.timeline, self.now, self.shape, owner.epoch, None));
        let wish = 1 + self.dice.below(8);
        let mut step = bucket.take(self.limit, wish, &self.sizing);
        if let Step::Reserve(units) = step {
            let window = bucket.window.start.as_millis();
            let Some(reserved) = self.ledger.reserve(bucket.epoch, window, self.limit, units) else {
                // Fenced: the owner takes over at its next lease.
                owner.epoch = 0;
                return;
            };
            if self.dice.one_in(10) {
                // The ledger's answer is lost; the owner does not know what it got.
                owner.bucket = Some(bucket);
                return;
            }
            bucket.add(self.limit, units, reserved);
            step = bucket.take(self.limit, wish, &self.sizing);
        }
        let granted = match step {
            Step::Grant(units) => units,
            Step::Reserve(_) | Step::Exhausted => 0,
        };
        let held = Held {
            window: bucket.window.start.as_millis(),
            epoch: bucket.epoch,
            units: granted,
            until: bucket.ends_at,
        };
        owner.bucket = Some(bucket);
        // One reply in eight is lost on its way.
        if granted > 0 && !self.dice.one_in(8) {
            self.held.push(held);
        }
    }

    /// Some gateway lets a call pass.
    fn call(&mut self) {
        let now = self.now;
        self.held.retain(|held| held.units > 0);
        let mut valid: Vec<&mut Held> = self.held.iter_mut().filter(|held| now < held.until).collect();
        if valid.is_empty() {
            return;
        }
        let pick = self.dice.below(valid.len() as u64) as usize;
        valid[pick].units -= 1;
        *self.admitted.entry(valid[pick].window).or_default() += 1;
    }

    /// Some gateway returns what it holds, perhaps much too late, perhaps to the wrong owner, perhaps in vain.
    fn give_back(&mut self, who: usize) {
        if self.held.is_empty() {
            return;
        }
        let pick = self.dice.below(self.held.len() as u64) as usize;
        let held = self.held.swap_remove(pick);
        if self.dice.one_in(5) {
            return;
        }
        if let Some(bucket) = self.owners[who].bucket.as_mut() {
            bucket.give_back(self.now, held.window, held.epoch, held.units);
        }
    }
}

#[test]
fn no_window_ever_admits_more_than_its_limit() {
    let mut admitted = 0;
    let mut full = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for step in 0..STEPS {
            world.step();
            for (window, count) in &world.admitted {
                assert!(
                    *count <= world.limit,
                    "seed {seed}, step {step}: window {window} admitted {count} of {}",
                    world.limit
                );
            }
        }
        admitted += world.admitted.values().sum::<u64>();
        full += world.admitted.values().filter(|count| **count == world.limit).count();
    }
    // A manager that admits nothing would pass, too.
    assert!(admitted > SEEDS * 20, "only {admitted} calls were admitted");
    assert!(full > 500, "only {full} windows were used up");
}
