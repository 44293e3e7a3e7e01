//! r2d2 pools behind a fair queue: whoever waits longest gets the next connection, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool as R2d2Pool, PooledConnection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dialect::{Access, AnyConnection, Backend};
use crate::error::StoreError;
use crate::options::{OpenOptions, Timeouts};

pub(crate) type Pooled = PooledConnection<ConnectionManager<AnyConnection>>;

/// Connections of one kind (readers or writers) to one database.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: R2d2Pool<ConnectionManager<AnyConnection>>,
    /// As many permits as connections: a task that holds one finds a connection without blocking a thread.
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
    runtime: Handle,
}

#[derive(Debug)]
struct SetUp(Backend, Access, Timeouts);

impl CustomizeConnection<AnyConnection, diesel::r2d2::Error> for SetUp {
    fn on_acquire(&self, connection: &mut AnyConnection) -> Result<(), diesel::r2d2::Error> {
        self.0.set_up(connection, self.1, &self.2).map_err(diesel::r2d2::Error::QueryError)
    }
}

impl Pool {
    pub(crate) fn open(
        (backend, access): (Backend, Access),
        options: &OpenOptions,
        size: u32,
        runtime: Handle,
    ) -> Result<Self, StoreError> {
        let (acquire_timeout, timeouts) = (options.acquire_timeout, options.timeouts);
        let connections = R2d2Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(acquire_timeout)
            .connection_customizer(Box::new(SetUp(backend, access, timeouts)))
            // A PostgreSQL server may have been restarted since; SQLite's file does not go away.
            .test_on_check_out(backend == Backend::Postgres)
            .build(ConnectionManager::new(backend.connection_string(&options.url, &timeouts)))
            .map_err(StoreError::Connect)?;
        Ok(Self { connections, permits: Arc::new(Semaphore::new(size as usize)), acquire_timeout, runtime })
    }

    /// Runs `work` with a connection on a blocking thread of the shared runtime. Waits up to the acquire time-out for a
    /// connection. The work goes on to its end also when the caller is dropped.
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Option<Pooled>) -> Result<T, E> + Send + 'static,
    {
        let permit = self.acquire().await?;
        let connections = self.connections.clone();
        let task = self.runtime.spawn_blocking(move || {
            let _permit = permit;
            work(&mut Some(connections.get().map_err(StoreError::Connect)?))
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
