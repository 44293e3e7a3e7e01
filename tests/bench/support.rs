//! What measurements share: parts of the tests' own support, and what only measurements need.

pub mod administrator;
pub mod closed_loop;
#[path = "../it/support/faketime.rs"]
pub mod faketime;
#[path = "../it/support/fleet.rs"]
pub mod fleet;
#[path = "../it/support/free_port.rs"]
pub mod free_port;
pub mod governed;
pub mod load;
pub mod node;
#[path = "../it/support/postgres.rs"]
pub mod postgres;
pub mod process;
pub mod proxies;
pub mod report;
#[path = "../it/support/rest.rs"]
pub mod rest;
pub mod site;
