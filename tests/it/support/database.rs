//! Databases of one test's own.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// What the node's shared databases live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    /// Whether tests can have one here.
    pub fn is_there(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => postgres_is_there(),
        }
    }
}

/// `make test` starts a server and sets the variable; a bare `cargo test` without it leaves the PostgreSQL half out.
pub fn postgres_is_there() -> bool {
    std::env::var_os("GATEWRIGHT_TEST_POSTGRES").is_some()
}

/// Databases that exist as long as this value.
pub struct Databases {
    created: Vec<String>,
    server: String,
}

impl Databases {
    /// Lines of `[database]`, and what must stay alive meanwhile.
    pub fn create(kind: DatabaseKind) -> (String, Option<Self>) {
        match kind {
            DatabaseKind::Sqlite => (String::new(), None),
            DatabaseKind::Postgres => {
                let server = std::env::var("GATEWRIGHT_TEST_POSTGRES").unwrap();
                let databases = Self { created: vec![name(), name()], server };
                for name in &databases.created {
                    databases.execute(&format!("CREATE DATABASE {name}"));
                }
                let url = |index: usize| databases.url(&databases.created[index]);
                let toml = format!(
                    "[database.apim_db]\nurl = \"{}\"\n[database.shared_db]\nurl = \"{}\"\npool_size = 5\n",
                    url(0),
                    url(1)
                );
                (toml, Some(databases))
            }
        }
    }

    /// One more database, e.g. for a test of the store alone.
    pub fn url(&self, name: &str) -> String {
        let (base, _) = self.server.rsplit_once('/').unwrap();
        format!("{base}/{name}")
    }

    pub fn first_url(&self) -> String {
        self.url(&self.created[0])
    }

    /// The database of users and tenants.
    pub fn shared_url(&self) -> String {
        self.url(&self.created[1])
    }

    /// As a server that goes away for every node: present connections end, new ones are refused.
    pub fn refuse_connections(&self) {
        for name in &self.created {
            self.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        }
        self.end_connections();
    }

    pub fn accept_connections(&self) {
        for name in &self.created {
            self.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
        }
    }

    /// As a server that was restarted: every present connection is dead.
    pub fn end_connections(&self) {
        for name in &self.created {
            self.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        }
    }

    fn execute(&self, sql: &str) {
        PgConnection::establish(&self.server).unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        for name in &self.created {
            self.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn name() -> String {
    format!("gatewright_{}", domain::EventId::random().to_string().replace('-', ""))
}
