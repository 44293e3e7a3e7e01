//! What of WSO2's contract is served: lists that only shrink, and checks over every operation that is served.

mod admin;
mod authorisation;
mod devportal;
mod gateway_keys;
mod internal_data;
mod isolation;
pub mod operations;
mod publisher;
mod schemas;
mod wrong_input;
