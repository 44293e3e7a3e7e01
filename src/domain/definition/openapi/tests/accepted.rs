//! Documents that are taken, and what is read of them.

use super::*;
use crate::api::AuthType;
use crate::definition::openapi::Generation;

fn lines(definition: &OpenApi) -> Vec<String> {
    let line = |op: &crate::definition::openapi::ParsedOperation| {
        format!("{} {} {}", op.verb, op.target, op.scopes.join(",")).trim_end().to_owned()
    };
    definition.operations.iter().map(line).collect()
}

#[test]
fn a_2_0_document_in_yaml_is_read() {
    let definition = read(PIZZA_V2);
    assert_eq!(definition.kind.generation, Generation::V2);
    assert_eq!(definition.info.title, "Pizza");
    assert_eq!(lines(&definition), ["GET /menu", "PUT /orders/{id} orders", "DELETE /orders/{id} orders,menu"]);
    assert_eq!(definition.operations[1].auth, Some(AuthType::ApplicationUser));
    assert_eq!(definition.operations[1].throttling_policy.as_deref(), Some("10KPerMin"));
    assert_eq!(definition.servers, ["http://backend.example:9099/pizza/v1", "https://backend.example:9099/pizza/v1"]);
    assert_eq!(definition.base_path.as_deref(), Some("/pizza/v1"));
    assert_eq!(definition.scopes[0].roles, ["admin", "Internal/subscriber"]);
    assert_eq!(definition.scopes.len(), 2);
    assert!(definition.warnings.is_empty(), "{:?}", definition.warnings);
}

#[test]
fn a_3_0_document_in_json_is_read() {
    let definition = read(PIZZA_V3);
    assert_eq!(definition.kind.to_string(), "3.0.3");
    assert_eq!(lines(&definition), ["GET /menu menu", "GET /menu/{id}"]);
    assert_eq!(definition.operations[1].auth, None, "an empty security must not open the operation");
    assert_eq!(definition.operations[1].to_operation().auth, AuthType::Any);
    assert_eq!(definition.servers, ["https://eu.example/pizza/"]);
    assert_eq!(definition.base_path.as_deref(), Some("/pizza"));
    assert_eq!(definition.extensions.production_endpoints, ["http://b.example"]);
    assert_eq!(definition.warnings.len(), 1, "TRACE: {:?}", definition.warnings);
}

#[test]
fn a_3_1_document_needs_no_responses_and_may_refer_to_other_schemas() {
    let definition = read(PIZZA_V3_1);
    assert_eq!(definition.kind.generation, Generation::V3_1);
    assert_eq!(definition.info.version, "2024-01-01");
    assert_eq!(lines(&definition), ["GET /menu", "POST /menu"]);
    assert_eq!(definition.warnings[0].pointer, "/components/schemas/Outer");
}

#[test]
fn a_3_1_document_with_webhooks_alone_has_no_operations() {
    assert!(read("openapi: 3.1.0\ninfo: {title: t, version: '1'}\nwebhooks: {}").operations.is_empty());
    assert_eq!(errors("openapi: 3.1.0\ninfo: {title: t, version: '1'}"), ["/: 'paths' is required"]);
}

#[test]
fn yaml_scalars_mean_what_their_authors_mean() {
    let definition =
        read(&format!("{PIZZA_V2}x-data: {{a: on, b: yes, c: 0755, d: 1_000, e: true, f: 12, g: 2024-01-01, on: y}}"));
    let expected = serde_json::json!({"a": "on", "b": "yes", "c": "0755", "d": "1_000", "e": true, "f": 12, "g": "2024-01-01", "on": "y"});
    assert_eq!(definition.document["x-data"], expected);
    assert_eq!(definition.info.version, "1.10", "the version keeps its spelling");
    assert!(definition.document["paths"]["/menu"]["get"]["responses"]["200"].is_object(), "keys are strings");
}

#[test]
fn unquoted_version_numbers_are_read_as_text() {
    let definition = read("swagger: 2.0\ninfo: {title: 42, version: 1.0}\npaths: {}");
    assert_eq!((definition.info.title.as_str(), definition.info.version.as_str()), ("42", "1.0"));
    assert_eq!(definition.document["swagger"], "2.0");
}

#[test]
fn keys_keep_their_order() {
    let definition = read(&with_paths("{/z: {}, /a: {}, /m: {}}"));
    let keys: Vec<&String> = definition.document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["/z", "/a", "/m"]);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert!(parse(format!("\u{feff}{PIZZA_V3}").as_bytes()).is_ok());
    assert!(parse(format!("\u{feff}{}", PIZZA_V2.trim()).as_bytes()).is_ok());
}

#[test]
fn schemas_may_refer_to_themselves() {
    let text =
        format!("{}components: {{schemas: {{A: {{items: {{$ref: '#/components/schemas/A'}}}}}}}}\n", with_paths("{}"));
    assert!(read(&text).warnings.is_empty());
}

#[test]
fn references_in_examples_are_data() {
    let text =
        with_paths("{/a: {get: {responses: {'200': {description: d, content: {j: {example: {$ref: '#/no'}}}}}}}}");
    assert!(read(&text).warnings.is_empty());
}

#[test]
fn an_anchor_of_yaml_is_expanded() {
    let text = with_paths("{/a: {get: &op {responses: {'200': {description: d}}}}, /b: {post: *op}}");
    assert_eq!(lines(&read(&text)), ["GET /a", "POST /b"]);
}

#[test]
fn scopes_of_wso2s_older_extension_are_read() {
    let text = with_paths("{}")
        + "x-wso2-security: {apim: {x-wso2-scopes: [{key: s, name: Scope, roles: 'a,b', description: d}]}}";
    let scope = &read(&text).scopes[0];
    assert_eq!((scope.name.as_str(), scope.display_name.as_str()), ("s", "Scope"));
    assert_eq!(scope.roles, ["a", "b"]);
}
