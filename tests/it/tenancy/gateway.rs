//! Tenants' APIs on the gateway: under their own path, for their own tokens.

use crate::on_every_topology;
use crate::support::Tenant;
use crate::support::definitions::PIZZA;

on_every_topology! {
    async fn a_tenants_api_is_served_under_its_path_to_its_own_tokens_only(sandbox) {
        let one = Tenant::create(sandbox, "one.example").await;
        let two = Tenant::create(sandbox, "two.example").await;
        // The same name, context and scope in three tenants: nothing of them meets.
        let own = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let of_one = one.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let of_two = two.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let token = sandbox.subscriber().ready_to_call("App", &own.id, "Gold").await.token;
        let keys_of_one = one.subscriber().ready_to_call("App", &of_one.id, "Gold").await;
        let token_of_two = two.subscriber().ready_to_call("App", &of_two.id, "Gold").await.token;
        let paths = ["/pizza/1.0.0/menu", "/t/one.example/pizza/1.0.0/menu", "/t/two.example/pizza/1.0.0/menu"];
        let tokens = [&token, &keys_of_one.token, &token_of_two];
        for (at, path) in paths.iter().enumerate() {
            sandbox.caller(tokens[at]).wait_for(path, 200).await;
            for (of, token) in tokens.iter().enumerate() {
                if of != at {
                    let answer = sandbox.caller(token).get(path).await;
                    assert!([401, 403].contains(&answer.status), "{path} with the token of {of}: {}", answer.text);
                }
            }
        }
        sandbox.anonymous_caller().get("/t/three.example/pizza/1.0.0/menu").await.expect(404);
        let fresh = one.subscriber().application_token(&keys_of_one).await;
        sandbox.caller(&fresh).get(paths[1]).await.expect(200);
        one.subscriber().revoke(&keys_of_one, &fresh).await.expect(200);
        sandbox.caller(&fresh).wait_for(paths[1], 401).await;
        sandbox.restart().await;
        sandbox.caller(&keys_of_one.token).wait_for(paths[1], 200).await;
        sandbox.caller(&keys_of_one.token).wait_for(paths[2], 403).await;
    }
}
