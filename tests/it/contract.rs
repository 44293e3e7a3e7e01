//! What of WSO2's contract is served: lists that only shrink, and checks over every operation that is served.

mod authorisation;
mod devportal;
mod isolation;
mod gateway_keys;
pub mod operations;
mod schemas;
mod wrong_input;
