//! Bodies that are no JSON of the expected shape at all.

use super::{Operation, World, served};

/// Operations that read no body, or do without one: nothing in it is wrong.
const BODILESS: [&str; 4] = [
    "publisher POST /apis/change-lifecycle",
    "publisher POST /apis/{apiId}/generate-key",
    "devportal POST /applications/{applicationId}/oauth-keys/{keyMappingId}/clean-up",
    "devportal POST /applications/{applicationId}/oauth-keys/{keyMappingId}/regenerate-secret",
];

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("an empty body", Vec::new()),
        ("half an object", b"{\"name\": ".to_vec()),
        ("text", b"name=Pizza".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"17".to_vec()),
        ("a string", b"\"Pizza\"".to_vec()),
        ("an array of numbers", b"[1, 2]".to_vec()),
        ("two objects", b"{} {}".to_vec()),
        ("bytes that are no text", vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}']),
        ("deep arrays", [b"[".repeat(20_000), b"]".repeat(20_000)].concat()),
        ("deep objects", [b"{\"name\":".repeat(20_000), b"1".to_vec(), b"}".repeat(20_000)].concat()),
        ("a body that is too large", [b"{\"name\":\"".to_vec(), vec![b'x'; 2 << 20], b"\"}".to_vec()].concat()),
    ]
}

fn reads_a_body((api, method, path): &Operation) -> bool {
    ["POST", "PUT", "PATCH"].contains(&method.as_str())
        && !BODILESS.contains(&format!("{api} {method} {path}").as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_not_the_expected_json_are_refused_by_every_operation() {
    let mut world = World::start().await;
    for operation in served().into_keys().filter(reads_a_body) {
        for (what, body) in bodies() {
            let request = world.request(&operation).header("content-type", "application/json").body(body);
            world.refuses(&format!("{operation:?} with {what}"), request, None).await;
        }
    }
    world.end(150).await;
}
