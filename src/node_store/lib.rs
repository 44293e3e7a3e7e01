//! What one node keeps on its own disk, in SQLite files that no other node ever opens. The only room with rusqlite.
//!
//! Invariants: everything is synchronous (callers run it on blocking threads); files are readable by their owner only;
//! a file that is damaged is kept aside and never mended, because all content can be fetched anew. Entry points:
//! [`Carbon`] (small facts of the node), [`LastGood`] (what a gateway serves), [`BrokerLog`] (the hub's copy of the
//! event logs).

pub mod broker_log;
pub mod carbon;
mod error;
mod file;
pub mod last_good;

pub use broker_log::BrokerLog;
pub use carbon::Carbon;
pub use error::NodeStoreError;
pub use last_good::LastGood;
