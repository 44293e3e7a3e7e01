//! The people of the main job, each speaking WSO2's wire.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::rest::{Answer, Credentials, Rest, client};
use super::wait::eventually;

const PUBLISHER: &str = "/api/am/publisher/v4";
const DEVPORTAL: &str = "/api/am/devportal/v3";
const ADMIN: &str = "/api/am/admin/v4";

/// Creates, deploys and publishes APIs.
#[derive(Clone)]
pub struct Publisher {
    pub rest: Rest,
    pub backend_url: String,
}

/// An API as its publisher knows it.
#[derive(Debug, Clone)]
pub struct Published {
    pub id: String,
    pub context: String,
}

/// Which fields of `additionalProperties` an import sends.
pub fn properties(name: &str, context: &str, policies: &[&str], backend_url: &str) -> Value {
    json!({
        "name": name,
        "version": "1.0.0",
        "context": context,
        "policies": policies,
        "endpointConfig": {
            "endpoint_type": "http",
            "production_endpoints": {"url": backend_url},
            "sandbox_endpoints": {"url": format!("{backend_url}/sandbox")},
        },
    })
}

impl Publisher {
    pub async fn get(&self, path: &str) -> Answer {
        self.rest.get(&format!("{PUBLISHER}{path}")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.rest.post(&format!("{PUBLISHER}{path}"), body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.rest.put(&format!("{PUBLISHER}{path}"), body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.rest.delete(&format!("{PUBLISHER}{path}")).await
    }

    pub async fn multipart(&self, path: &str, form: Form) -> Answer {
        Answer::of(self.rest.request(Method::POST, &format!("{PUBLISHER}{path}")).multipart(form)).await
    }

    /// Imports a definition from a file.
    pub async fn import(&self, definition: &str, properties: &Value) -> Answer {
        let file = Part::bytes(definition.as_bytes().to_vec()).file_name("openapi.yaml");
        let form = Form::new().part("file", file).text("additionalProperties", properties.to_string());
        self.multipart("/apis/import-openapi", form).await
    }

    pub async fn create_revision(&self, api_id: &str) -> String {
        let answer = self.post(&format!("/apis/{api_id}/revisions"), &json!({"description": "a revision"})).await;
        answer.expect(201).field("id")
    }

    pub async fn deploy(&self, api_id: &str, revision_id: &str) -> Answer {
        let body = json!([{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}]);
        self.post(&format!("/apis/{api_id}/deploy-revision?revisionId={revision_id}"), &body).await
    }

    pub async fn change_lifecycle(&self, api_id: &str, action: &str) -> Answer {
        let path = format!("{PUBLISHER}/apis/change-lifecycle?apiId={api_id}&action={action}");
        self.rest.post_empty(&path).await
    }

    /// Waits until every live gateway acknowledged the revision that is deployed.
    pub async fn wait_until_deployed(&self, api_id: &str) {
        eventually("all gateways acknowledged the deployment", async || {
            let revisions = self.get(&format!("/apis/{api_id}/revisions?query=deployed:true")).await.expect(200).json();
            let info = &revisions["list"][0]["deploymentInfo"][0];
            let live = info["liveGatewayCount"].as_i64().unwrap();
            (live > 0 && info["deployedGatewayCount"].as_i64() == Some(live)).then_some(())
        })
        .await;
    }

    /// Imports, deploys and publishes, and waits until the gateway serves it.
    pub async fn publish(&self, definition: &str, name: &str, context: &str, policies: &[&str]) -> Published {
        let properties = properties(name, context, policies, &self.backend_url);
        let id = self.import(definition, &properties).await.expect(201).field("id");
        let revision = self.create_revision(&id).await;
        self.deploy(&id, &revision).await.expect(201);
        self.change_lifecycle(&id, "Publish").await.expect(200);
        self.wait_until_deployed(&id).await;
        Published { id, context: format!("{context}/1.0.0") }
    }
}

/// Makes applications, subscribes them and gets keys.
#[derive(Clone)]
pub struct Subscriber {
    pub rest: Rest,
}

/// An application with its keys.
#[derive(Debug, Clone)]
pub struct Keys {
    pub application_id: String,
    pub key_mapping_id: String,
    pub consumer_key: String,
    pub consumer_secret: String,
    /// The token that came with the keys.
    pub token: String,
}

impl Subscriber {
    pub async fn get(&self, path: &str) -> Answer {
        self.rest.get(&format!("{DEVPORTAL}{path}")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.rest.post(&format!("{DEVPORTAL}{path}"), body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.rest.put(&format!("{DEVPORTAL}{path}"), body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.rest.delete(&format!("{DEVPORTAL}{path}")).await
    }

    pub async fn create_application(&self, name: &str, policy: &str) -> String {
        let body = json!({"name": name, "throttlingPolicy": policy, "tokenType": "JWT"});
        self.post("/applications", &body).await.expect(201).field("applicationId")
    }

    pub async fn subscribe(&self, application_id: &str, api_id: &str, policy: &str) -> Answer {
        let body = json!({"applicationId": application_id, "apiId": api_id, "throttlingPolicy": policy});
        self.post("/subscriptions", &body).await
    }

    pub async fn generate_keys(&self, application_id: &str, key_type: &str) -> Keys {
        let body = json!({
            "keyType": key_type,
            "grantTypesToBeSupported": ["client_credentials", "password", "refresh_token"],
            "validityTime": 3600,
        });
        let answer = self.post(&format!("/applications/{application_id}/generate-keys"), &body).await.expect(200);
        Keys {
            application_id: application_id.to_owned(),
            key_mapping_id: answer.field("keyMappingId"),
            consumer_key: answer.field("consumerKey"),
            consumer_secret: answer.field("consumerSecret"),
            token: answer.json()["token"]["accessToken"].as_str().unwrap().to_owned(),
        }
    }

    /// An application, subscribed to the API, with production keys.
    pub async fn ready_to_call(&self, name: &str, api_id: &str, policy: &str) -> Keys {
        let application_id = self.create_application(name, "Unlimited").await;
        self.subscribe(&application_id, api_id, policy).await.expect(201);
        self.generate_keys(&application_id, "PRODUCTION").await
    }

    /// `POST /oauth2/token` with the client's credentials.
    pub async fn token(&self, keys: &Keys, form: &[(&str, &str)]) -> Answer {
        let request = client()
            .post(format!("{}/oauth2/token", self.rest.base))
            .basic_auth(&keys.consumer_key, Some(&keys.consumer_secret))
            .form(form);
        Answer::of(request).await
    }

    /// An application token by `client_credentials`.
    pub async fn application_token(&self, keys: &Keys) -> String {
        self.token(keys, &[("grant_type", "client_credentials")]).await.expect(200).field("access_token")
    }

    pub async fn revoke(&self, keys: &Keys, token: &str) -> Answer {
        let request = client()
            .post(format!("{}/oauth2/revoke", self.rest.base))
            .basic_auth(&keys.consumer_key, Some(&keys.consumer_secret))
            .form(&[("token", token), ("token_type_hint", "access_token")]);
        Answer::of(request).await
    }
}

/// Keeps the policies.
#[derive(Clone)]
pub struct Admin {
    pub rest: Rest,
}

impl Admin {
    pub async fn get(&self, path: &str) -> Answer {
        self.rest.get(&format!("{ADMIN}{path}")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.rest.post(&format!("{ADMIN}{path}"), body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.rest.put(&format!("{ADMIN}{path}"), body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.rest.delete(&format!("{ADMIN}{path}")).await
    }

    /// A policy of `kind` (`subscription` or `application`) that admits `requests` a year, so that no window ends in the
    /// middle of a test.
    pub async fn create_policy(&self, kind: &str, name: &str, requests: u64) -> String {
        let body = policy(kind, name, requests);
        self.post(&format!("/throttling/policies/{kind}"), &body).await.expect(201).field("policyId")
    }

    pub async fn multipart(&self, path: &str, form: Form) -> Answer {
        Answer::of(self.rest.request(Method::POST, &format!("{ADMIN}{path}")).multipart(form)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.rest.request(Method::PATCH, &format!("{ADMIN}{path}")).json(body)).await
    }
}

/// A policy of a kind (`application`, `subscription`, `advanced`, `custom`) that admits so many requests per year.
pub fn policy(kind: &str, name: &str, requests: u64) -> Value {
    let mut body = json!({"policyName": name, "displayName": name, "description": "for a test"});
    if kind == "custom" {
        body["keyTemplate"] = json!("$userId");
        body["siddhiQuery"] = json!(format!("{requests} requests per year"));
    } else {
        body["defaultLimit"] = json!({
            "type": "REQUESTCOUNTLIMIT",
            "requestCount": {"timeUnit": "year", "unitTime": 1, "requestCount": requests},
        });
    }
    body
}

/// Calls APIs.
#[derive(Clone)]
pub struct Caller {
    pub rest: Rest,
}

impl Caller {
    pub async fn get(&self, path: &str) -> Answer {
        self.rest.get(path).await
    }

    pub async fn call(&self, method: Method, path: &str) -> Answer {
        Answer::of(self.rest.request(method, path)).await
    }

    /// Status of a GET, once it is `status`.
    pub async fn wait_for(&self, path: &str, status: u16) -> Answer {
        eventually(&format!("{path} answers {status}"), async || {
            let answer = self.get(path).await;
            (answer.status == status).then_some(answer)
        })
        .await
    }

    pub fn with(&self, credentials: Credentials) -> Self {
        Self { rest: Rest::new(self.rest.base.clone(), credentials) }
    }
}
