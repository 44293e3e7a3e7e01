//! Tenants on a whole node.

mod command;
mod config;
mod gateway;
mod rest;
mod substitution;
