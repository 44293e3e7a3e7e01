//! The two documents that are shown: the creator's working view and the subscriber's view.

mod extensions;
mod paths;
mod security;

use serde_json::{Map, Value, json};
use url::Url;

use super::{Generation, OpenApi, generate};
use crate::api::Api;

/// The definition as the publisher shows it: the uploaded document (or a minimal one) brought in line with the API as
/// it stands now, with WSO2's extensions.
#[must_use]
pub fn publisher_view(api: &Api, original: Option<&OpenApi>) -> Value {
    let (generation, mut document) = generate::base(api, original);
    // A checked document always is an object.
    let Some(root) = document.as_object_mut() else { return document };
    if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("title".to_owned(), json!(api.name.as_str()));
        info.insert("version".to_owned(), json!(api.version.as_str()));
    }
    paths::align(generation, root, api);
    security::write(generation, root, &api.details.scopes);
    extensions::write(root, api);
    document
}

/// The definition as the developer portal shows it: without back ends, with the gateways' URLs (`servers`: absolute
/// URLs that include the API's context) in their place.
#[must_use]
pub fn devportal_view(api: &Api, original: Option<&OpenApi>, servers: &[String]) -> Value {
    let mut document = publisher_view(api, original);
    let is_v2 = original.is_some_and(|original| original.kind.generation == Generation::V2);
    let Some(root) = document.as_object_mut() else { return document };
    extensions::remove_private(root);
    if is_v2 {
        point_v2_at(root, servers);
    } else {
        let servers: Vec<Value> = servers.iter().map(|url| json!({ "url": url })).collect();
        root.insert("servers".to_owned(), Value::Array(servers));
    }
    document
}

/// 2.0 knows one host and one base path; the schemes of all servers on it are listed.
fn point_v2_at(root: &mut Map<String, Value>, servers: &[String]) {
    for key in ["host", "basePath", "schemes"] {
        root.shift_remove(key);
    }
    let urls: Vec<Url> = servers.iter().filter_map(|server| Url::parse(server).ok()).collect();
    let Some(first) = urls.first() else { return };
    // 2.0 has one port: a scheme on another port of the host cannot be told.
    let is_same_server = |url: &&Url| (url.host_str(), url.port()) == (first.host_str(), first.port());
    let mut schemes: Vec<&str> = urls.iter().filter(is_same_server).map(Url::scheme).collect();
    schemes.dedup();
    let host = first.host_str().unwrap_or_default();
    let host = first.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    root.insert("host".to_owned(), json!(host));
    root.insert("basePath".to_owned(), json!(first.path()));
    root.insert("schemes".to_owned(), json!(schemes));
}
