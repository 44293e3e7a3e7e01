//! Events: written as the last statements of a transaction, read by number. Both databases have these tables.

pub mod upkeep;

use diesel::prelude::*;
use domain::event::{Event, LogEntry, LogName, Position, SCHEMA_VERSION};
use domain::{EventId, Timestamp};

use crate::database::Conn;
use crate::dialect::AnyConnection;
use crate::error::StoreError;

diesel::table! {
    log_head (log) {
        log -> Text,
        log_id -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    outbox (log, number) {
        log -> Text,
        number -> BigInt,
        event_id -> Text,
        schema_version -> Integer,
        organization -> Text,
        kind -> Text,
        payload -> Text,
        created_at -> BigInt,
    }
}

/// Numbers and inserts `events`. Logs are taken in one fixed order, so that two transactions cannot wait for each other.
pub(crate) fn write(db: &mut AnyConnection, events: &[(Timestamp, Event)]) -> Result<(), StoreError> {
    for log in LogName::ALL {
        let of_log: Vec<_> = events.iter().filter(|(_, event)| event.log() == log).collect();
        let Ok(count) = i64::try_from(of_log.len()) else { continue };
        if count == 0 {
            continue;
        }
        let head = log_head::table.find(log.as_str());
        diesel::update(head).set(log_head::number.eq(log_head::number + count)).execute(db)?;
        let last: i64 = head.select(log_head::number).first(db)?;
        for (number, (at, event)) in (last - count + 1..).zip(of_log) {
            insert(db, log, number, *at, event)?;
        }
    }
    Ok(())
}

fn insert(db: &mut AnyConnection, log: LogName, number: i64, at: Timestamp, event: &Event) -> Result<(), StoreError> {
    let payload = serde_json::to_string(event).map_err(|error| StoreError::corrupt("event", error))?;
    diesel::insert_into(outbox::table)
        .values((
            outbox::log.eq(log.as_str()),
            outbox::number.eq(number),
            outbox::event_id.eq(EventId::random().to_string()),
            outbox::schema_version.eq(i32::try_from(SCHEMA_VERSION).unwrap_or(i32::MAX)),
            outbox::organization.eq(event.organization().as_str()),
            outbox::kind.eq(event.type_name()),
            outbox::payload.eq(payload),
            outbox::created_at.eq(at.as_millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// The newest position of `log`.
pub fn head<K>(conn: &mut Conn<K>, log: LogName) -> Result<Position, StoreError> {
    let (log_id, number): (String, i64) =
        log_head::table.find(log.as_str()).select((log_head::log_id, log_head::number)).first(conn.db())?;
    Ok(Position { log_id, number: u64::try_from(number).map_err(|error| StoreError::corrupt("log number", error))? })
}

/// Up to `max` entries of `log` right after `number`, in order.
pub fn read_after<K>(conn: &mut Conn<K>, log: LogName, number: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
    let after = i64::try_from(number).unwrap_or(i64::MAX);
    let rows: Vec<(i64, String, i32, String, i64)> = outbox::table
        .filter(outbox::log.eq(log.as_str()))
        .filter(outbox::number.gt(after))
        .order(outbox::number)
        .limit(i64::try_from(max).unwrap_or(i64::MAX))
        .select((outbox::number, outbox::event_id, outbox::schema_version, outbox::payload, outbox::created_at))
        .load(conn.db())?;
    rows.into_iter().map(entry).collect()
}

fn entry((number, event_id, schema, payload, at): (i64, String, i32, String, i64)) -> Result<LogEntry, StoreError> {
    let schema = u32::try_from(schema).map_err(|error| StoreError::corrupt("schema version", error))?;
    let document = serde_json::from_str(&payload).map_err(|error| StoreError::corrupt("event", error))?;
    Ok(LogEntry {
        number: u64::try_from(number).map_err(|error| StoreError::corrupt("log number", error))?,
        event_id: event_id.parse().map_err(|error| StoreError::corrupt("event id", error))?,
        schema,
        at: Timestamp::from_millis(at),
        event: Event::read(document, schema).map_err(|error| StoreError::corrupt("event", error))?,
    })
}
