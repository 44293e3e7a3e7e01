//! A gateway, its disk and a hub that misbehaves, driven by seeds.

use std::collections::BTreeMap;

use super::tests::entry;
use super::*;

/// Numerical Recipes' linear congruential generator: the same runs everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn is(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// The hub's log and the state that its entries add up to: here simply the list of their ids.
#[derive(Default)]
struct Hub {
    generation: u64,
    entries: Vec<LogEntry>,
    trimmed: u64,
}

impl Hub {
    fn log_id(&self) -> String {
        format!("log-{}", self.generation)
    }

    fn answer(&self, asked: &Position, dice: &mut Dice) -> Fetched {
        if asked.log_id != self.log_id() || asked.number < self.trimmed {
            return Fetched::SnapshotRequired;
        }
        let newer = self.entries.iter().filter(|entry| entry.number > asked.number);
        Fetched::Entries { entries: newer.take(1 + dice.roll(5) as usize).cloned().collect(), head: 0 }
    }
}

/// What survives a crash: the effects and the position, written together.
#[derive(Clone, Default)]
struct Disk {
    position: Position,
    effects: Vec<LogEntry>,
}

struct World {
    dice: Dice,
    hub: Hub,
    disk: Disk,
    cursor: Cursor,
    /// Answers that are still under way.
    wires: Vec<(Position, Fetched)>,
    /// The one snapshot that is under way, as it was when it was read.
    snapshot: Option<Disk>,
    /// Highest number acknowledged per log.
    acknowledged: BTreeMap<String, u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed),
            hub: Hub::default(),
            disk: Disk::default(),
            cursor: Cursor::new(Position::default()),
            wires: Vec::new(),
            snapshot: None,
            acknowledged: BTreeMap::new(),
        }
    }

    fn commit(&mut self) {
        let number = self.hub.entries.last().map_or(0, |last| last.number) + 1;
        self.hub.entries.push(entry(number));
    }

    /// A restore from a backup: the newest entries are gone, and the log has a new id.
    fn restore_database(&mut self) {
        let kept = self.dice.roll(self.hub.entries.len() as u64 + 1) as usize;
        self.hub.entries.truncate(kept);
        self.hub.generation += 1;
        self.hub.trimmed = self.hub.trimmed.min(kept as u64);
    }

    fn ask(&mut self) {
        match self.cursor.next() {
            Next::Snapshot => self.ask_for_snapshot(),
            Next::Fetch(asked) => {
                let mut answer = self.hub.answer(&asked, &mut self.dice);
                if let Fetched::Entries { entries, .. } = &mut answer {
                    self.garble(entries);
                }
                if !self.dice.is(20) {
                    self.wires.push((asked.clone(), answer.clone()));
                }
                if self.dice.is(20) {
                    self.wires.push((asked, answer));
                }
            }
        }
    }

    /// Loss, duplication and reordering inside an answer.
    fn garble(&mut self, entries: &mut Vec<LogEntry>) {
        if entries.len() > 1 && self.dice.is(20) {
            let index = self.dice.roll(entries.len() as u64) as usize;
            entries.remove(index);
        }
        if !entries.is_empty() && self.dice.is(20) {
            let index = self.dice.roll(entries.len() as u64) as usize;
            entries.push(entries[index].clone());
        }
        if self.dice.is(20) {
            entries.reverse();
        }
    }

    fn deliver(&mut self) {
        if self.wires.is_empty() {
            return;
        }
        let index = self.dice.roll(self.wires.len() as u64) as usize;
        let (asked, answer) = self.wires.swap_remove(index);
        match self.cursor.take(&asked, answer) {
            Taken::Apply(entries) => self.apply(entries),
            Taken::Snapshot => self.ask_for_snapshot(),
            Taken::Nothing | Taken::Gap => {}
        }
    }

    fn apply(&mut self, entries: Vec<LogEntry>) {
        if self.dice.is(10) {
            return self.crash(); // before the batch is on disk
        }
        let last = entries.last().expect("a batch is never empty").number;
        assert!(last > self.disk.position.number, "persisted backwards");
        self.disk.effects.extend(entries);
        self.disk.position.number = last;
        if self.dice.is(10) {
            return self.crash(); // between persisting and acknowledging
        }
        self.cursor.advance(last);
        self.acknowledge();
    }

    /// Reads a snapshot unless one is under way; it arrives later, when entries may have been applied in between.
    fn ask_for_snapshot(&mut self) {
        let number = self.hub.entries.last().map_or(0, |last| last.number);
        let position = Position { log_id: self.hub.log_id(), number };
        let effects = self.hub.entries.clone();
        self.snapshot.get_or_insert(Disk { position, effects });
    }

    fn deliver_snapshot(&mut self) {
        let Some(snapshot) = self.snapshot.take() else { return };
        if self.dice.is(20) || !self.cursor.accepts(&snapshot.position) {
            return;
        }
        let position = snapshot.position.clone();
        self.disk = snapshot;
        if self.dice.is(10) {
            return self.crash();
        }
        self.cursor.install(position);
        self.acknowledge();
    }

    /// The process starts anew from its disk; answers to the old one go nowhere.
    fn crash(&mut self) {
        self.cursor = Cursor::new(self.disk.position.clone());
        self.wires.clear();
        self.snapshot = None;
    }

    fn acknowledge(&mut self) {
        let Position { log_id, number } = self.cursor.applied().clone();
        let before = self.acknowledged.insert(log_id, number).unwrap_or(0);
        assert!(number >= before, "went back behind what was acknowledged");
    }

    fn check(&self) {
        let numbers: Vec<u64> = self.disk.effects.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (1..=self.disk.position.number).collect::<Vec<_>>(), "not once and in order");
        if self.disk.position.log_id == self.hub.log_id() {
            let committed = &self.hub.entries[..self.disk.effects.len()];
            assert_eq!(self.disk.effects, committed, "not what was committed");
        }
    }

    fn step(&mut self) {
        match self.dice.roll(100) {
            0..30 => self.commit(),
            30..58 => self.ask(),
            // The other log needs one; a snapshot is of both.
            58..60 => self.ask_for_snapshot(),
            60..85 => self.deliver(),
            85..95 => self.deliver_snapshot(),
            95..98 => self.crash(),
            98 => self.hub.trimmed = self.dice.roll(self.hub.entries.len() as u64 + 1),
            _ => self.restore_database(),
        }
        self.check();
    }
}

#[test]
fn every_committed_entry_takes_effect_once_and_in_order_whatever_happens() {
    for seed in 0..300 {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.step();
        }
        // Once the world is calm, the gateway gets to the head.
        for _ in 0..2_000 {
            world.ask();
            world.deliver();
            world.deliver_snapshot();
            world.check();
        }
        assert_eq!(world.disk.effects, world.hub.entries, "seed {seed}");
    }
}
