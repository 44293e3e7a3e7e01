//! What tests are made of: nodes, back ends, and the people who use them.

pub mod actors;
pub mod backend;
pub mod balancer;
pub mod cut;
pub mod database;
pub mod definitions;
pub mod fleet;
pub mod free_port;
pub mod haproxy;
pub mod nodes;
pub mod people;
pub mod postgres;
pub mod prepared;
pub mod process;
pub mod rest;
pub mod sandbox;
pub mod tenants;
pub mod wait;

pub use actors::{Caller, Publisher};
pub use database::DatabaseKind;
pub use rest::Answer;
pub use sandbox::Sandbox;
pub use tenants::Tenant;
pub use wait::eventually;

/// Makes one test per database of an async function that takes a [`Sandbox`].
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($sandbox:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn run($sandbox: &mut $crate::support::Sandbox) $body

            $crate::sandbox_test! { on_sqlite, $crate::support::DatabaseKind::Sqlite }
            $crate::sandbox_test! { on_postgres, $crate::support::DatabaseKind::Postgres }
        }
    )*};
}

/// As [`on_both_databases!`], and once more with a node for each role, on PostgreSQL.
#[macro_export]
macro_rules! on_every_topology {
    ($($(#[$doc:meta])* async fn $name:ident($sandbox:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn run($sandbox: &mut $crate::support::Sandbox) $body

            $crate::sandbox_test! { on_sqlite, $crate::support::DatabaseKind::Sqlite }
            $crate::sandbox_test! { on_postgres, $crate::support::DatabaseKind::Postgres }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn split() {
                if !$crate::support::database::postgres_is_there() {
                    return;
                }
                let mut sandbox = $crate::support::Sandbox::split().await;
                run(&mut sandbox).await;
                sandbox.stop().await;
            }
        }
    )*};
}

/// One test of the function `run` beside it, with every role in one node.
#[macro_export]
macro_rules! sandbox_test {
    ($test:ident, $kind:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let kind = $kind;
            if kind == $crate::support::DatabaseKind::Postgres && !$crate::support::database::postgres_is_there() {
                return;
            }
            let mut sandbox = $crate::support::Sandbox::start(kind).await;
            run(&mut sandbox).await;
            sandbox.stop().await;
        }
    };
}
