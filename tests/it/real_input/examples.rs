//! The examples with which a publisher of API documentation tests its own tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;

use crate::support::actors::properties;
use crate::support::prepared::DEFINITIONS;
use crate::support::{DatabaseKind, Publisher, Sandbox};

/// What no gateway can serve, with the first fault: an operation without any response, and paths that go on behind a `#`,
/// which callers never send.
const REFUSED: [(&str, &str); 5] = [
    ("3.0/json/openapi-workshop/post.json", "/paths/~1hoot/post/responses"),
    ("3.0/json/parameters-style.json", "/paths/~1cookies#formNonExploded"),
    ("3.0/yaml/parameters-style.yaml", "/paths/~1cookies#formNonExploded"),
    ("3.1/json/parameters-style.json", "/paths/~1cookies#formNonExploded"),
    ("3.1/yaml/parameters-style.yaml", "/paths/~1cookies#formNonExploded"),
];

/// All definitions below `folder`, in a stable order.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json" || extension == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What became of one document.
enum Outcome {
    /// Verbs and targets of the API that it became.
    Served(Vec<String>),
    Refused(String),
}

/// Imports, deploys, reads back and deletes: examples share scopes, which only one API of a tenant may define.
async fn try_out(publisher: &Publisher, path: &Path, number: usize) -> Outcome {
    let text = std::fs::read_to_string(path).unwrap();
    let properties =
        properties(&format!("Example{number}"), &format!("/example/{number}"), &["Gold"], &publisher.backend_url);
    let answer = publisher.import(&text, &properties).await;
    if answer.status == 400 {
        return Outcome::Refused(answer.field("description"));
    }
    let api = answer.expect(201).json();
    let id = api["id"].as_str().unwrap();
    let operations: Vec<&Value> = api["operations"].as_array().unwrap().iter().collect();
    let document = publisher.get(&format!("/apis/{id}/swagger")).await.expect(200).json();
    for operation in &operations {
        let (verb, target) = (operation["verb"].as_str().unwrap(), operation["target"].as_str().unwrap());
        let shown = &document["paths"][target][verb.to_ascii_lowercase()];
        assert!(shown.is_object(), "{}: the definition shown lacks {verb} {target}", path.display());
    }
    // The same document in YAML becomes the same operations, which is compared below.
    if path.extension().is_some_and(|extension| extension == "json") {
        let revision = publisher.create_revision(id).await;
        publisher.deploy(id, &revision).await.expect(201);
        publisher.wait_until_deployed(id).await;
    }
    publisher.delete(&format!("/apis/{id}")).await.expect(200);
    let operations = operations.iter().map(|it| format!("{} {}", it["verb"], it["target"])).collect();
    Outcome::Served(operations)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_served_or_refused_with_the_place_of_the_fault() {
    let Some(folder) = DEFINITIONS.path("oas-examples") else { return };
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let publisher = sandbox.publisher();
    // A JSON pointer, or line and column where the text itself cannot be read.
    let place = Regex::new(r"(^|; )/[^ ]*: |line \d+ column \d+").unwrap();
    let documents = documents(&folder);
    assert!(documents.len() > 100, "only {} examples are there", documents.len());
    let (mut served, mut refused) = (BTreeMap::new(), Vec::new());
    for (number, path) in documents.iter().enumerate() {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        match try_out(&publisher, path, number).await {
            Outcome::Served(operations) => drop(served.insert(name, operations)),
            Outcome::Refused(reason) => {
                assert!(place.is_match(&reason), "{name} is refused without a place: {reason}");
                refused.push((name, reason));
            }
        }
    }
    println!("{} of {} examples are served; refused are:", served.len(), documents.len());
    for (name, reason) in &refused {
        println!("{name:<50} {reason}");
    }
    let faults: Vec<(&str, &str)> =
        refused.iter().map(|(name, reason)| (name.as_str(), reason.split(": ").next().unwrap())).collect();
    assert_eq!(faults, REFUSED);
    for (name, operations) in served.iter().filter(|(name, _)| name.ends_with(".yaml")) {
        assert_eq!(Some(operations), served.get(&name.replace("yaml", "json")), "{name} and its twin say the same");
    }
    sandbox.stop().await;
}
