//! The internal data service of the event hub: what tools pull, whose, and in what parts.

mod callers;
mod lists;
mod tenants;

use serde_json::Value;

use crate::support::Sandbox;
use crate::support::rest::{Answer, Rest};

const BASE: &str = "/internal/data/v1";

/// Every operation that is served, with the parameters that it cannot do without.
fn paths() -> Vec<String> {
    let routes = event_hub::rest::data::routes();
    let with_parameters = |path: &str| match path {
        "/synapse-attributes" => format!("{BASE}{path}?apiName=Pizza&version=1.0.0"),
        path => format!("{BASE}{path}"),
    };
    routes.specs().map(|spec| with_parameters(spec.path)).collect()
}

/// The administrator, at the node that plays the event hub.
fn operator(sandbox: &Sandbox) -> Rest {
    let port = sandbox.nodes.addresses("traffic-manager").management.port();
    Rest::new(format!("https://localhost:{port}"), sandbox.password_rest().credentials)
}

/// Asks for `path` below the base, of the tenant or `ALL`.
async fn pull(rest: &Rest, path: &str, tenant: &str) -> Answer {
    Answer::of(rest.request(reqwest::Method::GET, &format!("{BASE}{path}")).header("xWSO2Tenant", tenant)).await
}

/// The list in the answer.
async fn list(rest: &Rest, path: &str) -> Vec<Value> {
    let answer = pull(rest, path, "carbon.super").await.expect(200).json();
    let list = answer["list"].as_array().unwrap_or_else(|| panic!("{path} answers no list: {answer}")).clone();
    assert_eq!(answer["count"], list.len(), "{answer}");
    list
}
