//! `[database.apim_db]` and `[database.shared_db]` in the store's words.

use config::sections::database::Connection;
use store::{OpenOptions, Timeouts};

/// How to open the database at `url`; `pool_size` is given because a command needs fewer connections than a node.
pub(crate) fn options(connection: &Connection, url: String, pool_size: u32) -> OpenOptions {
    let timeouts = Timeouts {
        connect: connection.connect_timeout.get(),
        statement: connection.statement_timeout.get(),
        lock: connection.lock_timeout.get(),
        idle_in_transaction: connection.idle_in_transaction_timeout.get(),
        keepalive: connection.keepalive_interval.get(),
    };
    OpenOptions { url, pool_size, acquire_timeout: connection.acquire_timeout.get(), timeouts }
}
