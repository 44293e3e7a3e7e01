//! Publisher REST API v4 (`/api/am/publisher/v4`): people who run APIs.
//!
//! Handlers extract, call one use case of the control plane, map, answer. Invariants: no business rule, no store.
//! Entry points: [`routes`] and the app data that handlers need: `web::Data<ControlPlane>`.

mod archive;
mod dto;
mod rest;
mod routes;

pub use routes::{BASE_PATH, routes};
