//! Who owns which slot, as one traffic manager sees it. Pure: time and what the ledger says come in, what to do comes out.
//!
//! Wall clocks have no part in it. A node is dead for an observer when its row did not change for [`TIME_TO_LIVE`] on
//! the observer's monotonic clock; an owner stops granting [`HOLD`] after the moment before it asked for its last renewal,
//! on its own, which is earlier. Slots are shared out evenly among the living: every node finds the same moves from the same
//! rows, claims what falls to it from the dead, and hands over what falls to others from itself.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use domain::contract::lease_ledger::{NodeRow, Picture, SlotRow};
use domain::throttling::Slot;

/// Time between two renewals.
pub const RENEWAL: Duration = Duration::from_millis(400);

/// A node whose row did not change for this long is dead.
pub const TIME_TO_LIVE: Duration = Duration::from_millis(2_000);

/// An owner grants for this long after a renewal; the rest of [`TIME_TO_LIVE`] is for clocks that run at different rates.
pub const HOLD: Duration = Duration::from_millis(1_500);

/// What a node may do about a slot at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Grant under this epoch.
    Held(u64),
    /// Nothing; this living node owns it.
    Elsewhere(String),
    /// Nothing yet: nobody owns it for certain.
    Unsettled,
}

/// What to ask of the ledger next.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Rows to make this node's own.
    pub claim: Vec<SlotRow>,
    /// Rows to make another's, by the node that gets them. They must be let go of first, see [`Slots::let_go`].
    pub hand_over: BTreeMap<String, Vec<SlotRow>>,
    /// Nodes to forget.
    pub bury: Vec<NodeRow>,
}

/// What is known of another node.
#[derive(Debug)]
struct Seen {
    renewals: u64,
    changed_at: Instant,
}

#[derive(Debug)]
struct Own {
    row: SlotRow,
    /// The epoch under which this node grants; it may be behind the row's.
    held: Option<u64>,
}

/// One node's view.
#[derive(Debug)]
pub struct Slots {
    node: String,
    slots: Vec<Own>,
    seen: HashMap<String, Seen>,
    /// The moment before the last renewal was asked for.
    renewed_at: Option<Instant>,
}

impl Slots {
    /// The view of a node that has just started: nothing is known and nothing held.
    #[must_use]
    pub fn new(node: String) -> Self {
        Self { node, slots: Vec::new(), seen: HashMap::new(), renewed_at: None }
    }

    #[must_use]
    pub fn standing(&self, slot: Slot, now: Instant) -> Standing {
        let (Some(own), Some(renewed_at)) = (self.slots.get(slot.number()), self.renewed_at) else {
            return Standing::Unsettled;
        };
        let is_fresh = now.saturating_duration_since(renewed_at) < HOLD;
        if let Some(epoch) = own.held.filter(|_| is_fresh) {
            return Standing::Held(epoch);
        }
        let owner = &own.row.owner;
        if is_fresh && *owner != self.node && self.lives(owner, now) {
            return Standing::Elsewhere(owner.clone());
        }
        Standing::Unsettled
    }

    /// Number of slots that this node holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.slots.iter().filter(|own| own.held.is_some()).count()
    }

    /// Takes in what a renewal found that was asked for after `sent` and answered at `now`.
    pub fn learn(&mut self, sent: Instant, now: Instant, picture: Picture) {
        self.renewed_at = Some(sent);
        let mut before = std::mem::take(&mut self.seen);
        for NodeRow { node, renewals } in picture.nodes {
            let known = before.remove(&node).filter(|seen| seen.renewals == renewals);
            self.seen.insert(node, known.unwrap_or(Seen { renewals, changed_at: now }));
        }
        let held = |row: &SlotRow| self.slots.get(row.slot.number()).and_then(|own| own.held);
        let known = |row: SlotRow| {
            let held = held(&row).filter(|epoch| row.owner == self.node && row.epoch == *epoch);
            Own { row, held }
        };
        self.slots = picture.slots.into_iter().map(known).collect();
    }

    /// What is to be done now.
    #[must_use]
    pub fn moves(&self, now: Instant) -> Moves {
        let mut moves = Moves::default();
        let is_dead = |node: &&String| **node != self.node && !self.lives(node, now);
        for node in self.seen.keys().filter(is_dead) {
            let renewals = self.seen.get(node).map_or(0, |seen| seen.renewals);
            moves.bury.push(NodeRow { node: node.clone(), renewals });
        }
        // Its own by the rows, but of an earlier life, or handed over: claimed, so that it has an epoch of its own.
        let unclaimed = self.slots.iter().filter(|own| own.row.owner == self.node && own.held.is_none());
        moves.claim.extend(unclaimed.map(|own| own.row.clone()));
        for (row, to) in self.shared_out(now) {
            if to == self.node {
                moves.claim.extend((!self.lives(&row.owner, now)).then(|| row.clone()));
            } else if row.owner == self.node && self.is_held(row.slot) {
                moves.hand_over.entry(to.to_owned()).or_default().push(row.clone());
            }
        }
        moves
    }

    /// Rows that should have another owner, and whom. Every node finds the same from the same rows.
    fn shared_out(&self, now: Instant) -> Vec<(&SlotRow, &str)> {
        let mut owned: BTreeMap<&str, Vec<&SlotRow>> = BTreeMap::new();
        owned.insert(&self.node, Vec::new());
        owned.extend(self.seen.keys().filter(|node| self.lives(node, now)).map(|node| (node.as_str(), Vec::new())));
        let mut spare = Vec::new();
        for Own { row, .. } in &self.slots {
            match owned.get_mut(row.owner.as_str()) {
                Some(rows) => rows.push(row),
                None => spare.push(row),
            }
        }
        let (least, more) = (self.slots.len() / owned.len(), self.slots.len() % owned.len());
        let mut wanting = Vec::new();
        for (rank, (node, rows)) in owned.iter_mut().enumerate() {
            let share = least + usize::from(rank < more);
            wanting.extend(std::iter::repeat_n(*node, share.saturating_sub(rows.len())));
            spare.extend(rows.drain(share.min(rows.len())..));
        }
        spare.into_iter().zip(wanting).collect()
    }

    /// The row of a slot, once any is known.
    #[must_use]
    pub fn row(&self, slot: Slot) -> Option<&SlotRow> {
        self.slots.get(slot.number()).map(|own| &own.row)
    }

    /// Stops granting from these slots, before they are handed over.
    pub fn let_go(&mut self, rows: &[SlotRow]) {
        for row in rows {
            if let Some(own) = self.slots.get_mut(row.slot.number()) {
                own.held = None;
            }
        }
    }

    /// Takes in rows that the ledger has changed at this node's wish.
    pub fn assigned(&mut self, rows: Vec<SlotRow>) {
        for row in rows {
            if let Some(own) = self.slots.get_mut(row.slot.number()) {
                *own = Own { held: (row.owner == self.node).then_some(row.epoch), row };
            }
        }
    }

    /// The ledger refused `epoch`: somebody else owns the slot.
    pub fn fenced(&mut self, slot: Slot, epoch: u64) {
        if let Some(own) = self.slots.get_mut(slot.number())
            && own.held == Some(epoch)
        {
            own.held = None;
            // Who it is the next renewal tells.
            own.row.owner.clear();
        }
    }

    /// Forgets that anything was held or known, e.g. when the node stops.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.renewed_at = None;
    }

    fn is_held(&self, slot: Slot) -> bool {
        self.slots.get(slot.number()).is_some_and(|own| own.held.is_some())
    }

    fn lives(&self, node: &str, now: Instant) -> bool {
        if node == self.node {
            return true;
        }
        let unchanged = |seen: &Seen| now.saturating_duration_since(seen.changed_at);
        self.seen.get(node).is_some_and(|seen| unchanged(seen) < TIME_TO_LIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows in memory, changed as the ledger does.
    struct Rows(Picture);

    impl Rows {
        fn new() -> Self {
            let row = |number| SlotRow { slot: Slot::numbered(number).unwrap(), owner: String::new(), epoch: 0 };
            Self(Picture { nodes: Vec::new(), slots: (0..Slot::COUNT).map(row).collect() })
        }

        fn assign(&mut self, owner: &str, seen: &[SlotRow]) -> Vec<SlotRow> {
            let mut changed = Vec::new();
            for row in seen {
                let own = &mut self.0.slots[row.slot.number()];
                if own == row {
                    *own = SlotRow { owner: owner.to_owned(), epoch: row.epoch + 1, slot: row.slot };
                    changed.push(own.clone());
                }
            }
            changed
        }

        /// One renewal of a node, and what follows from it; whether anything moved.
        fn tick(&mut self, node: &mut Slots, now: Instant) -> bool {
            match self.0.nodes.iter_mut().find(|row| row.node == node.node) {
                Some(row) => row.renewals += 1,
                None => self.0.nodes.push(NodeRow { node: node.node.clone(), renewals: 1 }),
            }
            node.learn(now, now, self.0.clone());
            let moves = node.moves(now);
            let is_quiet = moves == Moves::default();
            for (to, rows) in moves.hand_over {
                node.let_go(&rows);
                let changed = self.assign(&to, &rows);
                node.assigned(changed);
            }
            let changed = self.assign(&node.node, &moves.claim);
            node.assigned(changed);
            self.0.nodes.retain(|row| !moves.bury.contains(row));
            !is_quiet
        }
    }

    fn node(name: &str) -> Slots {
        Slots::new(name.to_owned())
    }

    #[test]
    fn a_single_node_owns_everything_at_once() {
        let (mut rows, mut a, now) = (Rows::new(), node("a"), Instant::now());
        assert_eq!(a.standing(Slot::of("k"), now), Standing::Unsettled);
        rows.tick(&mut a, now);
        assert_eq!((a.held(), a.standing(Slot::of("k"), now)), (256, Standing::Held(1)));
        assert!(!rows.tick(&mut a, now + RENEWAL));
        let mut again = node("a");
        rows.tick(&mut again, now + RENEWAL);
        assert_eq!(
            (again.held(), again.standing(Slot::of("k"), now)),
            (256, Standing::Held(2)),
            "in its next life, too"
        );
    }

    #[test]
    fn an_owner_stops_before_others_call_it_dead() {
        let (mut rows, mut a, mut b, start) = (Rows::new(), node("a"), node("b"), Instant::now());
        rows.tick(&mut a, start);
        rows.tick(&mut b, start);
        let slot = Slot::of("k");
        assert_eq!(a.standing(slot, start + HOLD), Standing::Unsettled);
        for tick in 1..5 {
            rows.tick(&mut b, start + RENEWAL * tick);
            assert_eq!(b.standing(slot, start + RENEWAL * tick), Standing::Elsewhere("a".to_owned()));
        }
        rows.tick(&mut b, start + TIME_TO_LIVE);
        assert_eq!((b.held(), rows.0.nodes.len()), (256, 1));
    }

    #[test]
    fn newcomers_get_their_share_and_survivors_what_the_dead_had() {
        let (mut rows, start) = (Rows::new(), Instant::now());
        let mut nodes = [node("a"), node("b"), node("c"), node("d"), node("e")];
        rows.tick(&mut nodes[0], start);
        for _ in 0..3 {
            for node in &mut nodes {
                rows.tick(node, start);
            }
        }
        assert_eq!(nodes.each_ref().map(Slots::held), [52, 51, 51, 51, 51]);
        assert!(!nodes.iter_mut().any(|node| rows.tick(node, start)), "at rest");
        let mut now = start;
        for _ in 0..6 {
            now += RENEWAL;
            for node in &mut nodes[2..] {
                rows.tick(node, now);
            }
        }
        assert_eq!(nodes[2..].iter().map(Slots::held).collect::<Vec<_>>(), [86, 85, 85]);
    }

    #[test]
    fn a_slot_is_held_by_one_node_at_most_while_it_moves() {
        let (mut rows, mut a, mut b, now) = (Rows::new(), node("a"), node("b"), Instant::now());
        rows.tick(&mut a, now);
        for _ in 0..3 {
            rows.tick(&mut b, now);
            rows.tick(&mut a, now);
            let both = (0..Slot::COUNT).filter_map(Slot::numbered).filter(|slot| a.is_held(*slot) && b.is_held(*slot));
            assert_eq!(both.count(), 0);
        }
        assert_eq!((a.held(), b.held()), (128, 128));
    }

    #[test]
    fn who_is_fenced_stops_and_looks() {
        let (mut rows, mut a, now) = (Rows::new(), node("a"), Instant::now());
        rows.tick(&mut a, now);
        a.fenced(Slot::of("k"), 7);
        assert_eq!(a.standing(Slot::of("k"), now), Standing::Held(1), "of another epoch");
        a.fenced(Slot::of("k"), 1);
        assert_eq!(a.standing(Slot::of("k"), now), Standing::Unsettled);
    }
}
