//! Admin REST API v4 (`/api/am/admin/v4`): throttling policies, applications of all owners,
//! environments, settings.
//!
//! Handlers extract, call one use case of the control plane, map, answer. Invariants: no business rule, no store.
//! Entry points: [`routes`] and the app data that handlers need: `web::Data<ControlPlane>`; [`policy_file`] for policies
//! in files.

mod dto;
pub mod policy_file;
mod rest;
mod routes;

pub use routes::{BASE_PATH, routes};
