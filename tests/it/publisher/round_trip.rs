//! Every field that a client may write comes back.

use serde_json::{Value, json};

use crate::on_both_databases;

const SCHEMAS: &str = include_str!("../../fixtures/schemas/publisher.json");

/// Fields that the server sets, and those that speak of kinds of APIs which are not served.
const NOT_WRITABLE: [&str; 14] = [
    "id",
    "provider",
    "lifeCycleStatus",
    "hasThumbnail",
    "isRevision",
    "revisionedApiId",
    "revisionId",
    "createdTime",
    "lastUpdatedTimestamp",
    "lastUpdatedTime",
    "wsdlInfo",
    "wsdlUrl",
    "initiatedFromGateway",
    "type",
];

/// An API with every field that a client may write.
fn written() -> Value {
    serde_json::from_str(include_str!("../../fixtures/whole_api.json")).unwrap()
}

/// That `read` has everything of `written`; objects may have more.
fn assert_contains(read: &Value, written: &Value, at: &str) {
    match written {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| assert_contains(&read[name], value, &format!("{at}.{name}")))
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            assert_eq!(read.as_array().map(Vec::len), Some(items.len()), "{at}");
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| assert_contains(&read[index], item, &format!("{at}[{index}]")));
        }
        other => assert_eq!(read, other, "{at}"),
    }
}

#[test]
fn the_test_writes_every_writable_field_of_the_contract() {
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap();
    let written = written();
    let missing: Vec<&String> = schemas["$defs"]["API"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| written.get(name).is_none() && !NOT_WRITABLE.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

on_both_databases! {
    async fn every_writable_field_of_an_api_comes_back_after_an_update(sandbox) {
        let publisher = sandbox.publisher();
        let bare = json!({"name": "Whole", "version": "1.0.0", "context": "/whole"});
        let id = publisher.post("/apis", &bare).await.expect(201).field("id");
        let updated = publisher.put(&format!("/apis/{id}"), &written()).await.expect(200).json();
        assert_contains(&updated, &written(), "answer");
        let read = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        assert_contains(&read, &written(), "API");
        let again = publisher.put(&format!("/apis/{id}"), &read).await.expect(200).json();
        assert_contains(&again, &written(), "second answer");
    }
}
