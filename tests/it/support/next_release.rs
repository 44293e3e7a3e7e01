//! What neighbouring releases leave in databases and on disks.

use domain::event::SCHEMA_VERSION;

/// Statements of one transaction that commits a change of the next release, which nodes of this one cannot know; `number` makes
/// it another one.
pub fn unknown_change(number: u32) -> String {
    let schema = SCHEMA_VERSION + 1;
    format!(
        "UPDATE log_head SET number = number + 1 WHERE log = 'control'; \
         INSERT INTO outbox (log, number, event_id, schema_version, organization, kind, payload, created_at) \
         SELECT 'control', number, '00000000-0000-7000-8000-{number:012}', {schema}, 'carbon.super', 'FLUX_UPDATE', \
         '{{\"type\":\"FLUX_UPDATE\",\"payload\":{{\"capacitors\":2}}}}', 1 FROM log_head WHERE log = 'control';"
    )
}

/// Makes a gateway's last good state one of the release before.
pub const MAKE_OLDER: &str = "UPDATE positions SET schema = schema - 1;";
