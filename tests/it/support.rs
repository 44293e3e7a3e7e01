//! What tests are made of: nodes, back ends, and the people who use them.

pub mod actors;
pub mod backend;
pub mod balancer;
pub mod cut;
pub mod database;
pub mod definitions;
pub mod faketime;
pub mod fleet;
pub mod free_port;
pub mod haproxy;
pub mod next_release;
pub mod nodes;
pub mod noise;
pub mod people;
pub mod postgres;
pub mod prepared;
pub mod process;
pub mod rest;
pub mod sandbox;
pub mod small_disk;
pub mod sqlite;
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
    ($($(#[$doc:meta])* async fn $name:ident($sandbox:ident) $body:block)*) => {
        $crate::sandbox_tests! { $($(#[$doc])* $name $sandbox $body [
            on_sqlite: AllInOne Sqlite,
            on_postgres: AllInOne Postgres,
        ])* }
    };
}

/// As [`on_both_databases!`], and once more with a node for each role, on PostgreSQL.
#[macro_export]
macro_rules! on_every_topology {
    ($($(#[$doc:meta])* async fn $name:ident($sandbox:ident) $body:block)*) => {
        $crate::sandbox_tests! { $($(#[$doc])* $name $sandbox $body [
            on_sqlite: AllInOne Sqlite,
            on_postgres: AllInOne Postgres,
            split: Split Postgres,
        ])* }
    };
}

/// What the macros above make: a module per function, with a test per sandbox that can be had here.
#[macro_export]
macro_rules! sandbox_tests {
    ($($(#[$doc:meta])* $name:ident $sandbox:ident $body:block [$($test:ident: $topology:ident $kind:ident,)*])*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn run($sandbox: &mut $crate::support::Sandbox) $body

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let kind = $crate::support::DatabaseKind::$kind;
                if !kind.is_there() {
                    return;
                }
                let topology = $crate::support::nodes::Topology::$topology;
                let mut sandbox = $crate::support::Sandbox::start_as(topology, kind, "").await;
                run(&mut sandbox).await;
                sandbox.stop().await;
            })*
        }
    )*};
}

/// Makes one test per database of each async function beside it that takes a [`DatabaseKind`].
#[macro_export]
macro_rules! per_database {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::DatabaseKind::Sqlite).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let kind = $crate::support::DatabaseKind::Postgres;
                if kind.is_there() {
                    super::$name(kind).await;
                }
            })*
        }
    };
}
