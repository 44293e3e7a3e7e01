//! API keys: made in the portal, taken by the gateway, gone when revoked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_every_topology;
use crate::support::actors::{Published, properties};
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Credentials};
use crate::support::{Caller, Sandbox, eventually};

/// An API that takes API keys beside tokens, and an application that is subscribed to it.
async fn scene(sandbox: &Sandbox) -> (Published, String) {
    let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
    let mut wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
    wish["securityScheme"] = json!(["oauth2", "api_key", "oauth_basic_auth_api_key_mandatory"]);
    let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
    let revision = publisher.create_revision(&id).await;
    publisher.deploy(&id, &revision).await.expect(201);
    publisher.change_lifecycle(&id, "Publish").await.expect(200);
    publisher.wait_until_deployed(&id).await;
    let application = subscriber.create_application("Phone", "Unlimited").await;
    subscriber.subscribe(&application, &id, "Gold").await.expect(201);
    (Published { id, context: "/pizza/1.0.0".to_owned() }, application)
}

fn path(application: &str, action: &str) -> String {
    format!("/applications/{application}/api-keys/PRODUCTION{action}")
}

async fn with_key(caller: &Caller, path: &str, key: &str) -> Answer {
    Answer::of(caller.rest.request(Method::GET, path).header("apikey", key)).await
}

async fn wait_with_key(caller: &Caller, path: &str, key: &str, status: u16) -> Answer {
    eventually(&format!("the key hears {status}"), async || {
        let answer = with_key(caller, path, key).await;
        (answer.status == status).then_some(answer)
    })
    .await
}

on_every_topology! {
    async fn a_key_calls_until_it_is_revoked_and_survives_a_restart(sandbox) {
        let (api, application) = scene(sandbox).await;
        let subscriber = sandbox.subscriber();
        let body = json!({"keyName": "till", "validityPeriod": 3600});
        let made = subscriber.post(&path(&application, "/generate"), &body).await.expect(200);
        assert_eq!((made.field("keyName").as_str(), &made.json()["validityPeriod"]), ("till", &json!(3600)));
        let key = made.field("apikey");
        let menu = format!("{}/menu", api.context);
        wait_with_key(&sandbox.anonymous_caller(), &menu, &key, 200).await;
        let by_query = sandbox.anonymous_caller().get(&format!("{menu}?a=%2F&apikey={key}")).await.expect(200);
        assert_eq!(by_query.text, "{\"from\":\"backend\"}");
        let seen = sandbox.backend.last();
        assert_eq!(seen.path_and_query, "/menu?a=%2F");
        assert!(!seen.headers.contains_key("apikey"));
        sandbox.restart().await;
        wait_with_key(&sandbox.anonymous_caller(), &menu, &key, 200).await;
        let subscriber = sandbox.subscriber();
        subscriber.post(&path(&application, "/revoke"), &json!({"apikey": key})).await.expect(200);
        let refused = wait_with_key(&sandbox.anonymous_caller(), &menu, &key, 401).await;
        assert_eq!(refused.json()["code"], "900901");
        sandbox.restart().await;
        wait_with_key(&sandbox.anonymous_caller(), &menu, &key, 401).await;
        sandbox.subscriber().post(&path(&application, "/revoke"), &json!({"apikey": key})).await.expect(404);
    }

    async fn keys_are_listed_without_their_text_and_revoked_by_id(sandbox) {
        let (api, application) = scene(sandbox).await;
        let subscriber = sandbox.subscriber();
        let one = subscriber.post(&path(&application, "/generate"), &json!({"keyName": "one"})).await.expect(200);
        assert_eq!(one.json()["validityPeriod"], -1);
        let empty = subscriber.rest.post_empty(&format!("/api/am/devportal/v3{}", path(&application, "/generate"))).await;
        assert!(!empty.expect(200).field("keyName").is_empty(), "the body may be left out");
        let listed = subscriber.get(&path(&application, "")).await.expect(200);
        assert_eq!((listed.json()["count"].clone(), listed.json()["list"][0]["keyName"].clone()), (json!(2), json!("one")));
        assert!(!listed.text.contains(&one.field("apikey")));
        let sandbox_keys = subscriber.get(&format!("/applications/{application}/api-keys/SANDBOX")).await.expect(200);
        assert_eq!(sandbox_keys.json()["count"], 0);
        let menu = format!("{}/menu", api.context);
        wait_with_key(&sandbox.anonymous_caller(), &menu, &one.field("apikey"), 200).await;
        let id = listed.json()["list"][0]["keyUUID"].clone();
        subscriber.post(&path(&application, "/revoke"), &json!({"keyUUID": id})).await.expect(200);
        wait_with_key(&sandbox.anonymous_caller(), &menu, &one.field("apikey"), 401).await;
        assert_eq!(subscriber.get(&path(&application, "")).await.json()["count"], 1);
        subscriber.delete(&format!("/applications/{application}")).await.expect(200);
        subscriber.get(&path(&application, "")).await.expect(404);
    }

    async fn wishes_that_cannot_be_met_name_their_field(sandbox) {
        let (_, application) = scene(sandbox).await;
        let subscriber = sandbox.subscriber();
        let long = "x".repeat(101);
        for (body, field) in [
            (json!({"validityPeriod": 0}), "validityPeriod"),
            (json!({"validityPeriod": -2}), "validityPeriod"),
            (json!({"validityPeriod": 1_i64 << 31}), "validityPeriod"),
            (json!({"validityPeriod": "soon"}), "validityPeriod"),
            (json!({"keyName": long}), "keyName"),
            (json!({"keyName": 7}), "keyName"),
            (json!({"additionalProperties": []}), "additionalProperties"),
            (json!({"additionalProperties": {"permittedIP": "10.0.0.0/64"}}), "permittedIP"),
            (json!({"additionalProperties": {"permittedIP": 1}}), "permittedIP"),
            (json!({"additionalProperties": {"permittedReferer": "https://*"}}), "permittedReferer"),
        ] {
            let refused = subscriber.post(&path(&application, "/generate"), &body).await.expect(400);
            assert!(refused.field("description").contains(field), "{body}: {}", refused.text);
        }
        for body in [json!({}), json!({"apikey": "a", "keyUUID": "b"})] {
            subscriber.post(&path(&application, "/revoke"), &body).await.expect(400);
        }
        for body in [json!({"apikey": "unheard"}), json!({"keyUUID": "unheard"})] {
            subscriber.post(&path(&application, "/revoke"), &body).await.expect(404);
        }
        let other_type = subscriber.get(&format!("/applications/{application}/api-keys/OTHER")).await.expect(400);
        assert!(other_type.field("description").contains("keyType"), "{}", other_type.text);
        let unknown = "00000000-0000-4000-8000-000000000000";
        subscriber.get(&path(unknown, "")).await.expect(404);
        subscriber.post(&path(unknown, "/generate"), &Value::Object(serde_json::Map::new())).await.expect(404);
        assert_eq!(subscriber.get(&path(&application, "")).await.json()["count"], 0, "nothing half-written");
    }

    async fn an_api_key_is_no_token_anywhere(sandbox) {
        let (api, application) = scene(sandbox).await;
        let key = sandbox.subscriber().post(&path(&application, "/generate"), &json!({})).await.expect(200).field("apikey");
        let menu = format!("{}/menu", api.context);
        wait_with_key(&sandbox.anonymous_caller(), &menu, &key, 200).await;
        let bearer = sandbox.caller(&key);
        assert_eq!(bearer.get(&menu).await.expect(401).json()["code"], "900901");
        let management = sandbox.rest(Credentials::Bearer(key));
        management.get("/api/am/devportal/v3/applications").await.expect(401);
    }
}
