//! What of WSO2's contract is served: lists that only shrink, and checks over every operation that is served.

mod authorisation;
mod operations;
mod publisher;
mod schemas;
