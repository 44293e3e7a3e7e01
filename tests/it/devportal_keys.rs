//! The developer portal around keys: what subscribers change, map, remove and look up.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::actors::{Keys, Subscriber, properties};
use crate::support::definitions::{PIZZA, PIZZA_V31};
use crate::support::rest::{Answer, Credentials, client};
use crate::support::{Sandbox, eventually, people};

const DEVPORTAL: &str = "/api/am/devportal/v3";
const CLIENT_CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn path_of(keys: &Keys) -> String {
    format!("/applications/{}/oauth-keys/{}", keys.application_id, keys.key_mapping_id)
}

/// The keys with another secret.
fn with_secret(keys: &Keys, secret: &str) -> Keys {
    Keys { consumer_secret: secret.to_owned(), ..keys.clone() }
}

async fn introspect(sandbox: &Sandbox, token: &str) -> Value {
    let request = client()
        .post(format!("{}/oauth2/introspect", sandbox.management_url()))
        .basic_auth("admin", Some("admin"))
        .form(&[("token", token)]);
    Answer::of(request).await.expect(200).json()
}

/// A client by DCR, as somebody makes it outside of the portal: id and secret.
async fn registered_elsewhere(sandbox: &Sandbox, name: &str) -> (String, String) {
    let body = json!({"clientName": name, "owner": "admin", "grantType": "client_credentials", "saasApp": true});
    let answer = sandbox.password_rest().post("/client-registration/v0.17/register", &body).await.expect(200);
    (answer.field("clientId"), answer.field("clientSecret"))
}

async fn names(answer: Answer) -> Vec<String> {
    let list = answer.expect(200).json()["list"].as_array().unwrap().clone();
    list.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn default_applications(subscriber: &Subscriber) -> usize {
    let list = subscriber.get("/applications?query=DefaultApplication").await.expect(200).json();
    list["list"].as_array().unwrap().len()
}

on_both_databases! {
    async fn every_live_secret_gets_tokens_and_a_revoked_one_does_not(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let first = subscriber.generate_keys(&application, "PRODUCTION").await;
        let key = path_of(&first);
        let wish = json!({"additionalProperties": {"expiresIn": 86400, "description": "for the move"}});
        let made = subscriber.post(&format!("{key}/generate-secret"), &wish).await.expect(201);
        let second = with_secret(&first, &made.field("secretValue"));
        assert_eq!(made.json()["additionalProperties"]["description"], "for the move");
        assert!(made.json()["additionalProperties"]["expiresAt"].as_i64().unwrap() > 1_700_000_000);
        for keys in [&first, &second] {
            subscriber.token(keys, &CLIENT_CREDENTIALS).await.expect(200);
            let body = json!({"consumerSecret": keys.consumer_secret, "validityPeriod": 60});
            subscriber.post(&format!("{key}/generate-token"), &body).await.expect(200);
        }
        let listed = subscriber.get(&format!("{key}/secrets")).await.expect(200).json();
        assert_eq!((&listed["count"], &listed["list"][0]["secretId"]), (&json!(2), &json!(made.field("secretId"))));
        let oldest = listed["list"][1]["secretId"].as_str().unwrap().to_owned();
        subscriber.post(&format!("{key}/revoke-secret"), &json!({"secretId": oldest})).await.expect(204);
        subscriber.token(&first, &CLIENT_CREDENTIALS).await.expect(401);
        subscriber.token(&second, &CLIENT_CREDENTIALS).await.expect(200);
        let again = subscriber.post(&format!("{key}/revoke-secret"), &json!({"secretId": oldest})).await.expect(404);
        assert!(again.field("description").contains("secretId"));
        for wrong in [json!({"additionalProperties": {"expiresIn": -1}}), json!({"additionalProperties": 7})] {
            let refused = subscriber.post(&format!("{key}/generate-secret"), &wrong).await.expect(400);
            assert!(refused.field("description").contains("additionalProperties"));
        }
        assert_eq!(subscriber.get(&format!("{key}/secrets")).await.expect(200).json()["count"], 1);
    }

    async fn a_regenerated_secret_takes_the_place_of_all_and_ends_the_tokens(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let old = subscriber.generate_keys(&application, "PRODUCTION").await;
        let made = subscriber.post(&format!("{}/regenerate-secret", path_of(&old)), &json!({})).await.expect(200);
        assert_eq!(made.field("consumerKey"), old.consumer_key);
        subscriber.token(&old, &CLIENT_CREDENTIALS).await.expect(401);
        assert_eq!(introspect(sandbox, &old.token).await["active"], false);
        let new = with_secret(&old, &made.field("consumerSecret"));
        let token = subscriber.application_token(&new).await;
        assert_eq!(introspect(sandbox, &token).await["active"], true);
    }

    async fn grants_callback_and_lifetimes_of_a_key_can_be_changed(sandbox) {
        let subscriber = sandbox.subscriber();
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let key = path_of(&keys);
        let change = json!({
            "supportedGrantTypes": ["client_credentials", "refresh_token"],
            "callbackUrl": "https://phone.example/back",
            "additionalProperties": {"application_access_token_expiry_time": "120"},
        });
        subscriber.put(&key, &change).await.expect(200);
        let stored = subscriber.get(&key).await.expect(200).json();
        assert_eq!(stored["supportedGrantTypes"], change["supportedGrantTypes"]);
        assert_eq!(stored["callbackUrl"], change["callbackUrl"]);
        assert_eq!(subscriber.token(&keys, &CLIENT_CREDENTIALS).await.expect(200).json()["expires_in"], 120);
        let password = [("grant_type", "password"), ("username", "admin"), ("password", "admin")];
        subscriber.token(&keys, &password).await.expect(400);
        let by_type = format!("/applications/{application}/keys/PRODUCTION");
        subscriber.put(&by_type, &json!({"supportedGrantTypes": ["password"]})).await.expect(200);
        subscriber.token(&keys, &CLIENT_CREDENTIALS).await.expect(400);
        assert_eq!(subscriber.get(&by_type).await.expect(200).json()["callbackUrl"], change["callbackUrl"]);
        let wrong = [
            (json!({"supportedGrantTypes": []}), "grantType"),
            (json!({"supportedGrantTypes": "password"}), "supportedGrantTypes"),
            (json!({"callbackUrl": "x".repeat(3000)}), "callbackUrl"),
            (json!({"additionalProperties": {"refresh_token_expiry_time": "soon"}}), "additionalProperties"),
        ];
        for (change, field) in wrong {
            let refused = subscriber.put(&key, &change).await.expect(400);
            assert!(refused.field("description").contains(field), "{}", refused.text);
        }
        subscriber.get(&format!("/applications/{application}/keys/OTHER")).await.expect(400);
        subscriber.get(&format!("/applications/{application}/keys/SANDBOX")).await.expect(404);
    }

    async fn a_removed_key_is_refused_by_the_gateway_and_a_new_one_can_be_made(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let menu = format!("{}/menu", api.context);
        let keys = subscriber.ready_to_call("Phone", &api.id, "Unlimited").await;
        sandbox.caller(&keys.token).wait_for(&menu, 200).await;
        subscriber.delete(&path_of(&keys)).await.expect(200);
        eventually("the gateway refuses the token", async || {
            let status = sandbox.caller(&keys.token).get(&menu).await.status;
            (status == 401 || status == 403).then_some(())
        }).await;
        assert_eq!(introspect(sandbox, &keys.token).await["active"], false);
        subscriber.token(&keys, &CLIENT_CREDENTIALS).await.expect(401);
        subscriber.get(&path_of(&keys)).await.expect(404);
        subscriber.delete(&path_of(&keys)).await.expect(404);
        let new = subscriber.generate_keys(&keys.application_id, "PRODUCTION").await;
        sandbox.caller(&new.token).wait_for(&menu, 200).await;
    }

    async fn a_client_from_elsewhere_calls_as_the_application_and_outlives_it(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let menu = format!("{}/menu", api.context);
        let application = subscriber.create_application("Phone", "Unlimited").await;
        subscriber.subscribe(&application, &api.id, "Unlimited").await.expect(201);
        let (id, secret) = registered_elsewhere(sandbox, "elsewhere").await;
        let map = format!("/applications/{application}/map-keys");
        let wish = |secret: &str| json!({"keyType": "PRODUCTION", "consumerKey": id, "consumerSecret": secret});
        let refused = subscriber.post(&map, &wish("wrong")).await.expect(400);
        assert!(refused.field("description").contains("consumerKey"));
        let mapped = subscriber.post(&map, &wish(&secret)).await.expect(200);
        assert_eq!((mapped.field("mode").as_str(), mapped.field("consumerKey")), ("MAPPED", id.clone()));
        assert!(mapped.json()["consumerSecret"].is_null(), "the client's secrets are its registrant's");
        subscriber.post(&map, &wish(&secret)).await.expect(409);
        let keys = Keys {
            application_id: application.clone(),
            key_mapping_id: mapped.field("keyMappingId"),
            consumer_key: id,
            consumer_secret: secret,
            token: String::new(),
        };
        let token = subscriber.application_token(&keys).await;
        sandbox.caller(&token).wait_for(&menu, 200).await;
        let key = path_of(&keys);
        subscriber.post(&format!("{key}/generate-token"), &json!({})).await.expect(400);
        subscriber.get(&format!("{key}/secrets")).await.expect(403);
        subscriber.put(&key, &json!({"supportedGrantTypes": ["password"]})).await.expect(403);
        subscriber.post(&format!("{key}/clean-up"), &json!({})).await.expect(200);
        eventually("the gateway refuses the token", async || {
            (sandbox.caller(&token).get(&menu).await.status != 200).then_some(())
        }).await;
        subscriber.token(&keys, &CLIENT_CREDENTIALS).await.expect(200);
    }

    async fn nobody_maps_a_strangers_client_or_sees_a_strangers_keys(sandbox) {
        let owner = sandbox.subscriber();
        let application = owner.create_application("Phone", "Unlimited").await;
        let keys = owner.generate_keys(&application, "PRODUCTION").await;
        let (id, _) = registered_elsewhere(sandbox, "of the administrator").await;
        let stranger = people::subscriber(sandbox, "sue", &[]).await;
        let own = stranger.create_application("Mine", "Unlimited").await;
        let map = format!("/applications/{own}/map-keys");
        for consumer_key in [id.as_str(), keys.consumer_key.as_str(), "unheard"] {
            let wish = json!({"keyType": "PRODUCTION", "consumerKey": consumer_key});
            stranger.post(&map, &wish).await.expect(400);
        }
        let taken = json!({"keyType": "PRODUCTION", "consumerKey": keys.consumer_key, "consumerSecret": keys.consumer_secret});
        stranger.post(&map, &taken).await.expect(409);
        let key = path_of(&keys);
        stranger.get(&key).await.expect(404);
        stranger.put(&key, &json!({})).await.expect(404);
        stranger.delete(&key).await.expect(404);
        for operation in ["regenerate-secret", "clean-up", "generate-secret", "generate-token"] {
            stranger.post(&format!("{key}/{operation}"), &json!({})).await.expect(404);
        }
        stranger.post(&format!("{key}/revoke-secret"), &json!({"secretId": "x"})).await.expect(404);
        stranger.get(&format!("{key}/secrets")).await.expect(404);
        let mixed = format!("/applications/{own}/oauth-keys/{}", keys.key_mapping_id);
        stranger.delete(&mixed).await.expect(404);
        owner.get(&key).await.expect(200);
    }

    async fn the_gateway_follows_a_change_of_tier(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        sandbox.admin().create_policy("subscription", "Two", 2).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Two", "Unlimited"]).await;
        let menu = format!("{}/menu", api.context);
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let subscription = subscriber.subscribe(&application, &api.id, "Two").await.expect(201);
        let id = subscription.field("subscriptionId");
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let caller = sandbox.caller(&keys.token);
        caller.wait_for(&menu, 429).await;
        let mut wish = subscription.json();
        wish["requestedThrottlingPolicy"] = json!("Unlimited");
        wish["status"] = json!("BLOCKED");
        let changed = subscriber.put(&format!("/subscriptions/{id}"), &wish).await.expect(200).json();
        assert_eq!((&changed["throttlingPolicy"], &changed["status"]), (&json!("Unlimited"), &json!("UNBLOCKED")));
        caller.wait_for(&menu, 200).await;
        let wrong = [
            (json!({"applicationId": application, "throttlingPolicy": "Gold"}), "throttlingPolicy"),
            (json!({"applicationId": application, "throttlingPolicy": null}), "throttlingPolicy"),
            (json!({"applicationId": api.id, "throttlingPolicy": "Two"}), "applicationId"),
            (json!({"apiId": application, "throttlingPolicy": "Two"}), "apiId"),
            (json!({}), "throttlingPolicy"),
        ];
        for (change, field) in wrong {
            let refused = subscriber.put(&format!("/subscriptions/{id}"), &change).await.expect(400);
            assert!(refused.field("description").contains(field), "{}", refused.text);
        }
        subscriber.put("/subscriptions/00000000-0000-4000-8000-000000000000", &wish).await.expect(404);
        let stored = subscriber.get(&format!("/subscriptions/{id}")).await.expect(200);
        assert_eq!(stored.field("throttlingPolicy"), "Unlimited");
        let back = json!({"applicationId": application, "throttlingPolicy": "Two"});
        let back = subscriber.put(&format!("/subscriptions/{id}"), &back).await.expect(200);
        assert_eq!(back.field("throttlingPolicy"), "Two");
    }

    async fn several_subscriptions_are_made_together_or_not_at_all(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let pizza = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let pasta = publisher.publish(PIZZA_V31, "Pasta", "/pasta", &["Gold"]).await;
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let wish = |api: &str, policy: &str| json!({"applicationId": application, "apiId": api, "throttlingPolicy": policy});
        let wrong = json!([wish(&pizza.id, "Gold"), wish(&pasta.id, "Lead")]);
        let refused = subscriber.post("/subscriptions/multiple", &wrong).await.expect(400);
        assert!(refused.field("description").starts_with("[1].throttlingPolicy"), "{}", refused.text);
        let of_application = format!("/subscriptions?applicationId={application}&groupId=");
        assert_eq!(subscriber.get(&of_application).await.expect(200).json()["pagination"]["total"], 0);
        let right = json!([wish(&pizza.id, "Gold"), wish(&pasta.id, "Gold")]);
        assert_eq!(subscriber.post("/subscriptions/multiple", &right).await.expect(200).json().as_array().unwrap().len(), 2);
        subscriber.post("/subscriptions/multiple", &right).await.expect(409);
        subscriber.post("/subscriptions/multiple", &json!([])).await.expect(400);
        assert_eq!(subscriber.get(&of_application).await.expect(200).json()["pagination"]["total"], 2);
        let shown = subscriber.get(&format!("/applications/{application}")).await.expect(200).json();
        assert_eq!(shown["subscriptionCount"], 2);
        let scopes = shown["subscriptionScopes"].as_array().unwrap();
        assert_eq!((scopes.len(), &scopes[0]["key"]), (1, &json!("order:cancel")));
    }

    async fn everybody_starts_with_a_default_application_that_stays_deleted(sandbox) {
        let ann = people::subscriber(sandbox, "ann", &[]).await;
        assert_eq!(default_applications(&ann).await, 1);
        let list = ann.get("/applications").await.expect(200).json();
        assert_eq!((&list["pagination"]["total"], &list["list"][0]["throttlingPolicy"]), (&json!(1), &json!("Unlimited")));
        let id = list["list"][0]["applicationId"].as_str().unwrap().to_owned();
        let bob = people::subscriber(sandbox, "bob", &[]).await;
        bob.get(&format!("/applications/{id}")).await.expect(404);
        ann.delete(&format!("/applications/{id}")).await.expect(200);
        assert_eq!(default_applications(&ann).await, 0);
        assert_eq!(default_applications(&bob).await, 1);
    }

    async fn a_new_password_ends_the_old_one_and_its_tokens(sandbox) {
        let pat = people::subscriber(sandbox, "pat", &[]).await;
        let application = pat.create_application("Phone", "Unlimited").await;
        let keys = pat.generate_keys(&application, "PRODUCTION").await;
        let login = |password| [("grant_type", "password"), ("username", "pat"), ("password", password)];
        let old = pat.token(&keys, &login("pat")).await.expect(200);
        let body = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new});
        let wrong = [
            (body("tap", "correct horse"), "currentPassword"),
            (body("pat", "short"), "newPassword"),
            (body("pat", &"x".repeat(200)), "newPassword"),
            (json!({"currentPassword": "pat"}), "newPassword"),
        ];
        for (body, field) in wrong {
            let refused = pat.post("/me/change-password", &body).await.expect(400);
            assert!(refused.field("description").contains(field), "{}", refused.text);
        }
        pat.post("/me/change-password", &body("pat", "correct horse")).await.expect(200);
        pat.get("/applications").await.expect(401);
        assert_eq!(introspect(sandbox, &old.field("access_token")).await["active"], false);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", &old.field("refresh_token"))];
        pat.token(&keys, &refresh).await.expect(400);
        pat.token(&keys, &login("pat")).await.expect(400);
        let new = pat.token(&keys, &login("correct horse")).await.expect(200);
        assert_eq!(introspect(sandbox, &new.field("access_token")).await["active"], true);
    }

    async fn a_restricted_api_is_seen_by_its_roles_only(sandbox) {
        let publisher = sandbox.publisher();
        let mut wished = properties("Secret", "/secret", &["Gold"], &sandbox.backend.url());
        wished["visibility"] = json!("RESTRICTED");
        wished["visibleRoles"] = json!(["cook"]);
        wished["tags"] = json!(["kitchen"]);
        let id = publisher.import(PIZZA, &wished).await.expect(201).field("id");
        publisher.change_lifecycle(&id, "Publish").await.expect(200);
        let cook = people::subscriber(sandbox, "carl", &["cook"]).await;
        let guest = people::subscriber(sandbox, "gus", &[]).await;
        let application = guest.create_application("Phone", "Unlimited").await;
        cook.get(&format!("/apis/{id}")).await.expect(200);
        for path in ["/apis", "/search?query=secret", "/search?query=name:%22Secret%22"] {
            assert_eq!(names(cook.get(path).await).await, ["Secret"], "{path}");
            assert!(names(guest.get(path).await).await.is_empty(), "{path}");
        }
        assert_eq!(cook.get("/tags").await.expect(200).json()["list"], json!([{"value": "kitchen", "count": 1}]));
        assert_eq!(guest.get("/tags").await.expect(200).json()["count"], 0);
        guest.get(&format!("/apis/{id}")).await.expect(404);
        guest.get(&format!("/apis/{id}/swagger")).await.expect(404);
        guest.subscribe(&application, &id, "Gold").await.expect(404);
    }

    async fn anybody_reads_settings_tags_and_searches(sandbox) {
        let publisher = sandbox.publisher();
        for (name, context, tags) in [("Pizza", "/pizza", json!(["food", "hot"])), ("Pasta", "/pasta", json!(["food"]))] {
            let mut wished = properties(name, context, &["Gold"], &sandbox.backend.url());
            wished["tags"] = tags;
            wished["description"] = json!(format!("{name} at your door"));
            let id = publisher.import(PIZZA_V31, &wished).await.expect(201).field("id");
            publisher.change_lifecycle(&id, "Publish").await.expect(200);
        }
        let anybody = sandbox.rest(Credentials::None);
        let get = async |path: &str| anybody.get(&format!("{DEVPORTAL}{path}")).await;
        let tags = get("/tags").await.expect(200).json();
        assert_eq!(tags["list"], json!([{"value": "food", "count": 2}, {"value": "hot", "count": 1}]));
        let searches = [
            ("pizza", vec!["Pizza"]),
            ("door", vec!["Pasta", "Pizza"]),
            ("tag:hot", vec!["Pizza"]),
            ("name:Pi* name:Pasta version:1.0.0", vec!["Pasta", "Pizza"]),
            ("name:%22Pi%22", vec![]),
            ("type:DOC", vec![]),
            ("description:%22Pasta at your door%22", vec!["Pasta"]),
        ];
        for (query, expected) in searches {
            assert_eq!(names(get(&format!("/search?query={query}")).await).await, expected, "{query}");
        }
        let page = get("/search?query=door&limit=1&offset=1").await.expect(200).json();
        assert_eq!((&page["count"], &page["pagination"]["total"], &page["list"][0]["name"]), (&json!(1), &json!(2), &json!("Pizza")));
        assert!(get("/search?query=status:CREATED").await.expect(400).field("description").contains("query"));
        let settings = get("/settings").await.expect(200).json();
        let gateway = format!("https://localhost:{}", sandbox.gateway_port());
        assert!(settings["apiGatewayEndpoint"].as_str().unwrap().contains(&gateway));
        assert!(settings["scopes"].as_array().unwrap().contains(&json!("apim:subscribe")));
        assert_eq!(get("/throttling-policies/subscription/Gold").await.expect(200).field("name"), "Gold");
        get("/throttling-policies/subscription/Lead").await.expect(404);
        get("/throttling-policies/other/Gold").await.expect(400);
        get("/key-managers").await.expect(401);
    }

    async fn the_key_manager_is_found_where_it_says(sandbox) {
        let subscriber = sandbox.subscriber();
        let listed = subscriber.get("/key-managers").await.expect(200).json();
        let resident = &listed["list"][0];
        assert_eq!((&listed["count"], &resident["name"]), (&json!(1), &json!("Resident Key Manager")));
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let body = json!({"keyType": "PRODUCTION", "keyManager": resident["id"], "grantTypesToBeSupported": resident["availableGrantTypes"]});
        let keys = subscriber.post(&format!("/applications/{application}/generate-keys"), &body).await.expect(200);
        let request = client()
            .post(resident["tokenEndpoint"].as_str().unwrap())
            .basic_auth(keys.field("consumerKey"), Some(keys.field("consumerSecret")))
            .form(&CLIENT_CREDENTIALS);
        let token = Answer::of(request).await.expect(200).field("access_token");
        let request = client()
            .post(resident["revokeEndpoint"].as_str().unwrap())
            .basic_auth(keys.field("consumerKey"), Some(keys.field("consumerSecret")))
            .form(&[("token", token.as_str())]);
        Answer::of(request).await.expect(200);
        assert_eq!(introspect(sandbox, &token).await["active"], false);
    }
}
