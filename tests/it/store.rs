//! The store under an actix server, and what its two back ends must agree on.

mod async_boundary;
mod filled;
mod parity;
