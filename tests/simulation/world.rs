//! The world around the decisions: what happens to messages, processes, disks and the database.

use std::collections::BTreeSet;

use ::gateway::sync::state::{Next, Taken};
use domain::contract::event_bus::{ContentDigest, Fetched};
use domain::event::{LogEntry, LogName, Position};
use domain::runtime::Snapshot;
use domain::{EventId, Timestamp};

use crate::database::{Database, index};
use crate::dice::Dice;
use crate::gateway::Gateway;
use crate::hub::{self, Hub};

/// Longest that a message is under way, and that an answer is waited for.
const DELAY: usize = 20;
const PATIENCE: usize = 30;
/// How often a gateway hears what it must hold.
const PULSE_PERCENT: usize = 2;

struct Message {
    due: usize,
    gateway: usize,
    life: usize,
    log: LogName,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Fetch {
        asked: Position,
    },
    Answer {
        asked: Position,
        fetched: Fetched,
    },
    /// The documents of a batch are there.
    Documents {
        log_id: String,
        entries: Vec<LogEntry>,
    },
    AskSnapshot {
        seen: Position,
    },
    Snapshot {
        snapshot: Box<Snapshot>,
        lineages: [Vec<EventId>; 2],
    },
    /// What the content must be.
    Pulse {
        told: ContentDigest,
    },
    /// A snapshot for the kinds that differ.
    Mending {
        kinds: BTreeSet<String>,
        snapshot: Box<Snapshot>,
        lineages: [Vec<EventId>; 2],
    },
}

pub struct World {
    dice: Dice,
    now: usize,
    /// No more faults and changes.
    pub is_calm: bool,
    /// Whether disks lose what they hold, also the hubs'.
    is_harsh: bool,
    database: Database,
    hubs: Vec<Hub>,
    gateways: Vec<Gateway>,
    network: Vec<Message>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let hubs = (0..1 + dice.roll(3)).map(|_| Hub::default()).collect();
        let gateways = (0..1 + dice.roll(3)).map(|_| Gateway::new()).collect();
        let (database, network) = (Database::new(), Vec::new());
        Self { dice, now: 0, is_calm: false, is_harsh: seed % 4 == 3, database, hubs, gateways, network }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now as i64)
    }

    pub fn step(&mut self) {
        self.now += 1;
        if !self.is_calm {
            self.disturb();
        }
        let hub = self.dice.roll(self.hubs.len());
        for log in LogName::ALL {
            if self.dice.is(if self.is_calm { 100 } else { 30 }) {
                self.hubs[hub].tail(log, &mut self.database);
            }
            for own in 0..self.gateways.len() {
                self.ask(own, log);
            }
        }
        let own = self.dice.roll(self.gateways.len());
        self.gateways[own].acknowledge(own, &mut self.database, &mut self.dice);
        if self.dice.is(PULSE_PERCENT) {
            let now = self.time();
            let told = self.database.told(&mut self.dice, now);
            self.send(own, LogName::Control, Body::Pulse { told });
        }
        self.deliver();
        let now = self.time();
        self.gateways.iter_mut().for_each(|gateway| gateway.check(&self.database, now));
    }

    fn disturb(&mut self) {
        let (hub, own) = (self.dice.roll(self.hubs.len()), self.dice.roll(self.gateways.len()));
        let (log, now) = (LogName::ALL[self.dice.roll(2)], self.time());
        match self.dice.roll(100) {
            0..40 => self.database.commit(&mut self.dice, now),
            40..43 => self.gateways[own].crash(),
            43..46 => self.hubs[hub].crash(),
            46..50 => self.database.trim(log, hub::KEEP + self.dice.roll(hub::KEEP)),
            50..52 => self.database.back_up(),
            52 => self.restore(),
            53..55 => self.gateways[own].forget_expired(now),
            55 => self.gateways[own].check_content(&self.database, &mut self.dice, now),
            56..59 => {
                let seen = self.gateways[own].cursor(log).applied().clone();
                self.ask_for_snapshot(own, log, seen);
            }
            59 if self.is_harsh => self.hubs[hub] = Hub::default(),
            60 if self.is_harsh => self.gateways[own].lose_a_row(&mut self.dice),
            _ => {}
        }
    }

    /// As a rule the hubs have read everything before the database is taken away, which takes far longer than that. If one
    /// has not, nobody may notice that numbers have got another meaning, and only the comparison of contents helps.
    fn restore(&mut self) {
        for hub in self.hubs.iter_mut().filter(|_| !self.is_harsh) {
            for log in LogName::ALL {
                while !hub.is_level(log, &self.database) {
                    hub.tail(log, &mut self.database);
                }
            }
        }
        self.database.restore();
    }

    /// Asks when nothing is asked already, or the answer takes too long.
    fn ask(&mut self, own: usize, log: LogName) {
        let gateway = &mut self.gateways[own];
        if self.now < gateway.patience[index(log)] {
            return;
        }
        gateway.patience[index(log)] = self.now + PATIENCE;
        match gateway.cursor(log).next() {
            Next::Snapshot => self.ask_for_snapshot(own, log, Position::default()),
            Next::Fetch(asked) => self.send(own, log, Body::Fetch { asked }),
        }
    }

    /// One at a time: what comes for the other log is as good.
    fn ask_for_snapshot(&mut self, own: usize, log: LogName, seen: Position) {
        if self.now >= self.gateways[own].snapshot_patience {
            self.gateways[own].snapshot_patience = self.now + PATIENCE;
            self.send(own, log, Body::AskSnapshot { seen });
        }
    }

    /// Puts a message on its way: lost, once or twice, and sooner or later.
    fn send(&mut self, gateway: usize, log: LogName, body: Body) {
        let life = self.gateways[gateway].life;
        let copies = match self.dice.roll(100) {
            _ if self.is_calm => 1,
            0..15 => 0,
            15..30 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let due = self.now + 1 + self.dice.roll(if self.is_calm { 2 } else { DELAY });
            self.network.push(Message { due, gateway, life, log, body: body.clone() });
        }
    }

    fn deliver(&mut self) {
        let (due, waiting) = std::mem::take(&mut self.network).into_iter().partition(|message| message.due <= self.now);
        self.network = waiting;
        let mut due: Vec<Message> = due;
        self.dice.shuffle(&mut due);
        for message in due {
            if self.gateways[message.gateway].life == message.life {
                self.receive(message);
            }
        }
    }

    fn receive(&mut self, message: Message) {
        let Message { gateway: own, log, body, .. } = message;
        match body {
            Body::Fetch { asked } => {
                // Any hub will do.
                let hub = self.dice.roll(self.hubs.len());
                let mut fetched = self.hubs[hub].fetch(log, &asked, &mut self.database, &mut self.dice);
                self.garble(&mut fetched);
                self.send(own, log, Body::Answer { asked, fetched });
            }
            Body::Answer { asked, fetched } => {
                self.gateways[own].patience[index(log)] = 0;
                match self.gateways[own].cursor(log).take(&asked, fetched) {
                    Taken::Apply(entries) => {
                        self.gateways[own].patience[index(log)] = self.now + PATIENCE;
                        self.send(own, log, Body::Documents { log_id: asked.log_id, entries });
                    }
                    Taken::Snapshot => self.ask_for_snapshot(own, log, asked),
                    Taken::Nothing | Taken::Gap => {}
                }
            }
            Body::Documents { log_id, entries } => {
                self.gateways[own].patience[index(log)] = 0;
                self.gateways[own].apply(log, &log_id, entries, &mut self.dice);
            }
            Body::AskSnapshot { seen } => {
                if *self.gateways[own].cursor(log).applied() == seen {
                    let snapshot = Box::new(self.database.snapshot(&mut self.dice));
                    let lineages = self.database.everything();
                    self.send(own, log, Body::Snapshot { snapshot, lineages });
                }
            }
            Body::Snapshot { snapshot, lineages } => {
                self.gateways[own].snapshot_patience = 0;
                self.gateways[own].patience[index(log)] = 0;
                self.gateways[own].install(log, &snapshot, lineages, &mut self.dice);
            }
            Body::Pulse { told } => {
                let kinds = self.gateways[own].differences(&told);
                let is_right = self.is_harsh || self.database.is_ambiguous(&told);
                assert!(kinds.is_empty() || is_right, "a false alarm about {kinds:?}");
                if !kinds.is_empty() {
                    let snapshot = Box::new(self.database.snapshot(&mut self.dice));
                    let lineages = self.database.everything();
                    self.send(own, log, Body::Mending { kinds, snapshot, lineages });
                }
            }
            Body::Mending { kinds, snapshot, lineages } => {
                self.gateways[own].mend(&kinds, &snapshot, lineages, &mut self.dice);
            }
        }
    }

    /// Loss, repetition and disorder inside an answer.
    fn garble(&mut self, fetched: &mut Fetched) {
        let Fetched::Entries { entries, .. } = fetched else { return };
        if self.is_calm || entries.is_empty() {
            return;
        }
        if self.dice.is(15) {
            entries.remove(self.dice.roll(entries.len()));
        }
        if self.dice.is(15) && !entries.is_empty() {
            entries.push(entries[self.dice.roll(entries.len())].clone());
        }
        if self.dice.is(15) {
            self.dice.shuffle(entries);
        }
    }

    /// Everything that was committed has come everywhere, and is acknowledged.
    pub fn is_at_rest(&mut self) -> bool {
        let now = self.time();
        let is_equal = |gateway: &Gateway| gateway.is_equal(&self.database, &mut self.dice, now);
        if !self.gateways.iter().all(is_equal) {
            return false;
        }
        let acks = &self.database.acks;
        self.gateways.iter().enumerate().all(|(own, gateway)| {
            let is_told = |id| gateway.served(id).is_none_or(|served| acks.get(&(own, id)) == Some(&Some(served)));
            crate::database::api_ids().all(is_told)
        })
    }
}

impl World {
    /// The contents are those of the positions.
    pub fn check_content(&mut self) {
        let now = self.time();
        self.gateways.iter().for_each(|gateway| gateway.check_content(&self.database, &mut self.dice, now));
    }
}
