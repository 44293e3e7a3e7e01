//! In which order things take effect on disk: pure, and driven by the simulation of the whole chain as well.

use domain::Timestamp;
use domain::event::Position;

use super::change::{Kind, Row};

/// Whether a batch that ends at `offered` may be applied to what is stored at `stored`: in the same log, and forward.
#[must_use]
pub fn follows(stored: &Position, offered: &Position) -> bool {
    stored.log_id == offered.log_id && stored.number < offered.number
}

/// What is stored once `row` came in where there was a row under the same key that expires at `stored`. Rows replace each
/// other, except that of two revocations of the same thing the longer one counts: they may come in any order.
#[must_use]
pub fn merged(stored: Option<Timestamp>, row: Row) -> Option<Row> {
    let is_shorter = row.kind == Kind::Revocation && row.expires_at < stored;
    (!is_shorter).then_some(row)
}
