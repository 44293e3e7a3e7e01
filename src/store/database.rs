//! A database and the one async boundary to it.

use std::marker::PhantomData;
use std::sync::{Arc, mpsc};

use diesel::connection::SimpleConnection;
use domain::event::Event;
use domain::{EventId, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::dialect::{self, Access, AnyConnection, Backend};
use crate::error::{StoreError, TransactionError};
use crate::listener::Listener;
use crate::options::{OpenOptions, Timeouts};
use crate::outbox;
use crate::pool::{Pool, Pooled, Slot};

/// Marker: APIs, applications, subscriptions, policies, tokens.
#[derive(Debug, Clone, Copy)]
pub enum Apim {}

/// Marker: tenants, users, roles and the registry of uploaded content.
#[derive(Debug, Clone, Copy)]
pub enum Shared {}

pub type ApimDb = Database<Apim>;
pub type ApimConn = Conn<Apim>;
pub type SharedDb = Database<Shared>;
pub type SharedConn = Conn<Shared>;

/// Times that a transaction is tried anew after the database gave it up for a concurrent one.
const RETRIES_MAX: u32 = 5;

/// A handle to one database; clones share the connections.
pub struct Database<K> {
    backend: Backend,
    readers: Pool,
    writers: Pool,
    /// Number of committed transactions that appended events; waiters learn that there is something to read.
    commits: watch::Sender<u64>,
    news: Arc<News>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Database<K> {
    fn clone(&self) -> Self {
        Self {
            backend: self.backend,
            readers: self.readers.clone(),
            writers: self.writers.clone(),
            commits: self.commits.clone(),
            news: Arc::clone(&self.news),
            kind: PhantomData,
        }
    }
}

/// How processes hear of each other's commits.
struct News {
    url: String,
    timeouts: Timeouts,
    /// Random: tells this handle's announcements from those of others.
    origin: String,
    /// Statement of a transaction that has events.
    announcement: Option<String>,
}

impl<K> std::fmt::Debug for Database<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// A connection inside a transaction of database `K`.
pub struct Conn<K> {
    pub(crate) inner: Pooled,
    /// Events of this transaction, numbered and written as its last statements.
    events: Vec<(Timestamp, Event)>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Conn<K> {
    /// The raw connection for Diesel.
    pub(crate) fn db(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Waits until no other transaction of any node has taken the same turn, and keeps it until the end of this one: for
    /// rules over several rows that no unique key can say. What others wrote in their turn is seen from here on.
    pub fn take_turn(&mut self, name: &str) -> Result<(), StoreError> {
        Ok(dialect::take_turn(&mut self.inner, name)?)
    }

    /// Adds an event to the transaction. It gets its number right before the commit, so that the order of numbers is
    /// the order of commits and the counter's lock is held for an instant only.
    pub fn append(&mut self, now: Timestamp, event: Event) {
        self.events.push((now, event));
    }
}

impl<K: 'static> Database<K> {
    /// Opens the pools; blocking, for start-up. Migrations must have run.
    pub fn open(options: &OpenOptions, runtime: &Handle) -> Result<Self, StoreError> {
        let backend = Backend::of(&options.url);
        let open = |access, size| Pool::open((backend, access), options, size, runtime.clone());
        let writers = open(Access::ReadWrite, backend.writers(options.pool_size))?;
        let readers = match backend {
            Backend::Sqlite => open(Access::ReadOnly, options.pool_size)?,
            Backend::Postgres => writers.clone(),
        };
        let origin = EventId::random().to_string();
        let news = News {
            url: options.url.clone(),
            timeouts: options.timeouts,
            announcement: backend.announcement(&origin),
            origin,
        };
        Ok(Self { backend, readers, writers, commits: watch::channel(0).0, news: Arc::new(news), kind: PhantomData })
    }

    /// Runs `work` in a read-only transaction that sees one state of the database.
    pub async fn read<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: TransactionError,
        F: FnMut(&mut Conn<K>) -> Result<T, E> + Send + 'static,
    {
        let backend = self.backend;
        self.readers
            .run(move |slot| {
                with_transaction(slot, backend.begin(Access::ReadOnly), Purpose::Read, &mut work)
                    .map(|(value, _)| value)
            })
            .await
    }

    /// Runs `work` in a transaction and commits it with its events; on an error nothing remains. Runs `work` anew when
    /// the database gave the transaction up for a concurrent one.
    pub async fn write<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: TransactionError,
        F: FnMut(&mut Conn<K>) -> Result<T, E> + Send + 'static,
    {
        let backend = self.backend;
        let (commits, news) = (self.commits.clone(), Arc::clone(&self.news));
        self.writers
            .run(move |slot| {
                let begin = backend.begin(Access::ReadWrite);
                let mut tries = 0;
                loop {
                    match with_transaction(slot, begin, Purpose::Write(&news), &mut work) {
                        Err(error) if error.is_retryable() => {
                            tries += 1;
                            if tries > RETRIES_MAX {
                                return Err(StoreError::Contended.into());
                            }
                        }
                        Err(error) => return Err(error),
                        Ok((value, events)) => {
                            if events > 0 {
                                // From inside the task: a caller that went away must not cost the wake-up.
                                commits.send_modify(|count| *count = count.wrapping_add(1));
                            }
                            return Ok(value);
                        }
                    }
                }
            })
            .await
    }

    /// Hears of commits in other processes until `stopped` ends, and tells them to [`Database::subscribe_commits`]. On
    /// PostgreSQL this takes one connection beside the pool and a thread; with SQLite there is nothing to hear. Once for a
    /// database is enough.
    pub async fn listen(&self, stopped: impl Future<Output = ()>) {
        if self.backend == Backend::Sqlite {
            return;
        }
        let listener = Listener {
            address: self.backend.connection_string(&self.news.url, &self.news.timeouts),
            timeouts: self.news.timeouts,
            origin: self.news.origin.clone(),
            commits: self.commits.clone(),
        };
        let (stop, is_stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name("commits".to_owned()).spawn(move || listener.run(&is_stopped));
        if let Err(error) = thread {
            tracing::error!(%error, "no thread to hear of other processes' commits: they are seen late");
            return;
        }
        stopped.await;
        // The thread ends by itself: it may be waiting for a server that is away.
        drop(stop);
    }

    /// Changes whenever a transaction of this process committed events, and after those that [`Database::listen`] hears of.
    #[must_use]
    pub fn subscribe_commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Connections in use and the most there may be: (readers, writers).
    #[must_use]
    pub fn usage(&self) -> [(u32, u32); 2] {
        [self.readers.usage(), self.writers.usage()]
    }
}

/// Ends the transaction when the closure fails or panics, so that the pooled connection is clean or thrown away.
struct RollbackOnDrop<'a, K> {
    conn: Option<Conn<K>>,
    home: &'a mut Slot,
}

impl<K> Drop for RollbackOnDrop<'_, K> {
    fn drop(&mut self) {
        if let Some(mut conn) = self.conn.take() {
            if let Err(error) = conn.inner.batch_execute("ROLLBACK") {
                tracing::warn!(%error, "rollback failed, the database connection is thrown away");
                conn.inner.mark_broken();
            }
            self.home.put(conn.inner);
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    Read,
    /// Its events are announced.
    Write(&'a News),
}

fn with_transaction<K, T, E, F>(
    slot: &mut Slot,
    begin: &str,
    purpose: Purpose<'_>,
    work: &mut F,
) -> Result<(T, usize), E>
where
    E: TransactionError,
    F: FnMut(&mut Conn<K>) -> Result<T, E>,
{
    let inner = slot.begin(begin)?;
    let mut guard = RollbackOnDrop { conn: Some(Conn { inner, events: Vec::new(), kind: PhantomData }), home: slot };
    let Some(conn) = guard.conn.as_mut() else { return Err(StoreError::Stopped.into()) };
    let value = work(conn)?;
    let events = std::mem::take(&mut conn.events);
    if let (Purpose::Write(News { announcement: Some(announcement), .. }), false) = (purpose, events.is_empty()) {
        // Before the numbers are taken: it is sent at the commit anyway, and the log's lock is held for less.
        conn.inner.batch_execute(announcement).map_err(StoreError::from)?;
    }
    outbox::write(conn.db(), &events)?;
    match conn.inner.batch_execute("COMMIT").map_err(StoreError::from) {
        Ok(()) => {}
        Err(StoreError::Lost(cause)) => {
            conn.inner.mark_broken();
            // What was read stays true; what was written may be there or not, and nobody here can tell.
            if matches!(purpose, Purpose::Write(_)) {
                return Err(StoreError::CommitUnknown(cause).into());
            }
        }
        Err(error) => return Err(error.into()),
    }
    if let Some(conn) = guard.conn.take() {
        guard.home.put(conn.inner);
    }
    Ok((value, events.len()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::event::LogName;
    use domain::{ApiId, Organization};

    use super::*;
    use crate::migrate;

    struct Fixture {
        db: ApimDb,
        _folder: tempfile::TempDir,
    }

    fn open(pool_size: u32, acquire_timeout: Duration) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("apim.db").display());
        migrate::run::<Apim>(&url).unwrap();
        let options = OpenOptions { url, pool_size, acquire_timeout, timeouts: Timeouts::default() };
        Fixture { db: Database::open(&options, &Handle::current()).unwrap(), _folder: folder }
    }

    fn event() -> Event {
        Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() }
    }

    async fn entries(db: &ApimDb) -> Vec<u64> {
        let entries = db.read(|conn| outbox::read_after(conn, LogName::Control, 0, 1000)).await;
        let entries: Vec<domain::event::LogEntry> = entries.map_err(|error: StoreError| error).unwrap();
        entries.iter().map(|entry| entry.number).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn events_of_concurrent_writers_are_numbered_without_gaps() {
        let fixture = open(4, Duration::from_secs(10));
        let db = Arc::new(fixture.db.clone());
        let writers: Vec<_> = (0..50)
            .map(|_| {
                let db = Arc::clone(&db);
                tokio::spawn(async move {
                    db.write(move |conn| {
                        conn.append(Timestamp::from_secs(1), event());
                        Ok::<_, StoreError>(())
                    })
                    .await
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert_eq!(entries(&db).await, (1..=50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_failed_transaction_leaves_no_event() {
        let fixture = open(2, Duration::from_secs(5));
        let outcome: Result<(), StoreError> = fixture
            .db
            .write(|conn| {
                conn.append(Timestamp::from_secs(1), event());
                Err(StoreError::Busy)
            })
            .await;
        assert!(outcome.is_err());
        assert!(entries(&fixture.db).await.is_empty());
    }

    #[tokio::test]
    async fn a_panic_leaves_a_clean_connection() {
        let fixture = open(1, Duration::from_secs(5));
        let outcome: Result<(), StoreError> = fixture
            .db
            .write(|conn| {
                conn.append(Timestamp::from_secs(1), event());
                panic!("a bug")
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::Stopped)));
        fixture
            .db
            .write(|conn| {
                conn.append(Timestamp::from_secs(2), event());
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        assert_eq!(entries(&fixture.db).await, [1]);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let fixture = open(1, Duration::from_secs(5));
        let outcome = fixture
            .db
            .read(|conn| {
                conn.append(Timestamp::from_secs(1), event());
                Ok::<_, StoreError>(())
            })
            .await;
        assert!(outcome.is_err());
        assert!(entries(&fixture.db).await.is_empty());
    }
}
