//! Ids that are unknown, and tricks with paths and parameters.

use super::{World, served};

/// In place of an id, as they stand in the request line.
const IDS: [&str; 13] = [
    super::UNKNOWN,
    "00000000-0000-4000-8000-00000000000Z",
    "0",
    "-1",
    "null",
    "%00",
    "%ff%fe",
    "%E2%80%AE",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e%2fapis",
    "..%5c..%5cwindows",
    "';DROP%20TABLE%20apis;--",
    "%7B%7D",
];

const PARAMETERS: [&str; 12] = [
    "limit=-1",
    "limit=many",
    "limit=99999999999999999999",
    "offset=-1",
    "offset=99999999999999999999",
    "offset=2147483648",
    "sortBy=%00",
    "sortOrder=sideways",
    "query=%22%22%22:::",
    "query=%ff%00",
    "apiId=%00",
    "applicationId=..%2F..",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_and_malformed_ids_are_refused_by_every_operation() {
    let mut world = World::start().await;
    let long = "x".repeat(4000);
    for (api, method, template) in served().into_keys() {
        let real = world.path(&api, &template);
        let depth = real.split('/').count() - template.split('/').count();
        for (place, _) in template.split('/').enumerate().filter(|(_, segment)| segment.starts_with('{')) {
            for id in IDS.into_iter().chain([long.as_str()]) {
                let mut segments: Vec<&str> = real.split('/').collect();
                segments[depth + place] = id;
                let path = segments.join("/");
                let mut request = world.request_at(&method, &path);
                if ["POST", "PUT", "PATCH"].contains(&method.as_str()) {
                    request = request.json(&serde_json::json!({}));
                }
                let shown: String = path.chars().take(200).collect();
                world.refuses(&format!("{method} {shown}"), request, None).await;
            }
        }
    }
    world.end(400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_parameters_are_refused_or_ignored_and_never_fail() {
    let mut world = World::start().await;
    for (api, method, template) in served().into_keys().filter(|(_, method, _)| method == "GET") {
        for parameter in PARAMETERS {
            let path = format!("{}?{parameter}", world.path(&api, &template));
            let answer = crate::support::Answer::of(world.request_at(&method, &path)).await;
            world.checked += 1;
            if answer.status >= 500 || (answer.status >= 400 && !answer.json()["code"].is_i64()) {
                world.complaints.push(format!("{method} {path}: {} {}", answer.status, answer.text));
            }
        }
    }
    world.end(200).await;
}
