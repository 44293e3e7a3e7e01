//! The composition of the rooms: the only place that names two of them.
//!
//! Invariants: no business rule and no wire format; ports are bound before any work; a role is created, then started,
//! in the order that [`node`] lists. Entry points: [`node::Node`] (also for tests, in-process with port 0) and
//! [`commands::execute`].

pub mod cli;
pub mod commands;
mod connection;
mod demo;
pub mod doctor;
mod home;
pub mod listeners;
pub mod node;
mod own_health;
mod roles;
mod shutdown;
mod supervisor;
pub mod welcome;
