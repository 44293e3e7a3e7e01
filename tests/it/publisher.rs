//! What publishers do beyond the main job: versions, revisions, definitions, subscriptions.

mod archives;
mod definitions;
mod revisions;
mod round_trip;
mod shared_scopes;
mod subscriptions;
mod versions;
mod wrong_input;
