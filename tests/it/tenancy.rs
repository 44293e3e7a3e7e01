//! Tenants on a whole node.

mod command;
mod gateway;
mod rest;
mod substitution;
