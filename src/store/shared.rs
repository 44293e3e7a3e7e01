//! Repositories of `shared_db`.

pub mod registry;
pub mod users;
