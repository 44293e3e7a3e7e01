//! Many publishers at a time lose nothing and see no server error.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::Publisher;
use crate::support::rest::Answer;

const PUBLISHERS: usize = 100;
const UPDATES: usize = 3;

/// Repeats what the node was too busy for; everything else must be the wished status.
async fn until_served(mut request: impl AsyncFnMut() -> Answer, wished: u16) -> Answer {
    loop {
        let answer = request().await;
        if answer.status != 503 {
            return answer.expect(wished);
        }
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

/// Creates an API, changes it, freezes and deploys it.
async fn work(publisher: Publisher, number: usize) -> (String, Value) {
    let body = json!({"name": format!("Api{number}"), "version": "1.0.0", "context": format!("/api{number}")});
    let mut api = until_served(async || publisher.post("/apis", &body).await, 201).await.json();
    let path = format!("/apis/{}", api["id"].as_str().unwrap());
    for update in 0..UPDATES {
        api["description"] = json!(format!("change {update} of {number}"));
        until_served(async || publisher.put(&path, &api).await, 200).await;
    }
    let revisions = format!("{path}/revisions");
    let revision = until_served(async || publisher.post(&revisions, &json!({})).await, 201).await.field("id");
    let deploy = format!("{path}/deploy-revision?revisionId={revision}");
    let target = json!([{"name": "Default", "vhost": "localhost"}]);
    until_served(async || publisher.post(&deploy, &target).await, 201).await;
    (path, api)
}

on_both_databases! {
    async fn a_hundred_publishers_lose_no_update(sandbox) {
        let publisher = sandbox.publisher();
        for (path, api) in join_all((0..PUBLISHERS).map(|number| work(publisher.clone(), number))).await {
            let stored = publisher.get(&path).await.expect(200).json();
            assert_eq!(stored["description"], api["description"]);
        }
        let list = publisher.get("/apis?limit=1").await.expect(200).json();
        assert_eq!(list["pagination"]["total"], PUBLISHERS);
        let caller = sandbox.anonymous_caller();
        for number in 0..PUBLISHERS {
            caller.wait_for(&format!("/api{number}/1.0.0/x"), 401).await;
        }
    }

    /// Everybody changes the same API with If-Match: each acknowledged change is there, each lost race is a 412.
    async fn changes_of_one_api_are_never_lost(sandbox) {
        let publisher = sandbox.publisher();
        let body = json!({"name": "Shared", "version": "1.0.0", "context": "/shared", "tags": []});
        let id = publisher.post("/apis", &body).await.expect(201).field("id");
        join_all((0..20).map(|number| add_tag(publisher.clone(), id.clone(), number))).await;
        let stored = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        let mut tags: Vec<u64> = stored["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().parse().unwrap()).collect();
        tags.sort_unstable();
        assert_eq!(tags, (0..20).collect::<Vec<_>>());
    }

    /// A context belongs to one API, and one version is the default, however many ask for it at the same time.
    async fn rules_over_several_apis_hold_under_concurrency(sandbox) {
        let publisher = sandbox.publisher();
        let make = async |name: String, version: String, context: &'static str| {
            let body = json!({
                "name": name, "version": version, "context": context, "isDefaultVersion": true,
                "policies": ["Unlimited"],
                "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://localhost"}},
            });
            loop {
                let answer = publisher.post("/apis", &body).await;
                if answer.status != 503 {
                    return answer.status;
                }
            }
        };
        let rivals = join_all((0..10).map(|number| make(format!("Rival{number}"), format!("{number}"), "/same"))).await;
        assert_eq!(rivals.iter().filter(|status| **status == 201).count(), 1, "{rivals:?}");
        assert!(rivals.iter().all(|status| [201, 409].contains(status)), "{rivals:?}");
        let versions = join_all((0..10).map(|number| make("One".to_owned(), format!("{number}"), "/one"))).await;
        assert_eq!(versions, [201; 10]);
        let list = publisher.get("/apis?query=name:One&limit=20").await.expect(200).json();
        let ids: Vec<&str> = list["list"].as_array().unwrap().iter().map(|api| api["id"].as_str().unwrap()).collect();
        // The flag counts from the publication on.
        let publications = ids.iter().map(|id| {
            until_served(async || publisher.change_lifecycle(id, "Publish").await, 200)
        });
        join_all(publications).await;
        let mut defaults = 0;
        for id in ids {
            let api = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
            defaults += usize::from(api["isDefaultVersion"] == true);
        }
        assert_eq!(defaults, 1);
    }
}

/// Read, change, write if nobody was faster; until it worked.
async fn add_tag(publisher: Publisher, id: String, number: usize) {
    let path = format!("/api/am/publisher/v4/apis/{id}");
    loop {
        let read = publisher.rest.get(&path).await;
        if read.status == 503 {
            continue;
        }
        let mut api = read.clone().expect(200).json();
        api["tags"].as_array_mut().unwrap().push(json!(number.to_string()));
        let request = publisher.rest.request(reqwest::Method::PUT, &path).json(&api);
        let answer = Answer::of(request.header("if-match", read.header("etag").unwrap())).await;
        match answer.status {
            200 => return,
            412 | 503 => {}
            other => panic!("{other}: {}", answer.text),
        }
    }
}
