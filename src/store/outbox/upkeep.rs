//! Care for the logs: trimming, and a new identity after a restore.

use diesel::prelude::*;
use domain::EventId;
use domain::event::LogName;

use super::{log_head, outbox};
use crate::database::Conn;
use crate::error::StoreError;

/// Removes the oldest entries of `log` beyond the newest `keep`, at most `max` of them so that writers do not wait for
/// long, and returns how many went. Never waits for a reader: who is too far behind takes a snapshot.
pub fn trim<K>(conn: &mut Conn<K>, log: LogName, keep: u64, max: u32) -> Result<usize, StoreError> {
    let of_log = || outbox::table.filter(outbox::log.eq(log.as_str()));
    let oldest: Option<i64> = of_log().order(outbox::number).select(outbox::number).first(conn.db()).optional()?;
    let Some(oldest) = oldest else { return Ok(0) };
    let head: i64 = log_head::table.find(log.as_str()).select(log_head::number).first(conn.db())?;
    let last = head.saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX)).min(oldest - 1 + i64::from(max));
    Ok(diesel::delete(of_log().filter(outbox::number.le(last))).execute(conn.db())?)
}

/// Gives `log` a new id, because its entries are no longer those that readers of `old_id` have seen: the database was
/// restored. Does nothing when another hub was faster. Every reader then takes a snapshot.
pub fn renew_log_id<K>(conn: &mut Conn<K>, log: LogName, old_id: &str) -> Result<(), StoreError> {
    let target = log_head::table.filter(log_head::log.eq(log.as_str())).filter(log_head::log_id.eq(old_id));
    diesel::update(target).set(log_head::log_id.eq(EventId::random().to_string())).execute(conn.db())?;
    Ok(())
}
