//! Documents that are refused, each with its place and reason.

use super::*;

#[test]
fn what_is_no_definition_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", "/: the document is empty"),
        ("   \n", "/: the document is empty"),
        ("[]", "/: the document is not an object"),
        ("just text", "/: the document is not an object"),
        ("{}", "/: 'openapi' (or 'swagger' for 2.0) is required"),
        (r#"{"openapi": "3.0.1", "swagger": "2.0"}"#, "/: only one of 'swagger' and 'openapi' may be present"),
        ("openapi: 3.2.0", "/openapi: version \"3.2.0\" is not supported: use 2.0, 3.0.x or 3.1.x"),
        ("swagger: '1.2'", "/swagger: version \"1.2\" is not supported: use 2.0, 3.0.x or 3.1.x"),
        (r#"{"openapi": 3}"#, "/openapi: version 3 is not supported: use 2.0, 3.0.x or 3.1.x"),
    ] {
        assert_eq!(errors(text), [reason], "{text}");
    }
}

#[test]
fn syntax_errors_name_the_line() {
    let json = errors("{\n\"openapi\": \"3.0.1\",\n oops }");
    assert!(json[0].starts_with("/: the document is not valid JSON: ") && json[0].contains("line 3"), "{json:?}");
    let yaml = errors("openapi: 3.0.1\ninfo: [unclosed\npaths: {}\n");
    assert!(yaml[0].starts_with("/: the document is not valid YAML: ") && yaml[0].contains("line "), "{yaml:?}");
}

#[test]
fn equal_keys_in_one_object_are_refused() {
    assert!(errors(r#"{"openapi": "3.0.1", "openapi": "3.0.2"}"#)[0].contains("'openapi' appears twice"));
    assert_eq!(errors("openapi: 3.0.1\nopenapi: 3.0.2\n").len(), 1);
}

#[test]
fn the_head_is_checked_and_all_errors_are_collected() {
    let found = errors(r#"{"openapi": "3.0.1", "info": {"title": " ", "description": 1}, "servers": [{}]}"#);
    let expected = [
        "/info/title: 'title' must not be empty",
        "/info: 'version' is required",
        "/info/description: 'description' must be a string",
        "/servers/0: a server needs a 'url'",
        "/: 'paths' is required",
    ];
    assert_eq!(found, expected);
}

#[test]
fn two_operations_for_one_call_are_refused_but_other_verbs_of_the_same_paths_are_not() {
    let item = |verb: &str, name: &str| {
        format!("{{{verb}: {{parameters: [{{name: {name}, in: path, schema: {{}}}}], responses: {{default: {{}}}}}}}}")
    };
    let both =
        |verb: &str| with_paths(&format!("{{'/x/{{y}}': {}, '/x/{{z}}': {}}}", item("get", "y"), item(verb, "z")));
    assert_eq!(errors(&both("get")), ["/paths/~1x~1{z}/get: matches the same calls as 'get' of '/x/{y}'"]);
    let parsed = parse(both("delete").as_bytes()).unwrap();
    assert_eq!(parsed.operations.len(), 2);
    assert!(parsed.warnings.iter().any(|it| it.to_string() == "/paths/~1x~1{z}: matches the same paths as '/x/{y}'"));
}

#[test]
fn paths_are_checked() {
    let paths = "{menu: {}, '/a/{b': {}, /v: {fetch: {}}, /w: 3, /p: {get: 1}}";
    let found = errors(&with_paths(paths));
    let expected = [
        "/paths/menu: a path must begin with '/'",
        "/paths/~1a~1{b: '{' without '}'",
        "/paths/~1v/fetch: 'fetch' is neither an HTTP method nor a field of a path item",
        "/paths/~1w: a path item must be an object",
        "/paths/~1p/get: an operation must be an object",
    ];
    assert_eq!(found, expected);
}

#[test]
fn path_variables_must_be_declared() {
    let ok = "responses: {'200': {description: d}}";
    let declared = "[{name: id, in: path, required: true, schema: {type: string}}]";
    let found = errors(&with_paths(&format!(
        "{{'/a/{{id}}': {{get: {{{ok}}}, put: {{parameters: {declared}, {ok}}}}}, '/b/{{id}}': {{parameters: {declared}, get: {{{ok}}}}}}}"
    )));
    assert_eq!(found, ["/paths/~1a~1{id}/get: the path variable 'id' is not declared as a path parameter"]);
}

#[test]
fn parameters_are_checked() {
    let list = "[{in: query}, {name: a, in: body, schema: {}}, {name: b, in: query}, {name: c, in: query, schema: {}}, {name: c, in: query, schema: {}}]";
    let found = errors(&with_paths(&format!("{{/a: {{parameters: {list}}}, /b: {{parameters: 1}}}}")));
    let expected = [
        "/paths/~1a/parameters/0: a parameter needs 'name' and 'in'",
        "/paths/~1a/parameters/1: 'in: body' is not one of path, query, header, cookie",
        "/paths/~1a/parameters/2: the parameter 'b' needs 'schema' or 'content'",
        "/paths/~1a/parameters/4: the query parameter 'c' is declared twice",
        "/paths/~1b/parameters: 'parameters' must be an array",
    ];
    assert_eq!(found, expected);
}

#[test]
fn responses_and_operation_ids_are_checked() {
    let found = errors(&with_paths(
        "{/a: {get: {operationId: x, responses: {}}, put: {operationId: x, responses: {ok: {}, '600': {}, '200': 1}}, post: {}}}",
    ));
    let expected = [
        "/paths/~1a/get/responses: at least one response is required",
        "/paths/~1a/put/operationId: 'x' is already used at /paths/~1a/get",
        "/paths/~1a/put/responses/ok: 'ok' is no response code",
        "/paths/~1a/put/responses/600: '600' is no response code",
        "/paths/~1a/put/responses/200: a response must be an object",
        "/paths/~1a/post: 'responses' is required",
    ];
    assert_eq!(found, expected);
}

#[test]
fn references_must_lead_somewhere() {
    let paths = "{/a: {$ref: 'other.yaml#/a'}, /b: {$ref: '#/none'}, /c: {$ref: '#/paths/~1c'}, /d: {parameters: [{$ref: '#/x~1y'}]}}";
    let found = errors(&with_paths(paths));
    let expected = [
        "/paths/~1a: a path item in another document is not supported: put it into this one",
        "/paths/~1b: the reference leads nowhere",
        "/paths/~1c: the reference leads back to itself",
        "/paths/~1b: the reference '#/none' leads nowhere",
        "/paths/~1c: the reference '#/paths/~1c' leads back to itself",
        "/paths/~1d/parameters/0: the reference '#/x~1y' leads nowhere",
    ];
    assert_eq!(found, expected);
}
