//! r2d2 pools behind a fair queue: whoever waits longest gets the next connection, and nobody waits for ever. A
//! connection that broke is thrown away; r2d2 opens others, with growing pauses for as long as the server is away.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{Error as ConnectError, R2D2Connection};
use r2d2::{HandleError, ManageConnection, Pool as R2d2Pool, PooledConnection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dialect::{Access, AnyConnection, Backend};
use crate::error::StoreError;
use crate::options::{OpenOptions, Timeouts};

pub(crate) type Pooled = PooledConnection<Connector>;

/// A connection, and whether something failed on it that makes its state unknown.
pub(crate) struct Link {
    connection: AnyConnection,
    is_broken: bool,
}

impl Link {
    /// Nobody gets this connection any more: it ends when it is given back.
    pub(crate) fn mark_broken(&mut self) {
        self.is_broken = true;
    }
}

impl Deref for Link {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// Opens connections with their settings.
pub(crate) struct Connector {
    backend: Backend,
    access: Access,
    address: String,
    timeouts: Timeouts,
}

impl ManageConnection for Connector {
    type Connection = Link;
    type Error = ConnectError;

    fn connect(&self) -> Result<Link, ConnectError> {
        let mut connection = self.backend.establish(&self.address).map_err(ConnectError::ConnectionError)?;
        self.backend.set_up(&mut connection, self.access, &self.timeouts).map_err(ConnectError::QueryError)?;
        Ok(Link { connection, is_broken: false })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), ConnectError> {
        link.connection.ping().map_err(ConnectError::QueryError)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.is_broken || std::thread::panicking() || link.connection.is_broken()
    }
}

/// Says once per failed try why no connection can be opened; libpq's text names the server, never the password.
#[derive(Debug)]
struct LogFailures;

impl HandleError<ConnectError> for LogFailures {
    fn handle_error(&self, error: ConnectError) {
        tracing::warn!(%error, "a database connection cannot be opened or was lost");
    }
}

/// The connection of one task between its transactions; a broken one is replaced by the next.
pub(crate) struct Slot {
    connections: R2d2Pool<Connector>,
    held: Option<Pooled>,
}

impl Slot {
    fn take(&mut self) -> Result<Pooled, StoreError> {
        match self.held.take() {
            Some(pooled) => Ok(pooled),
            None => self.connections.get().map_err(StoreError::Connect),
        }
    }

    pub(crate) fn put(&mut self, pooled: Pooled) {
        if !pooled.is_broken {
            self.held = Some(pooled);
        }
    }

    /// A connection on which `begin` was executed. Nothing has happened when the connection turns out to be broken, so
    /// another one is tried: after a restart of the server every pooled one may be, and then comes a fresh one.
    pub(crate) fn begin(&mut self, begin: &str) -> Result<Pooled, StoreError> {
        for _ in 0..self.connections.max_size() {
            match self.try_begin(begin) {
                Err(StoreError::Lost(_)) => {}
                outcome => return outcome,
            }
        }
        self.try_begin(begin)
    }

    fn try_begin(&mut self, begin: &str) -> Result<Pooled, StoreError> {
        let mut pooled = self.take()?;
        match pooled.batch_execute(begin).map_err(StoreError::from) {
            Ok(()) => Ok(pooled),
            Err(error) => {
                if matches!(error, StoreError::Lost(_)) {
                    pooled.mark_broken();
                }
                self.put(pooled);
                Err(error)
            }
        }
    }
}

/// Connections of one kind (readers or writers) to one database.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: R2d2Pool<Connector>,
    /// As many permits as connections: a task that holds one finds a connection without blocking a thread.
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
    runtime: Handle,
}

impl Pool {
    pub(crate) fn open(
        (backend, access): (Backend, Access),
        options: &OpenOptions,
        size: u32,
        runtime: Handle,
    ) -> Result<Self, StoreError> {
        let (acquire_timeout, timeouts) = (options.acquire_timeout, options.timeouts);
        let address = backend.connection_string(&options.url, &timeouts);
        let connections = R2d2Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(acquire_timeout)
            // The first statement, which begins a transaction, is the test: see [`Slot::begin`].
            .test_on_check_out(false)
            .error_handler(Box::new(LogFailures))
            .build(Connector { backend, access, address, timeouts })
            .map_err(StoreError::Connect)?;
        Ok(Self { connections, permits: Arc::new(Semaphore::new(size as usize)), acquire_timeout, runtime })
    }

    /// Runs `work` with a connection on a blocking thread of the shared runtime. Waits up to the acquire time-out for a
    /// connection. The work goes on to its end also when the caller is dropped.
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Slot) -> Result<T, E> + Send + 'static,
    {
        let permit = self.acquire().await?;
        let connections = self.connections.clone();
        let task = self.runtime.spawn_blocking(move || {
            let _permit = permit;
            work(&mut Slot { connections, held: None })
        });
        task.await.map_err(|error| {
            tracing::error!(%error, "database task did not finish");
            StoreError::Stopped
        })?
    }

    async fn acquire(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.acquire_timeout, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_closed)) => Err(StoreError::Stopped),
            Err(_elapsed) => Err(StoreError::Busy),
        }
    }

    /// Connections in use and the most there may be.
    pub(crate) fn usage(&self) -> (u32, u32) {
        let max = self.connections.max_size();
        let free = u32::try_from(self.permits.available_permits()).unwrap_or(0);
        (max.saturating_sub(free), max)
    }
}
