//! The nodes and the ledger, driven by the dice.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::contract::lease_ledger::{NodeRow, Picture, SlotRow};
use domain::throttling::{Shape, Slot, TimeUnit, WindowKind};
use domain::{Timestamp, Zone};

use super::network::{Dice, Message, Network};
use crate::leases::{Bucket, Sizing, Step, needs_look};
use crate::slots::{RENEWAL, Slots, Standing};
use crate::window::Timeline;

const NAMES: [&str; 3] = ["a", "b", "c"];
const GATEWAYS: usize = 2;
/// Keys, each in a slot of its own.
const KEYS: usize = 4;
/// As gateways do: a lease ends by this part before its window.
const DRIFT_PART: u32 = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    None,
    All,
}

/// A right to call, as its gateway holds it.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    key: usize,
    window: i64,
    epoch: u64,
    units: u64,
    end_in: Duration,
    /// When the window ends, in true time: nobody in the world knows it.
    ends: Duration,
}

/// What survives everything.
struct Ledger {
    ownership: Picture,
    reserved: HashMap<(usize, i64), u64>,
    is_away: bool,
}

impl Ledger {
    /// As the ledger does it.
    fn open_since(&self, key: usize, shape: Shape, at: Timestamp) -> Option<Timestamp> {
        let starts =
            self.reserved.keys().filter(|(own, _)| *own == key).map(|(_, start)| Timestamp::from_millis(*start));
        starts.filter(|start| shape.window(*start).end > at).max()
    }

    /// Whether a window that starts so has a part in common with another one of the key.
    fn overlaps(&self, key: usize, shape: Shape, start: i64) -> bool {
        let length = shape.nominal_ms() as i64;
        let mut others = self.reserved.keys().filter(|(own, other)| *own == key && *other != start);
        others.any(|(_, other)| (start - other).abs() < length)
    }
}

struct Owner {
    rate: f64,
    timeline: Timeline,
    slots: Slots,
    buckets: HashMap<usize, Bucket>,
    last_ids: [u64; GATEWAYS],
    ticks_at: Instant,
    is_up_at: Duration,
}

#[derive(Default)]
struct Cell {
    held: Option<(Held, Instant)>,
    asked: Option<(u64, Instant)>,
    route: usize,
}

struct Gateway {
    rate: f64,
    cells: [Cell; KEYS],
    next_id: u64,
}

pub struct World {
    dice: Dice,
    has_faults: bool,
    start: Instant,
    /// True time since the start.
    time: Duration,
    /// Wall time at the start; jumps as clocks do.
    wall: Timestamp,
    ledger: Ledger,
    network: Network,
    owners: Vec<Owner>,
    gateways: Vec<Gateway>,
    admitted: HashMap<(usize, i64), u64>,
    wishes: HashMap<(usize, i64), u64>,
    /// When somebody called with which key, while nothing fails.
    calls: Vec<(usize, i64)>,
    limit: u64,
    sizing: Sizing,
    shape: Shape,
    moves: u64,
    wrong: Option<String>,
}

impl World {
    pub fn new(seed: u64, faults: Faults, kind: WindowKind) -> Self {
        let mut dice = Dice::new(seed);
        let (start, has_faults) = (Instant::now(), faults == Faults::All);
        let wall = Timestamp::from_millis(1_000_000 + dice.below(5_000) as i64);
        let row = |number| SlotRow { slot: Slot::numbered(number).unwrap(), owner: String::new(), epoch: 0 };
        let ownership = Picture { nodes: Vec::new(), slots: (0..KEYS).map(row).collect() };
        let sizing = Sizing {
            block_units_whole: dice.below(20),
            blocks_per_window: 1 + dice.below(6),
            blocks_per_second: 1 + dice.below(6),
            lease_share: 1 + dice.below(4),
            keys: KEYS as u64,
        };
        let limit = if has_faults { dice.below(30) } else { 1 + dice.below(8) };
        let unit_time = if has_faults { 1 + dice.below(3) as u32 } else { 4 };
        let shape = Shape::new(unit_time, TimeUnit::Sec, kind, Zone::UTC);
        let mut rate = || if has_faults { 0.985 + dice.below(31) as f64 / 1_000.0 } else { 1.0 };
        let gateways = (0..GATEWAYS).map(|_| Gateway { rate: rate(), cells: Default::default(), next_id: 0 }).collect();
        let owner = |(name, rate): (&&str, f64)| Owner {
            rate,
            timeline: Timeline::new(wall, start),
            slots: Slots::new((*name).to_owned()),
            buckets: HashMap::new(),
            last_ids: [0; GATEWAYS],
            ticks_at: start,
            is_up_at: Duration::ZERO,
        };
        let owners = NAMES.iter().zip([rate(), rate(), rate()]).map(owner).collect();
        Self {
            dice,
            has_faults,
            start,
            time: Duration::ZERO,
            wall,
            ledger: Ledger { ownership, reserved: HashMap::new(), is_away: false },
            network: Network::default(),
            owners,
            gateways,
            admitted: HashMap::new(),
            wishes: HashMap::new(),
            calls: Vec::new(),
            limit,
            sizing,
            shape,
            moves: 0,
            wrong: None,
        }
    }

    pub fn step(&mut self) {
        self.time += Duration::from_micros(self.dice.below(60_000));
        for who in 0..self.owners.len() {
            if self.is_up(who) && self.owner_now(who) >= self.owners[who].ticks_at {
                self.renew(who);
            }
        }
        for _ in 0..3 {
            if let Some(message) = self.network.arrive(&mut self.dice, self.has_faults) {
                self.receive(message);
            }
        }
        match self.dice.below(60) {
            0 | 1 if self.has_faults => self.crash_owner(),
            2 if self.has_faults => self.crash_gateway(),
            3 if self.has_faults => self.set_clock(),
            4 if self.has_faults => self.ledger.is_away = true,
            5..=9 => self.ledger.is_away = false,
            10..=12 => self.give_back(),
            _ => self.call(),
        }
    }

    /// What went wrong, if anything did.
    pub fn check(&self) -> Result<(), String> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    pub fn admitted(&self) -> u64 {
        self.admitted.values().sum()
    }

    pub fn full_windows(&self) -> usize {
        self.admitted.values().filter(|count| **count == self.limit).count()
    }

    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Whole windows in which there were many more calls than the limit: window, admitted calls and the limit.
    pub fn windows_under_demand(&self) -> Vec<(i64, u64, u64)> {
        let end = self.wall.plus(self.time).as_millis();
        let settled = self.wall.as_millis() + 4_000;
        let length = self.shape.nominal_ms() as i64;
        let whole = |((_, window), wishes): &((usize, i64), u64)| {
            *window > settled && window + length < end && *wishes >= 3 * self.limit + 12
        };
        let found = self.wishes_by_window().into_iter().filter(whole);
        found.map(|(window, _)| (window.1, self.admitted.get(&window).copied().unwrap_or(0), self.limit)).collect()
    }

    /// Calls by key and window. Windows that open with calls are those that owners have written down.
    fn wishes_by_window(&self) -> HashMap<(usize, i64), u64> {
        if !self.shape.opens_with_a_call() {
            return self.wishes.clone();
        }
        let count = |&(key, start): &(usize, i64)| {
            let window = self.shape.window(Timestamp::from_millis(start));
            let is_in = |(own, at): &&(usize, i64)| *own == key && window.contains(Timestamp::from_millis(*at));
            ((key, start), self.calls.iter().filter(is_in).count() as u64)
        };
        self.ledger.reserved.keys().map(count).collect()
    }

    fn is_up(&self, who: usize) -> bool {
        self.time >= self.owners[who].is_up_at
    }

    fn owner_now(&self, who: usize) -> Instant {
        self.start + self.time.mul_f64(self.owners[who].rate)
    }

    fn gateway_now(&self, who: usize) -> Instant {
        self.start + self.time.mul_f64(self.gateways[who].rate)
    }

    fn fresh_timeline(&self, who: usize) -> Timeline {
        Timeline::new(self.wall.plus(self.time), self.owner_now(who))
    }

    /// Kill -9; the next life begins some time later.
    fn crash_owner(&mut self) {
        let who = self.dice.below(NAMES.len() as u64) as usize;
        let is_up_at = self.time + Duration::from_millis(self.dice.below(4_000));
        let timeline = self.fresh_timeline(who);
        let owner = &mut self.owners[who];
        owner.slots = Slots::new(NAMES[who].to_owned());
        (owner.buckets, owner.last_ids) = (HashMap::new(), [0; GATEWAYS]);
        (owner.timeline, owner.is_up_at) = (timeline, is_up_at);
    }

    fn crash_gateway(&mut self) {
        let who = self.dice.below(GATEWAYS as u64) as usize;
        self.gateways[who].cells = Default::default();
    }

    fn set_clock(&mut self) {
        let who = self.dice.below(NAMES.len() as u64) as usize;
        let jump = self.dice.below(3_000) as i64 - 1_500;
        self.wall = Timestamp::from_millis(self.wall.as_millis() + jump);
        let (wall, now) = (self.wall.plus(self.time), self.owner_now(who));
        self.owners[who].timeline.resync(wall, now);
    }

    /// As the owner's shell does it.
    fn renew(&mut self, who: usize) {
        let now = self.owner_now(who);
        self.owners[who].ticks_at = now + RENEWAL;
        if self.ledger.is_away {
            return;
        }
        match self.ledger.ownership.nodes.iter_mut().find(|row| row.node == NAMES[who]) {
            Some(row) => row.renewals += 1,
            None => self.ledger.ownership.nodes.push(NodeRow { node: NAMES[who].to_owned(), renewals: 1 }),
        }
        if self.has_faults && self.dice.one_in(20) {
            return;
        }
        self.owners[who].slots.learn(now, now, self.ledger.ownership.clone());
        let moves = self.owners[who].slots.moves(now);
        for (to, rows) in moves.hand_over {
            self.owners[who].slots.let_go(&rows);
            for row in &rows {
                let key = row.slot.number();
                let Some(bucket) = self.owners[who].buckets.remove(&key) else { continue };
                if let Some(reserved) = self.ledger.reserved.get_mut(&(key, bucket.window_id())) {
                    *reserved -= bucket.free();
                }
            }
            self.assign(who, &to, rows);
        }
        self.assign(who, NAMES[who], moves.claim);
        self.ledger.ownership.nodes.retain(|row| !moves.bury.contains(row));
    }

    fn assign(&mut self, who: usize, owner: &str, seen: Vec<SlotRow>) {
        let mut changed = Vec::new();
        for row in seen {
            let own = &mut self.ledger.ownership.slots[row.slot.number()];
            if *own == row {
                *own = SlotRow { owner: owner.to_owned(), epoch: row.epoch + 1, slot: row.slot };
                changed.push(own.clone());
            }
        }
        self.moves += changed.len() as u64;
        if !(self.has_faults && self.dice.one_in(10)) {
            self.owners[who].slots.assigned(changed);
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Lease { from, to, id } if self.is_new(from, to, id) => {
                let key = (id % KEYS as u64) as usize;
                let answer = match self.lease(to, key) {
                    Ok(held) => Message::Granted { to: from, id, held },
                    Err(owner) => Message::Refused { to: from, id, owner },
                };
                self.network.send(answer);
            }
            Message::GiveBack { from, to, id, window, epoch, units } if self.is_new(from, to, id) => {
                let (now, key) = (self.owner_now(to), (id % KEYS as u64) as usize);
                if let Some(bucket) = self.owners[to].buckets.get_mut(&key) {
                    bucket.give_back(now, window, epoch, units);
                }
            }
            Message::Lease { .. } | Message::GiveBack { .. } => {}
            Message::Granted { to, id, held } => {
                let received = self.gateway_now(to);
                let cell = &mut self.gateways[to].cells[held.key];
                let Some((_, sent)) = cell.asked.take_if(|(asked, _)| *asked == id) else { return };
                let until = sent + held.end_in.saturating_sub(held.end_in / DRIFT_PART);
                if received < until {
                    cell.held = Some((held, until));
                }
            }
            Message::Refused { to, id, owner } => {
                let cell = &mut self.gateways[to].cells[(id % KEYS as u64) as usize];
                if cell.asked.take_if(|(asked, _)| *asked == id).is_some() {
                    cell.route = owner.unwrap_or((cell.route + 1) % NAMES.len());
                }
            }
        }
    }

    /// Whether the owner is there and has not had a later question on this connection.
    fn is_new(&mut self, from: usize, to: usize, id: u64) -> bool {
        let is_new = self.is_up(to) && id > self.owners[to].last_ids[from];
        if is_new {
            self.owners[to].last_ids[from] = id;
        }
        is_new
    }

    /// As the owner's shell does it. Refused with the owner, if it is known to be another one.
    fn lease(&mut self, who: usize, key: usize) -> Result<Held, Option<usize>> {
        let (now, slot) = (self.owner_now(who), Slot::numbered(key).unwrap());
        let wish = 1 + self.dice.below(8);
        let owner = &mut self.owners[who];
        let epoch = match owner.slots.standing(slot, now) {
            Standing::Held(epoch) => epoch,
            Standing::Elsewhere(name) => return Err(NAMES.iter().position(|known| *known == name)),
            Standing::Unsettled => return Err(None),
        };
        let shape = self.shape;
        let mut bucket = match owner.buckets.remove(&key) {
            Some(bucket) if bucket.is_current(now, shape, epoch) => bucket,
            before if needs_look(before.as_ref(), shape, epoch) && self.ledger.is_away => return Err(Some(who)),
            before => {
                let open_since = self.ledger.open_since(key, shape, owner.timeline.at(now));
                let open_since = open_since.filter(|_| needs_look(before.as_ref(), shape, epoch));
                Bucket::open(&owner.timeline, now, shape, epoch, before.as_ref(), open_since)
            }
        };
        let window = bucket.window_id();
        let mut step = bucket.take(self.limit, wish, &self.sizing);
        if let Step::Reserve(units) = step {
            let row = &self.ledger.ownership.slots[key];
            if !self.ledger.is_away && row.epoch != epoch {
                owner.slots.fenced(slot, epoch);
            } else if !self.ledger.is_away {
                if self.ledger.overlaps(key, shape, bucket.window_id()) {
                    self.wrong = Some(format!("window {window} of key {key} opens before another one has ended"));
                }
                let reserved = self.ledger.reserved.entry((key, window)).or_default();
                let got = units.min(self.limit.saturating_sub(*reserved));
                *reserved += got;
                // The ledger's answer may be lost: the owner does not know what it got.
                if !(self.has_faults && self.dice.one_in(10)) {
                    bucket.add(self.limit, units, got);
                    step = bucket.take(self.limit, wish, &self.sizing);
                }
            }
        }
        let end_in = bucket.ends_in(now);
        let ends = self.time + end_in.div_f64(owner.rate);
        owner.buckets.insert(key, bucket);
        match step {
            Step::Grant(units) => Ok(Held { key, window, epoch, units, end_in, ends }),
            Step::Reserve(_) | Step::Exhausted => Err(Some(who)),
        }
    }

    /// Somebody calls: with what is held here, else the owner is asked.
    fn call(&mut self) {
        let who = self.dice.below(GATEWAYS as u64) as usize;
        let key = self.dice.below(if self.has_faults { KEYS as u64 } else { 1 }) as usize;
        let now = self.gateway_now(who);
        let wall = self.wall.plus(self.time);
        let here = self.shape.window(wall).start.as_millis();
        *self.wishes.entry((key, here)).or_default() += 1;
        if !self.has_faults {
            self.calls.push((key, wall.as_millis()));
        }
        let gateway = &mut self.gateways[who];
        let cell = &mut gateway.cells[key];
        if let Some((held, _)) = cell.held.as_mut().filter(|(held, until)| held.units > 0 && now < *until) {
            held.units -= 1;
            let (window, ends) = (held.window, held.ends);
            self.spend(key, window, ends);
            return;
        }
        if let Some((held, _)) = cell.held.take().filter(|(held, _)| held.units > 0) {
            let id = next_id(&mut gateway.next_id, key);
            let (to, Held { window, epoch, units, .. }) = (cell.route, held);
            self.network.send(Message::GiveBack { from: who, to, id, window, epoch, units });
        }
        let cell = &mut gateway.cells[key];
        let is_waiting = cell.asked.is_some_and(|(_, sent)| now < sent + Duration::from_millis(400));
        if !is_waiting {
            if cell.asked.take().is_some() {
                cell.route = (cell.route + 1) % NAMES.len();
            }
            let id = next_id(&mut gateway.next_id, key);
            cell.asked = Some((id, now));
            self.network.send(Message::Lease { from: who, to: cell.route, id });
        }
    }

    fn spend(&mut self, key: usize, window: i64, ends: Duration) {
        let count = self.admitted.entry((key, window)).or_default();
        *count += 1;
        if *count > self.limit {
            self.wrong = Some(format!("window {window} of key {key} admitted {count} of {}", self.limit));
        }
        if self.time >= ends {
            self.wrong = Some(format!("a call in window {window} of key {key} after its end"));
        }
    }

    /// Some gateway returns what it holds, perhaps much too late, perhaps to the wrong owner, perhaps in vain.
    fn give_back(&mut self) {
        let (who, key) = (self.dice.below(GATEWAYS as u64) as usize, self.dice.below(KEYS as u64) as usize);
        let gateway = &mut self.gateways[who];
        let cell = &mut gateway.cells[key];
        let Some((held, _)) = cell.held.take().filter(|(held, _)| held.units > 0) else { return };
        let id = next_id(&mut gateway.next_id, key);
        let (to, Held { window, epoch, units, .. }) = (cell.route, held);
        self.network.send(Message::GiveBack { from: who, to, id, window, epoch, units });
    }
}

/// Ids grow, and their rest tells the key.
fn next_id(last: &mut u64, key: usize) -> u64 {
    *last = (*last / KEYS as u64 + 1) * KEYS as u64 + key as u64;
    *last
}
