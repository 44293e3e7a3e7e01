//! Archives: out of one node and into another.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use client::guarded_archive::{ArchiveFile, ArchiveLimits, read, write};

use crate::on_both_databases;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;
use crate::support::{DatabaseKind, Publisher, Sandbox};

const BASE: &str = "/api/am/publisher/v4";

async fn export(publisher: &Publisher, query: &str) -> Vec<ArchiveFile> {
    let answer = publisher.rest.request(Method::GET, &format!("{BASE}/apis/export?{query}")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    assert_eq!(answer.headers()["content-type"], "application/zip");
    read(&answer.bytes().await.unwrap(), &ArchiveLimits::default()).unwrap()
}

async fn import(publisher: &Publisher, query: &str, files: &[ArchiveFile]) -> Answer {
    let form = Form::new().part("file", Part::bytes(write(files).unwrap()).file_name("api.zip"));
    let request = publisher.rest.request(Method::POST, &format!("{BASE}/apis/import?{query}"));
    Answer::of(request.header("accept", "application/json").multipart(form)).await
}

fn names(files: &[ArchiveFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

/// The archive's texts without ids and times.
fn without_ids_and_times(files: &[ArchiveFile]) -> Vec<(String, String)> {
    const OWN: [&str; 4] = ["id", "createdTime", "lastUpdatedTime", "lastUpdatedTimestamp"];
    let is_own = |line: &&str| {
        let line = line.trim_start_matches([' ', '"']);
        OWN.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', '"'])))
    };
    files
        .iter()
        .map(|file| {
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            (file.path.clone(), text.lines().filter(|line| !is_own(line)).collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// A published API whose operations differ in what they ask for.
async fn published(publisher: &Publisher) -> String {
    let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited", "Gold"]).await;
    let mut whole = publisher.get(&format!("/apis/{}", api.id)).await.expect(200).json();
    whole["operations"][0]["authType"] = json!("None");
    whole["description"] = json!("yes: \"it's\" 1.0 # pizza \u{1f355}");
    whole["tags"] = json!(["1.0", "no", "food"]);
    publisher.put(&format!("/apis/{}", api.id), &whole).await.expect(200);
    let revision = publisher.create_revision(&api.id).await;
    publisher.deploy(&api.id, &revision).await.expect(201);
    publisher.wait_until_deployed(&api.id).await;
    api.id
}

on_both_databases! {
    async fn an_exported_archive_serves_the_same_on_a_second_empty_node(sandbox) {
        let publisher = sandbox.publisher();
        let id = published(&publisher).await;
        for format in ["YAML", "JSON"] {
            let archive = export(&publisher, &format!("apiId={id}&latestRevision=true&format={format}")).await;
            let extension = format.to_lowercase();
            let expected = ["api", "Definitions/swagger", "deployment_environments"].map(|name| format!("Pizza-1.0.0/{name}.{extension}"));
            assert_eq!(names(&archive), expected);
            if format == "YAML" {
                assert_eq!(archive[1].bytes, PIZZA.as_bytes(), "the definition is kept byte for byte");
            }

            let mut second = Sandbox::start(DatabaseKind::Sqlite).await;
            let other = second.publisher();
            let imported = import(&other, "preserveProvider=true&rotateRevision=false", &archive).await.expect(200);
            other.wait_until_deployed(&imported.field("id")).await;
            second.anonymous_caller().wait_for("/pizza/1.0.0/menu", 200).await;
            let keys = second.subscriber().ready_to_call("Phone", &imported.field("id"), "Unlimited").await;
            second.caller(&keys.token).wait_for("/pizza/1.0.0/menu/7", 200).await;
            second.anonymous_caller().get("/pizza/1.0.0/menu/7").await.expect(401);
            let again = export(&other, &format!("name=Pizza&version=1.0.0&providerName=admin&format={format}")).await;
            assert_eq!(without_ids_and_times(&again), without_ids_and_times(&archive));
            let api = other.get(&format!("/apis/{}", imported.field("id"))).await.expect(200).json();
            assert_eq!((&api["lifeCycleStatus"], &api["tags"]), (&json!("PUBLISHED"), &json!(["1.0", "no", "food"])));
            second.stop().await;
        }
    }

    async fn an_import_overwrites_only_when_told_and_rotates_revisions_only_when_told(sandbox) {
        let publisher = sandbox.publisher();
        let id = published(&publisher).await;
        let archive = export(&publisher, &format!("apiId={id}")).await;
        let refused = import(&publisher, "", &archive).await.expect(409);
        assert!(refused.field("description").contains("overwrite=true"), "{}", refused.text);
        for _ in 0..3 {
            let imported = import(&publisher, "overwrite=true", &archive).await.expect(200);
            assert_eq!(imported.field("id"), id);
        }
        let refused = import(&publisher, "overwrite=true", &archive).await.expect(400);
        assert!(refused.field("description").starts_with("rotateRevision: "), "{}", refused.text);
        import(&publisher, "overwrite=true&rotateRevision=true", &archive).await.expect(200);
        let revisions = publisher.get(&format!("/apis/{id}/revisions")).await.expect(200).json();
        let numbers: Vec<&str> =
            revisions["list"].as_array().unwrap().iter().map(|own| own["displayName"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["Revision 2", "Revision 3", "Revision 4", "Revision 5", "Revision 6"]);
        publisher.wait_until_deployed(&id).await;
    }

    async fn a_dry_run_says_whether_it_would_work_and_changes_nothing(sandbox) {
        let publisher = sandbox.publisher();
        let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let mut archive = export(&publisher, &format!("apiId={id}&preserveStatus=false")).await;
        import(&publisher, "dryRun=true", &archive).await.expect(409);
        publisher.delete(&format!("/apis/{id}")).await.expect(200);
        let report = import(&publisher, "dryRun=true", &archive).await.expect(200).json();
        assert_eq!(report, json!({"compliance-check": {"result": "pass", "violations": []}}));
        let list = publisher.get("/apis").await.expect(200).json();
        assert_eq!(list["count"], 0);

        let text = String::from_utf8(archive[0].bytes.clone()).unwrap();
        archive[0].bytes = text.replace("Gold", "Diamond").into_bytes();
        for query in ["", "dryRun=true"] {
            assert_eq!(import(&publisher, query, &archive).await.expect(400).json()["code"], 900305);
        }
        archive[0].bytes = text.replace("provider: admin", "provider: eve@evil.example").into_bytes();
        import(&publisher, "", &archive).await.expect(403);
        import(&publisher, "preserveProvider=false", &archive).await.expect(200);
    }

    async fn a_broken_archive_is_named_and_leaves_nothing(sandbox) {
        let publisher = sandbox.publisher();
        let api = "type: api\nversion: v4.7.0\ndata:\n  name: Pizza\n  version: 1.0.0\n  context: /pizza\n";
        let file = |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let environments = |name: &str| format!("type: deployment_environments\ndata:\n- deploymentEnvironment: {name}\n");
        let deep = format!("type: api\ndata: {}{}", "[".repeat(500), "]".repeat(500));
        let broken: Vec<(Vec<ArchiveFile>, &str)> = vec![
            (vec![file("readme.md", "x")], "file"),
            (vec![file("api.yaml", "type: api\ndata: {name: Pizza}")], "version"),
            (vec![file("api.yaml", "type: api\ndata: {name: 7, version: '1', context: /x}")], "name"),
            (vec![file("api.yaml", &deep)], "file"),
            (vec![file("api.yaml", &api.replace("/pizza", "/../pizza"))], "context"),
            (vec![file("api.yaml", &format!("{api}  policies: [Diamond]\n"))], "policies"),
            (vec![file("api.yaml", &format!("{api}  type: WS\n"))], "type"),
            (vec![file("api.yaml", api), file("Definitions/swagger.yaml", "openapi: 9")], "openapi"),
            (vec![file("api.yaml", api), file("deployment_environments.yaml", &environments("Nowhere"))], "Nowhere"),
            (vec![file("api.yaml", api), file("Endpoint-certificates/a.crt", "x")], "Endpoint-certificates"),
            (vec![file("bomb", &"0".repeat(20 << 20))], "bomb"),
        ];
        for (files, named) in broken {
            let answer = import(&publisher, "", &files).await.expect(400);
            assert!(answer.field("description").contains(named), "{named}: {}", answer.text);
        }
        let noise = Form::new().part("file", Part::bytes(b"PK no zip at all".to_vec()).file_name("a.zip"));
        publisher.multipart("/apis/import", noise).await.expect(400);
        publisher.multipart("/apis/import", Form::new().text("other", "x")).await.expect(400);
        let list: Value = publisher.get("/apis").await.expect(200).json();
        assert_eq!(list["count"], 0, "{list}");
        import(&publisher, "", &[file("api.yaml", api), file("deployment_environments.yaml", &environments("Default"))]).await.expect(200);
    }
}
