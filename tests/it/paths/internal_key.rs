//! Internal keys: a publisher tries an API out before anybody else may call it.

use reqwest::Method;

use crate::on_every_topology;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Credentials};
use crate::support::{Caller, eventually};

async fn with_key(caller: &Caller, path: &str, key: &str) -> Answer {
    Answer::of(caller.rest.request(Method::GET, path).header("Internal-Key", key)).await
}

on_every_topology! {
    async fn a_created_api_is_tried_out_by_its_publisher_only(sandbox) {
        let publisher = sandbox.publisher();
        let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let revision = publisher.create_revision(&id).await;
        publisher.deploy(&id, &revision).await.expect(201);
        publisher.wait_until_deployed(&id).await;
        let made = publisher.rest.post_empty(&format!("/api/am/publisher/v4/apis/{id}/generate-key")).await.expect(200);
        assert_eq!(made.json()["validityTime"], 3600);
        let (key, stranger) = (made.field("apikey"), sandbox.anonymous_caller());
        let answer = eventually("the key opens the API", async || {
            let answer = with_key(&stranger, "/pizza/1.0.0/menu", &key).await;
            (answer.status == 200).then_some(answer)
        })
        .await;
        assert_eq!(answer.text, "{\"from\":\"backend\"}");
        assert!(!sandbox.backend.last().headers.contains_key("internal-key"));
        stranger.get("/pizza/1.0.0/menu").await.expect(401);
        let pasta = PIZZA.replace("order:cancel", "pasta:cancel");
        let other = publisher.publish(&pasta, "Pasta", "/pasta", &["Gold"]).await;
        let foreign = with_key(&stranger, &format!("{}/menu", other.context), &key).await.expect(403);
        assert_eq!(foreign.json()["code"], "900908");
        // The key is no token for anything else.
        sandbox.caller(&key).get(&format!("{}/menu", other.context)).await.expect(401);
        sandbox.rest(Credentials::Bearer(key)).get("/api/am/publisher/v4/apis").await.expect(401);
        let unknown = "/api/am/publisher/v4/apis/00000000-0000-4000-8000-000000000000/generate-key";
        publisher.rest.post_empty(unknown).await.expect(404);
    }
}
