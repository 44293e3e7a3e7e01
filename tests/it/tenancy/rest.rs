//! Making tenants, and what the management APIs do for their people.

use reqwest::Method;
use serde_json::json;

use crate::on_both_databases;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Credentials};
use crate::support::{DatabaseKind, Sandbox, Tenant};

const TENANTS: &str = "/api/am/admin/v4/tenants";

on_both_databases! {
    /// Nothing is loaded at first use: roles, policies, keys and settings are there when the tenant is.
    async fn the_first_calls_after_a_tenant_was_made_work(sandbox) {
        let tenant = Tenant::create(sandbox, "one.example").await;
        let listed = sandbox.admin_rest().get(TENANTS).await.expect(200).json();
        assert_eq!((listed["count"].as_i64(), listed["list"][0]["tenantId"].as_i64()), (Some(1), Some(1)));
        let policies = tenant.rest.get("/api/am/admin/v4/throttling/policies/subscription").await.expect(200).json();
        assert!(policies["count"].as_i64() > Some(3), "{policies}");
        let again = json!({"tenantDomain": "one.example", "adminUsername": "other", "adminPassword": "secret"});
        sandbox.admin_rest().post(TENANTS, &again).await.expect(409);
        let second = Tenant::create(sandbox, "two.example").await;
        second.rest.get("/api/am/publisher/v4/apis").await.expect(200);
        sandbox.restart().await;
        Tenant::sign_in(sandbox, "one.example").await.rest.get("/api/am/publisher/v4/apis").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_cannot_be_made_is_refused_with_the_field() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let good = json!({"tenantDomain": "one.example", "adminUsername": "admin", "adminPassword": "secret"});
    for (field, value) in [
        ("tenantDomain", json!("One.example")),
        ("tenantDomain", json!("")),
        ("tenantDomain", json!("../x")),
        ("tenantDomain", json!(7)),
        ("tenantDomain", json!(null)),
        ("tenantDomain", json!("x".repeat(300))),
        ("adminUsername", json!("a b")),
        ("adminUsername", json!("")),
        ("adminPassword", json!("1234")),
        ("adminPassword", json!("x".repeat(100_000))),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = sandbox.admin_rest().post(TENANTS, &body).await;
        assert_eq!(answer.status, 400, "{field} {value}: {}", answer.text);
        assert!(answer.json()["description"].as_str().unwrap().contains(field), "{field} {value}: {}", answer.text);
    }
    let taken = json!({"tenantDomain": "carbon.super", "adminUsername": "admin", "adminPassword": "secret"});
    sandbox.admin_rest().post(TENANTS, &taken).await.expect(409);
    assert_eq!(sandbox.admin_rest().get(TENANTS).await.expect(200).json()["count"], 0);
    let tenant = Tenant::create(&sandbox, "one.example").await;
    tenant.rest.get(TENANTS).await.expect(403);
    tenant
        .rest
        .post(TENANTS, &json!({"tenantDomain": "a.b", "adminUsername": "admin", "adminPassword": "secret"}))
        .await
        .expect(403);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_is_taken_with_and_without_its_tenant_and_comes_back_with_it() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let tenant = Tenant::create(&sandbox, "one.example").await;
    let publisher = tenant.publisher();
    let create = async |name: &str, context: &str| {
        publisher.post("/apis", &json!({"name": name, "version": "1.0.0", "context": context})).await
    };
    for (name, context, expected) in [
        ("A", "a", "/t/one.example/a"),
        ("B", "/t/one.example/b", "/t/one.example/b"),
        ("C", "/{version}/c", "/t/one.example/{version}/c"),
    ] {
        let created = create(name, context).await.expect(201);
        assert_eq!(created.field("context"), expected);
        let id = created.field("id");
        publisher.put(&format!("/apis/{id}"), &created.json()).await.expect(200);
        assert_eq!(publisher.get(&format!("/apis/{id}")).await.expect(200).field("context"), expected);
    }
    let listed = publisher.get("/apis").await.expect(200).text;
    assert!(
        listed.contains("\"/t/one.example/a\"") && listed.contains("\"provider\":\"admin@one.example\""),
        "{listed}"
    );
    for context in ["/t/two.example/x", "/t/carbon.super/x", "/t/one.example", "/t"] {
        create("X", context).await.expect(400);
    }
    let own = sandbox.publisher().post("/apis", &json!({"name": "A", "version": "1.0.0", "context": "/a"})).await;
    assert_eq!(own.expect(201).field("context"), "/a");
    sandbox
        .publisher()
        .post("/apis", &json!({"name": "T", "version": "1.0.0", "context": "/t/one.example/a"}))
        .await
        .expect(400);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_developer_portal_shows_a_tenants_public_apis_to_whom_asks_for_that_tenant() {
    const APIS: &str = "/api/am/devportal/v3/apis";
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let tenant = Tenant::create(&sandbox, "one.example").await;
    let open = tenant.publisher().publish(PIZZA, "Open", "/open", &["Gold"]).await;
    let mut private = properties("Private", "/private", &["Gold"], "http://localhost:1");
    private["visibility"] = json!("PRIVATE");
    let definition = PIZZA.replace("order:cancel", "other:cancel");
    let private = tenant.publisher().import(&definition, &private).await.expect(201).field("id");
    tenant.publisher().change_lifecycle(&private, "Publish").await.expect(200);

    let names = async |credentials: Credentials, header: Option<&str>, query: &str| {
        let mut request = sandbox.rest(credentials).request(Method::GET, &format!("{APIS}{query}"));
        if let Some(header) = header {
            request = request.header("X-WSO2-Tenant", header);
        }
        let list = Answer::of(request).await.expect(200).json()["list"].clone();
        list.as_array().unwrap().iter().map(|api| api["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let own = || Credentials::Bearer(tenant.token.clone());
    assert_eq!(names(own(), None, "").await, ["Open", "Private"]);
    assert_eq!(names(own(), Some("one.example"), "").await, ["Open", "Private"]);
    assert_eq!(names(Credentials::None, Some("one.example"), "").await, ["Open"]);
    assert_eq!(names(Credentials::None, None, "?requestedTenant=one.example").await, ["Open"]);
    assert_eq!(names(sandbox.admin_rest().credentials, Some("one.example"), "").await, ["Open"]);
    for (header, query) in
        [(None, ""), (Some("carbon.super"), ""), (Some("no.example"), ""), (None, "?requestedTenant=no.example")]
    {
        assert!(names(Credentials::None, header, query).await.is_empty(), "{header:?} {query}");
    }
    assert!(names(own(), Some("carbon.super"), "").await.is_empty());
    let refused = sandbox.rest(Credentials::None).request(Method::GET, APIS).header("X-WSO2-Tenant", "No/Tenant");
    assert!(Answer::of(refused).await.expect(400).text.contains("X-WSO2-Tenant"));

    let anonymous = sandbox.rest(Credentials::None);
    let shown = anonymous.get(&format!("{APIS}/{}?requestedTenant=one.example", open.id)).await.expect(200).json();
    assert_eq!(shown["context"], "/t/one.example/open/1.0.0");
    let url = shown["endpointURLs"][0]["URLs"]["https"].as_str().unwrap();
    assert!(url.ends_with("/t/one.example/open/1.0.0"), "{url}");
    for id in [&open.id, &private] {
        anonymous.get(&format!("{APIS}/{id}")).await.expect(404);
    }
    anonymous.get(&format!("{APIS}/{private}?requestedTenant=one.example")).await.expect(404);
    sandbox.stop().await;
}
