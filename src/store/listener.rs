//! Hears of commits in other processes: PostgreSQL's LISTEN on one connection of its own, outside the pool. What is missed
//! while it is away is found by whoever reads now and then, and by the wake-up that follows each new connection.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use tokio::sync::watch;

use crate::dialect::{Access, AnyConnection, Backend, LISTEN};
use crate::options::Timeouts;

/// How often the socket is looked at: libpq does not wait for a notification, and Diesel hands out no socket to wait on.
/// One look is one system call.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Pauses between tries to connect.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What the listener's thread needs.
pub(crate) struct Listener {
    pub(crate) address: String,
    pub(crate) timeouts: Timeouts,
    /// What this handle's own announcements say; they were heard in the process already.
    pub(crate) origin: String,
    pub(crate) commits: watch::Sender<u64>,
}

impl Listener {
    /// Listens until the other end of `stop` is dropped, and connects anew for ever. Blocking.
    pub(crate) fn run(&self, stop: &Receiver<()>) {
        let mut pause = PAUSE_MIN;
        loop {
            match self.connect() {
                Ok(mut connection) => {
                    pause = PAUSE_MIN;
                    tracing::debug!("listening to commits of other processes");
                    // Whatever was committed before, nobody was told.
                    self.wake();
                    match self.hear(&mut connection, stop) {
                        Ok(()) => return,
                        Err(error) => tracing::warn!(%error, "the connection that hears of commits was lost"),
                    }
                }
                Err(error) => tracing::warn!(%error, "commits of other processes cannot be listened to"),
            }
            if is_stopped(stop, pause) {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn connect(&self) -> Result<AnyConnection, diesel::r2d2::Error> {
        let mut connection = Backend::Postgres.establish(&self.address)?;
        Backend::Postgres.set_up(&mut connection, Access::ReadOnly, &self.timeouts)?;
        connection.batch_execute(LISTEN)?;
        Ok(connection)
    }

    /// Ends well when it is stopped, and with an error when the connection breaks.
    fn hear(&self, connection: &mut AnyConnection, stop: &Receiver<()>) -> diesel::QueryResult<()> {
        let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
        while !is_stopped(stop, LOOK_INTERVAL) {
            let mut is_news = false;
            for notification in connection.notifications_iter() {
                is_news |= notification?.payload != self.origin;
            }
            if is_news {
                self.wake();
            }
        }
        Ok(())
    }

    fn wake(&self) {
        self.commits.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Waits for `pause`, or until the other end is gone.
fn is_stopped(stop: &Receiver<()>, pause: Duration) -> bool {
    stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
}
