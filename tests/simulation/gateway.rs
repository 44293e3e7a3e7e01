//! A gateway: its disk, its tables, its cursors, and what it has acknowledged.

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use domain::content::{self, kind};
use domain::contract::event_bus::ContentDigest;
use domain::event::{Event, LogEntry, LogName, Position};
use domain::runtime::Snapshot;
use domain::{ApiId, EventId, Timestamp};
use gateway::sync::state::{self, Cursor};
use gateway::table::EarlierRevocations;
use node_store::last_good::{Parts, order};

use crate::database::{Database, api_ids, index};
use crate::dice::Dice;
use crate::rows::Rows;

/// What survives a crash; each change of it is one transaction.
#[derive(Clone, Default)]
struct Disk {
    positions: [Position; 2],
    rows: Rows,
    /// Number of the entry or snapshot that brought what is not acknowledged.
    pending: BTreeMap<ApiId, u64>,
    /// Ids of the entries whose effects are here, for the checks.
    lineages: [Vec<EventId>; 2],
}

pub struct Gateway {
    /// Counts the processes; answers to an earlier one go nowhere.
    pub life: usize,
    disk: Disk,
    tables: Rows,
    cursors: [Cursor; 2],
    /// Until when an answer is waited for.
    pub patience: [usize; 2],
    pub snapshot_patience: usize,
    /// Not taken by a hub yet: by API, the number that brought it and the artifact that is served.
    waiting: BTreeMap<ApiId, (u64, Option<String>)>,
    /// The farthest that anybody was told, by log id.
    acknowledged: BTreeMap<String, u64>,
    /// Revocations that took effect, with the log id that brought them.
    in_effect: (String, BTreeMap<String, Timestamp>),
    is_changed: bool,
    /// Rows were lost: what is on disk may be wrong until it is mended.
    is_damaged: bool,
}

/// Where a process may die.
const CRASH_PERCENT: usize = 4;

impl Gateway {
    pub fn new() -> Self {
        let cursor = || Cursor::new(Position::default());
        Self {
            life: 0,
            disk: Disk::default(),
            tables: Rows::default(),
            cursors: [cursor(), cursor()],
            patience: [0; 2],
            snapshot_patience: 0,
            waiting: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            in_effect: Default::default(),
            is_changed: true,
            is_damaged: false,
        }
    }

    pub fn cursor(&mut self, log: LogName) -> &mut Cursor {
        &mut self.cursors[index(log)]
    }

    /// The process starts anew from its disk.
    pub fn crash(&mut self) {
        self.life += 1;
        self.patience = [0; 2];
        self.snapshot_patience = 0;
        self.cursors = self.disk.positions.clone().map(Cursor::new);
        self.tables = self.disk.rows.clone();
        self.waiting =
            self.disk.pending.iter().map(|(id, number)| (*id, (*number, self.tables.revision(*id)))).collect();
        // What was never persisted is told again.
        self.in_effect.1.clear();
        self.is_changed = true;
    }

    /// Takes in what [`Cursor::take`] gave, once its documents are there.
    pub fn apply(&mut self, log: LogName, log_id: &str, entries: Vec<LogEntry>, dice: &mut Dice) {
        let entries = self.cursor(log).still_next(log_id, entries);
        let Some(last) = entries.last().map(|entry| entry.number) else { return };
        self.is_changed = true;
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        if dice.is(10) {
            // The disk is full.
            if log == LogName::Revocation {
                entries.iter().for_each(|entry| self.tables.apply(&entry.event));
            }
            return;
        }
        if !self.persist(log, log_id, &entries, last) {
            return self.cursor(log).install(Position::default());
        }
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        entries.iter().for_each(|entry| self.tables.apply(&entry.event));
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        self.cursor(log).advance(last);
        self.report(entries.iter().filter_map(|entry| Some((api_of(&entry.event)?, entry.number))));
    }

    fn persist(&mut self, log: LogName, log_id: &str, entries: &[LogEntry], last: u64) -> bool {
        let offered = Position { log_id: log_id.to_owned(), number: last };
        let disk = &mut self.disk;
        if !order::follows(&disk.positions[index(log)], &offered) {
            return false;
        }
        disk.positions[index(log)] = offered;
        for entry in entries {
            disk.rows.apply(&entry.event);
            disk.lineages[index(log)].push(entry.event_id);
            disk.pending.extend(api_of(&entry.event).map(|api_id| (api_id, entry.number)));
        }
        true
    }

    /// Installs what of the snapshot is newer.
    pub fn install(&mut self, wanted: LogName, snapshot: &Snapshot, lineages: [Vec<EventId>; 2], dice: &mut Dice) {
        let [control, revocation] = &self.cursors;
        let Some(parts) = state::parts(wanted, control, revocation, snapshot) else { return };
        let earlier = revocation.earlier_revocations(&snapshot.revocation);
        self.is_changed = true;
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        let pending = self.persist_snapshot(snapshot, parts, lineages);
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        let before = std::mem::replace(&mut self.tables, self.disk.rows.clone());
        if earlier == EarlierRevocations::Keep {
            self.tables.absorb(&before);
        }
        if parts.control {
            self.cursor(LogName::Control).install(snapshot.control.clone());
        }
        if parts.revocation {
            self.cursor(LogName::Revocation).install(snapshot.revocation.clone());
        }
        self.report(pending.into_iter());
    }

    /// Kinds in which the disk differs from what a hub tells.
    pub fn differences(&self, told: &ContentDigest) -> BTreeSet<String> {
        let [control, revocation] = self.disk.positions.clone();
        let own = Snapshot { control, revocation, ..self.disk.rows.snapshot() };
        content::differences(&own, told).unwrap().unwrap_or_default()
    }

    /// Installs what of the snapshot mends the kinds.
    pub fn mend(
        &mut self,
        kinds: &BTreeSet<String>,
        snapshot: &Snapshot,
        lineages: [Vec<EventId>; 2],
        dice: &mut Dice,
    ) {
        let [control, revocation] = &self.cursors;
        let Some((parts, kinds)) = state::mending(control, revocation, snapshot, kinds) else { return };
        let is_revocation = kinds.contains(kind::REVOCATION);
        let earlier = match is_revocation {
            true => EarlierRevocations::Drop,
            false => revocation.earlier_revocations(&snapshot.revocation),
        };
        self.is_changed = true;
        let is_control = parts.control || kinds.iter().any(|name| name != kind::REVOCATION);
        // The position of a log that is mended stays, what led to it is the snapshot's.
        let covered = Parts { control: is_control, revocation: parts.revocation || is_revocation };
        let deployed = |rows: &Rows| api_ids().filter(|id| rows.revision(*id).is_some()).collect::<Vec<_>>();
        let (old, number) = (deployed(&self.disk.rows), snapshot.control.number);
        self.persist_snapshot(snapshot, parts, lineages.clone());
        self.disk.rows.mend(snapshot, &kinds);
        for (own, is_covered) in [covered.control, covered.revocation].into_iter().enumerate() {
            if is_covered {
                self.disk.lineages[own].clone_from(&lineages[own]);
            }
        }
        if kinds.contains(kind::DEPLOYMENT) {
            let of_both = old.into_iter().chain(deployed(&self.disk.rows));
            self.disk.pending.extend(of_both.map(|id| (id, number)));
        }
        if dice.is(CRASH_PERCENT) {
            return self.crash();
        }
        let before = std::mem::replace(&mut self.tables, self.disk.rows.clone());
        match earlier {
            EarlierRevocations::Keep => self.tables.absorb(&before),
            EarlierRevocations::Drop => self.in_effect.1.clear(),
        }
        if parts.control {
            self.cursor(LogName::Control).install(snapshot.control.clone());
        }
        if parts.revocation {
            self.cursor(LogName::Revocation).install(snapshot.revocation.clone());
        }
        let pending: Vec<_> = self.disk.pending.iter().map(|(id, number)| (*id, *number)).collect();
        self.report(pending.into_iter());
    }

    /// One row of the disk goes, without anybody noticing.
    pub fn lose_a_row(&mut self, dice: &mut Dice) {
        self.is_damaged = true;
        self.disk.rows.lose_one(dice.roll(20));
    }

    fn persist_snapshot(
        &mut self,
        snapshot: &Snapshot,
        parts: Parts,
        lineages: [Vec<EventId>; 2],
    ) -> Vec<(ApiId, u64)> {
        let disk = &mut self.disk;
        let mut pending = Vec::new();
        if parts.control {
            let number = snapshot.control.number;
            let deployed = |rows: &Rows| api_ids().filter(|id| rows.revision(*id).is_some()).collect::<Vec<_>>();
            let old = deployed(&disk.rows);
            disk.pending.retain(|_, pending| *pending <= number);
            let new = snapshot.deployments.iter().map(|deployment| deployment.api_id);
            pending = old.into_iter().chain(new).map(|id| (id, number)).collect();
            disk.pending.extend(pending.iter().copied());
            pending = disk.pending.iter().map(|(id, number)| (*id, *number)).collect();
        }
        disk.rows.install(snapshot, parts);
        let [control, revocation] = lineages;
        let of_log =
            [(parts.control, &snapshot.control, control), (parts.revocation, &snapshot.revocation, revocation)];
        for (own, (is_meant, position, lineage)) in of_log.into_iter().enumerate() {
            if is_meant {
                disk.positions[own] = position.clone();
                disk.lineages[own] = lineage;
            }
        }
        pending
    }

    fn report(&mut self, changed: impl Iterator<Item = (ApiId, u64)>) {
        for (api_id, number) in changed {
            self.waiting.insert(api_id, (number, self.tables.revision(api_id)));
        }
        for cursor in &self.cursors {
            let Position { log_id, number } = cursor.applied().clone();
            let before = self.acknowledged.insert(log_id, number).unwrap_or(0);
            assert!(number >= before, "went back behind what was acknowledged");
        }
    }

    /// Sends the acknowledgements to a hub, which may or may not get them, and may or may not get its answer through.
    pub fn acknowledge(&mut self, own: usize, database: &mut Database, dice: &mut Dice) {
        let waiting: Vec<_> =
            self.waiting.iter().map(|(id, (number, served))| (*id, *number, served.clone())).collect();
        if waiting.is_empty() || dice.is(20) {
            return;
        }
        for (api_id, number, served) in waiting {
            database.acks.insert((own, api_id), served);
            if dice.is(80) {
                self.waiting.remove(&api_id);
                self.disk.pending.remove_if_not_newer(api_id, number);
            }
        }
    }

    pub fn forget_expired(&mut self, now: Timestamp) {
        self.is_changed = true;
        self.tables.forget_expired(now);
        self.disk.rows.forget_expired(now);
    }

    pub fn served(&self, api_id: ApiId) -> Option<String> {
        self.tables.revision(api_id)
    }
}

trait RemoveIfNotNewer {
    fn remove_if_not_newer(&mut self, api_id: ApiId, number: u64);
}

impl RemoveIfNotNewer for BTreeMap<ApiId, u64> {
    fn remove_if_not_newer(&mut self, api_id: ApiId, number: u64) {
        if self.get(&api_id).is_some_and(|own| *own <= number) {
            self.remove(&api_id);
        }
    }
}

fn api_of(event: &Event) -> Option<ApiId> {
    match event {
        Event::ApiDeployed { deployment, .. } => Some(deployment.api_id),
        Event::ApiUndeployed { api_id, .. } => Some(*api_id),
        _ => None,
    }
}
