//! The store under an actix server, and what its two back ends must agree on.

mod async_boundary;
mod cut_off;
mod filled;
mod parity;
mod reconnect;
mod wake_up;
