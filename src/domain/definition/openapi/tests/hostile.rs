//! Documents made to exhaust the reader.

use std::time::{Duration, Instant};

use super::*;
use crate::definition::openapi::{FINDINGS_MAX, Limits, parse_within};

/// Far below what the documents would take if they were followed, and enough for a busy machine.
const QUICKLY: Duration = Duration::from_secs(60);

#[test]
fn a_billion_laughs_are_refused_quickly() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let refs = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{refs}]\n");
    }
    let start = Instant::now();
    assert!(errors(&text)[0].contains("not valid YAML"));
    assert!(start.elapsed() < QUICKLY, "{:?}", start.elapsed());
}

#[test]
fn an_alias_inside_its_own_anchor_is_refused() {
    assert!(errors("openapi: 3.0.1\nx: &x [*x]\n")[0].contains("not valid YAML"));
}

#[test]
fn merge_keys_cannot_blow_a_document_up() {
    let mut text = "m0: &m0 {k0: 1, k1: 1, k2: 1}\n".to_owned();
    for level in 1..2_000 {
        text += &format!("m{level}: &m{level} {{<<: *m{}, n{level}: 1}}\n", level - 1);
    }
    let start = Instant::now();
    assert_eq!(errors(&text).len(), 1);
    assert!(start.elapsed() < QUICKLY, "{:?}", start.elapsed());
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000] {
            let json = format!("{{\"openapi\": \"3.0.1\", \"x\": {}1{}}}", open.repeat(depth), close.repeat(depth));
            assert_eq!(errors(&json).len(), 1);
            let yaml = format!("openapi: 3.0.1\nx: {}1{}\n", open.repeat(depth), close.repeat(depth));
            assert_eq!(errors(&yaml).len(), 1);
        }
    }
}

#[test]
fn block_nesting_in_yaml_is_limited_too() {
    let text: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(errors(&text)[0].contains("not valid YAML"));
}

#[test]
fn sizes_and_counts_are_limited() {
    let limits = Limits { bytes_max: 50, ..Limits::default() };
    let error = parse_within(&[b' '; 51], &limits).unwrap_err().remove(0);
    assert_eq!(error.to_string(), "/: the document has 51 bytes, at most 50 are allowed");
    let limits = Limits { nodes_max: 1_000, ..Limits::default() };
    let many = vec!["1"; 1_000].join(",");
    let error = parse_within(format!("{{\"a\": [{many}]}}").as_bytes(), &limits).unwrap_err().remove(0);
    assert!(error.message.contains("more than 1000 values"), "{error}");
    assert!(parse_within(format!("a: [{many}]").as_bytes(), &limits).is_err());
}

#[test]
fn no_more_than_a_hundred_errors_are_reported() {
    let paths: Vec<String> = (0..500).map(|n| format!("bad{n}: {{}}")).collect();
    assert_eq!(errors(&with_paths(&format!("{{{}}}", paths.join(", ")))).len(), FINDINGS_MAX);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert_eq!(parse(b"\xff\xfe{\0}\0").unwrap_err()[0].message, "the document is not UTF-8 text");
    assert!(parse(b"a: \0").is_err());
}

#[test]
fn cycles_of_all_kinds_end() {
    let text = r##"{"openapi": "3.0.1", "info": {"title": "t", "version": "1"},
      "paths": {"/a": {"parameters": [{"$ref": "#/components/parameters/A"}], "get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}},
      "components": {"parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}},
        "responses": {"R": {"$ref": "#"}}, "securitySchemes": {"s": {"$ref": "#/components/securitySchemes/s"}}}}"##;
    assert!(errors(text).iter().any(|error| error.contains("leads back to itself")));
}

#[test]
fn a_thousand_operations_are_read_in_a_moment() {
    let paths: Vec<String> = (0..1_000)
        .map(|n| {
            format!(
                "  /r{n}/{{id}}:\n    get:\n      operationId: op{n}\n      parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]\n      responses: {{200: {{description: ok}}}}\n"
            )
        })
        .collect();
    let text = format!("openapi: 3.0.1\ninfo: {{title: t, version: '1'}}\npaths:\n{}", paths.concat());
    let start = Instant::now();
    assert_eq!(read(&text).operations.len(), 1_000);
    assert!(start.elapsed() < QUICKLY, "{:?}", start.elapsed());
}
