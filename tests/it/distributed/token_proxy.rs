//! The token service on the gateway's port.

use crate::on_every_topology;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, client};

on_every_topology! {
    async fn a_token_is_got_used_and_revoked_through_the_gateway_alone(sandbox) {
        let pizza = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = sandbox.subscriber().ready_to_call("App", &pizza.id, "Unlimited").await;
        let gateway = sandbox.gateway_url();
        let post = async |path: &str, form: &[(&str, &str)]| {
            let request = client().post(format!("{gateway}{path}"));
            let request = request.basic_auth(&keys.consumer_key, Some(&keys.consumer_secret)).form(form);
            Answer::of(request).await
        };
        let token = post("/token", &[("grant_type", "client_credentials")]).await.expect(200).field("access_token");
        let caller = sandbox.caller(&token);
        caller.wait_for("/pizza/1.0.0/menu", 200).await;
        post("/revoke", &[("token", &token)]).await.expect(200);
        caller.wait_for("/pizza/1.0.0/menu", 401).await;
        let refused = post("/token", &[("grant_type", "nothing")]).await.expect(400);
        assert_eq!(refused.field("error"), "unsupported_grant_type");
        let wrong = client().post(format!("{gateway}/token")).basic_auth("nobody", Some("x"));
        Answer::of(wrong.form(&[("grant_type", "client_credentials")])).await.expect(401);
    }
}
