//! A REST room writes `Routes::new("/api/am/..").get("/apis", rest::apis::get_all_apis)`, with handlers such as
//! `async fn get_all_apis(user: Guarded<ApiView>, page: Pagination, ..) -> Result<impl Responder, Problem>`.
//!
//! The room holds the actix server of the management listeners and everything that its handlers share.
//! Invariants: no business rule; no store; every handler's first argument says who may call it, so that an unguarded
//! operation does not compile; bodies of errors are made in [`problem`] and nowhere else.
//! Entry points: [`routes::Routes`], [`guard`], [`problem::Problem`], [`server`], [`health`].

pub mod answer;
mod body;
pub mod etag;
pub mod guard;
pub mod health;
pub mod json;
pub mod limits;
pub mod multipart;
pub mod pagination;
pub mod problem;
pub mod query;
pub mod raw_body;
pub mod routes;
pub mod server;
#[cfg(test)]
mod testing;
pub mod throttle_limit;
pub mod tier;
