//! Key: clients, tokens and their end.

use serde_json::json;

use crate::on_every_topology;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Credentials, client};
use crate::support::{Sandbox, eventually};

/// What apictl does at login: a client by DCR, then a token by password.
async fn management_token(sandbox: &Sandbox, scopes: &str) -> (String, String, String) {
    let body = json!({
        "clientName": "rest_api_import_export_admin",
        "callbackUrl": "www.google.lk",
        "grantType": "password refresh_token",
        "saasApp": true,
        "owner": "admin",
        "tokenScope": "Production",
    });
    let registered = sandbox.password_rest().post("/client-registration/v0.17/register", &body).await.expect(200);
    let (id, secret) = (registered.field("clientId"), registered.field("clientSecret"));
    let again = sandbox.password_rest().post("/client-registration/v0.17/register", &body).await.expect(200);
    assert_eq!((again.field("clientId"), again.field("clientSecret")), (id.clone(), secret.clone()));
    let form = [
        ("grant_type", "password"),
        ("username", "admin"),
        ("password", sandbox.nodes.administrator_password()),
        ("scope", scopes),
    ];
    let request =
        client().post(format!("{}/oauth2/token", sandbox.management_url())).basic_auth(&id, Some(&secret)).form(&form);
    let token = Answer::of(request).await.expect(200).field("access_token");
    (token, id, secret)
}

on_every_topology! {
    async fn every_management_surface_takes_a_token_and_refuses_it_once_revoked(sandbox) {
        let scopes = "apim:api_view apim:subscribe apim:admin apim:api_create apim:no_such_scope";
        let (token, id, secret) = management_token(sandbox, scopes).await;
        let rest = sandbox.rest(Credentials::Bearer(token.clone()));
        let surfaces = ["/api/am/publisher/v4/apis", "/api/am/devportal/v3/applications", "/api/am/admin/v4/throttling/policies/subscription"];
        for surface in surfaces {
            rest.get(surface).await.expect(200);
        }
        let request = client().post(format!("{}/oauth2/revoke", sandbox.management_url())).basic_auth(&id, Some(&secret)).form(&[("token", token.as_str())]);
        Answer::of(request).await.expect(200);
        for surface in surfaces {
            let refused = rest.get(surface).await.expect(401);
            assert_eq!(refused.field("description"), "Unauthenticated request");
        }
    }

    async fn a_token_without_the_scope_is_403_and_none_is_401(sandbox) {
        let (token, _, _) = management_token(sandbox, "apim:subscribe").await;
        sandbox.rest(Credentials::Bearer(token)).get("/api/am/publisher/v4/apis").await.expect(403);
        sandbox.rest(Credentials::None).get("/api/am/publisher/v4/apis").await.expect(401);
        sandbox.rest(Credentials::Basic("admin".into(), "wrong".into())).get("/api/am/publisher/v4/apis").await.expect(401);
    }

    async fn a_revoked_token_is_refused_by_the_gateway_and_another_goes_on(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Unlimited").await;
        let menu = format!("{}/menu", api.context);
        let (first, second) = (subscriber.application_token(&keys).await, subscriber.application_token(&keys).await);
        sandbox.caller(&first).wait_for(&menu, 200).await;
        sandbox.caller(&second).get(&menu).await.expect(200);
        subscriber.revoke(&keys, &first).await.expect(200);
        let refused = sandbox.caller(&first).wait_for(&menu, 401).await;
        assert_eq!(refused.json()["code"], "900901");
        sandbox.caller(&second).get(&menu).await.expect(200);
        let introspected = introspect(sandbox, &first).await;
        assert_eq!(introspected["active"], false);
        assert_eq!(introspect(sandbox, &second).await["active"], true);
    }

    async fn a_refresh_token_rotates_and_its_reuse_kills_the_family(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let form = [("grant_type", "password"), ("username", "admin"), ("password", sandbox.nodes.administrator_password())];
        let first = subscriber.token(&keys, &form).await.expect(200);
        let refresh = async |token: &str| subscriber.token(&keys, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        let second = refresh(&first.field("refresh_token")).await.expect(200);
        assert_ne!(first.field("refresh_token"), second.field("refresh_token"));
        let reused = refresh(&first.field("refresh_token")).await.expect(400);
        assert_eq!(reused.field("error"), "invalid_grant");
        refresh(&second.field("refresh_token")).await.expect(400);
        eventually("the family's access token is dead", async || {
            (introspect(sandbox, &second.field("access_token")).await["active"] == false).then_some(())
        }).await;
    }

    async fn the_token_endpoint_speaks_the_rfc(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let mut keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let json_body = json!({"grant_type": "client_credentials", "client_id": keys.consumer_key, "client_secret": keys.consumer_secret});
        let token = Answer::of(client().post(format!("{}/oauth2/token", sandbox.management_url())).json(&json_body)).await.expect(200);
        assert_eq!((token.field("token_type").as_str(), token.header("cache-control")), ("Bearer", Some("no-store")));
        assert!(token.json()["refresh_token"].is_null());
        let unsupported = subscriber.token(&keys, &[("grant_type", "magic")]).await.expect(400);
        assert_eq!(unsupported.field("error"), "unsupported_grant_type");
        keys.consumer_secret = "wrong".to_owned();
        let refused = subscriber.token(&keys, &[("grant_type", "client_credentials")]).await.expect(401);
        assert_eq!(refused.field("error"), "invalid_client");
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic realm="));
    }

    async fn keys_are_listed_with_their_client_and_give_tokens(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let body = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
        subscriber.post(&format!("/applications/{application}/generate-keys"), &body).await.expect(409);
        for path in ["keys", "oauth-keys"] {
            let listed = subscriber.get(&format!("/applications/{application}/{path}")).await.expect(200).json();
            assert_eq!((&listed["count"], &listed["list"][0]["consumerKey"]), (&json!(1), &json!(keys.consumer_key)));
        }
        let mapping = format!("/applications/{application}/oauth-keys/{}", keys.key_mapping_id);
        assert_eq!(subscriber.get(&mapping).await.expect(200).field("consumerSecret"), keys.consumer_secret);
        let body = json!({"consumerSecret": keys.consumer_secret, "validityPeriod": 120, "scopes": []});
        let token = subscriber.post(&format!("{mapping}/generate-token"), &body).await.expect(200).json();
        assert_eq!(token["validityTime"], 120);
        assert_eq!(introspect(sandbox, token["accessToken"].as_str().unwrap()).await["active"], true);
        subscriber.post(&format!("{mapping}/generate-token"), &json!({"consumerSecret": "wrong"})).await.expect(400);
    }

    async fn a_deleted_application_cannot_call_or_get_tokens(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Unlimited").await;
        let caller = sandbox.caller(&keys.token);
        caller.wait_for(&format!("{}/menu", api.context), 200).await;
        subscriber.delete(&format!("/applications/{}", keys.application_id)).await.expect(200);
        eventually("the gateway refuses the token", async || {
            let status = caller.get(&format!("{}/menu", api.context)).await.status;
            (status == 401 || status == 403).then_some(())
        }).await;
        subscriber.token(&keys, &[("grant_type", "client_credentials")]).await.expect(401);
    }

    async fn applications_are_kept_by_their_owner_with_one_name_each(sandbox) {
        let subscriber = sandbox.subscriber();
        let id = subscriber.create_application("Phone", "10PerMin").await;
        subscriber.post("/applications", &json!({"name": "Phone", "throttlingPolicy": "10PerMin"})).await.expect(409);
        let refused = subscriber.post("/applications", &json!({"name": "Other", "throttlingPolicy": "Fast"})).await.expect(400);
        assert!(refused.field("description").contains("throttlingPolicy"));
        let changed = json!({"name": "Phone", "throttlingPolicy": "20PerMin", "description": "new"});
        assert_eq!(subscriber.put(&format!("/applications/{id}"), &changed).await.expect(200).field("throttlingPolicy"), "20PerMin");
        assert_eq!(subscriber.get("/applications?query=Phone").await.expect(200).json()["list"][0]["applicationId"], id.as_str());
        subscriber.get("/applications/00000000-0000-0000-0000-000000000000").await.expect(404);
    }

    async fn anybody_sees_published_apis_and_nothing_else(sandbox) {
        let publisher = sandbox.publisher();
        let created = publisher.post("/apis", &json!({"name": "Hidden", "version": "1.0.0", "context": "/hidden"})).await.expect(201).field("id");
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let anybody = sandbox.rest(Credentials::None);
        let list = anybody.get("/api/am/devportal/v3/apis").await.expect(200).json();
        assert_eq!((&list["pagination"]["total"], &list["list"][0]["id"]), (&json!(1), &json!(api.id)));
        anybody.get(&format!("/api/am/devportal/v3/apis/{created}")).await.expect(404);
        let shown = anybody.get(&format!("/api/am/devportal/v3/apis/{}", api.id)).await.expect(200).json();
        assert_eq!(shown["endpointURLs"][0]["URLs"]["https"], format!("https://localhost:{}/pizza/1.0.0", sandbox.gateway_port()));
        let swagger = anybody.get(&format!("/api/am/devportal/v3/apis/{}/swagger", api.id)).await.expect(200).json();
        assert_eq!(swagger["servers"][0]["url"], shown["endpointURLs"][0]["URLs"]["https"]);
        assert!(!swagger.to_string().contains(&sandbox.backend.url()), "the back end's address is the publisher's secret");
        let body = json!({"applicationId": created, "apiId": created, "throttlingPolicy": "Gold"});
        anybody.post("/api/am/devportal/v3/subscriptions", &body).await.expect(401);
    }
}

async fn introspect(sandbox: &Sandbox, token: &str) -> serde_json::Value {
    let request = client()
        .post(format!("{}/oauth2/introspect", sandbox.management_url()))
        .basic_auth("admin", Some(sandbox.nodes.administrator_password()))
        .form(&[("token", token)]);
    Answer::of(request).await.expect(200).json()
}
