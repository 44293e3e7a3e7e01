//! A node that starts again on its home folder serves what it served.

use crate::on_every_topology;
use crate::support::definitions::PIZZA;

on_every_topology! {
    async fn what_was_served_is_served_after_a_restart(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        sandbox.admin().create_policy("subscription", "Ten", 10).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Ten"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Ten").await;
        let revoked = subscriber.application_token(&keys).await;
        let menu = format!("{}/menu", api.context);
        sandbox.caller(&revoked).wait_for(&menu, 200).await;
        subscriber.revoke(&keys, &revoked).await.expect(200);
        sandbox.caller(&revoked).wait_for(&menu, 401).await;
        sandbox.restart().await;
        sandbox.caller(&revoked).get(&menu).await.expect(401);
        let answer = sandbox.caller(&keys.token).get(&menu).await;
        // Units that were reserved before the restart count as spent: too early a refusal, never one call too many.
        assert!(matches!(answer.status, 200 | 429), "{answer:?}");
        sandbox.publisher().get(&format!("/apis/{}", api.id)).await.expect(200);
    }
}
