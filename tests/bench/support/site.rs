//! A deployment with a node for each role, and its administrator.

use serde_json::{Value, json};

use super::administrator;
use super::fleet::{Fleet, PASSWORD};
use super::postgres::Postgres;
use super::rest::{Answer, Credentials, Rest, client};

const SCOPES: &str =
    "apim:api_view apim:api_create apim:api_publish apim:api_manage apim:subscribe apim:app_manage apim:admin";

const APIS: &str = "/api/am/publisher/v4/apis";

/// The nodes, and an administrator's token.
pub struct Site {
    pub fleet: Fleet,
    admin: Credentials,
}

impl Site {
    /// Key manager, publisher and developer portal, these traffic managers and these gateways.
    pub async fn start(postgres: &Postgres, managers: &[&'static str], gateways: &[&'static str]) -> Self {
        let mut plan = vec![("km1", "key-manager"), ("pub1", "publisher"), ("dp1", "devportal")];
        plan.extend(managers.iter().map(|name| (*name, "traffic-manager")));
        plan.extend(gateways.iter().map(|name| (*name, "gateway")));
        let fleet = Fleet::start(env!("CARGO_BIN_EXE_gatewright"), &plan, &postgres.database_toml()).await;
        let password = Credentials::Basic("admin".to_owned(), PASSWORD.to_owned());
        let admin = administrator::token(&Rest::new(fleet.management_url("km1"), password), SCOPES).await;
        Self { fleet, admin }
    }

    /// Where a gateway takes calls without TLS, as it is configured.
    pub fn plain_port(&self, gateway: &str) -> u16 {
        let toml = std::fs::read_to_string(self.fleet.home(gateway).join("conf/deployment.toml")).unwrap();
        toml.lines().find_map(|line| line.strip_prefix("http_port = ")).unwrap().parse().unwrap()
    }

    pub fn rest(&self, node: &str) -> Rest {
        Rest::new(self.fleet.management_url(node), self.admin.clone())
    }

    /// Creates an API with a revision; the ids of both. `more` are further members of the body.
    pub async fn api(&self, name: &str, policies: &[&str], back_end: &str, more: &Value) -> (String, String) {
        let mut body = json!({
            "name": name, "version": "1", "context": format!("/{name}"), "policies": policies,
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": back_end}},
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let publisher = self.rest("pub1");
        let id = publisher.post(APIS, &body).await.expect(201).field("id");
        let revision = publisher.post(&format!("{APIS}/{id}/revisions"), &json!({})).await.expect(201).field("id");
        (id, revision)
    }

    /// Deploys to all gateways; the deployment.
    pub async fn deploy(&self, api_id: &str, revision_id: &str) -> Value {
        let path = format!("{APIS}/{api_id}/deploy-revision?revisionId={revision_id}&wait=true");
        let body = json!([{"name": "Default", "vhost": "localhost"}]);
        self.rest("pub1").post(&path, &body).await.expect(201).json()[0].clone()
    }

    pub async fn publish(&self, api_id: &str) {
        let path = format!("{APIS}/change-lifecycle?apiId={api_id}&action=Publish");
        self.rest("pub1").post_empty(&path).await.expect(200);
    }

    /// Keys of a new application with its own policy, which is subscribed under another one.
    pub async fn subscribed_keys(&self, api_id: &str, application: [&str; 2], policy: &str) -> Value {
        let portal = self.rest("dp1");
        let portal_path = |path: &str| format!("/api/am/devportal/v3{path}");
        let body = json!({"name": application[0], "throttlingPolicy": application[1]});
        let application = portal.post(&portal_path("/applications"), &body).await.expect(201).field("applicationId");
        let body = json!({"applicationId": application, "apiId": api_id, "throttlingPolicy": policy});
        portal.post(&portal_path("/subscriptions"), &body).await.expect(201);
        let body = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
        let path = portal_path(&format!("/applications/{application}/generate-keys"));
        portal.post(&path, &body).await.expect(200).json()
    }

    /// What `/oauth2/<endpoint>` answers the client with these keys.
    pub async fn oauth(&self, keys: &Value, endpoint: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}/oauth2/{endpoint}", self.fleet.management_url("km1"));
        let (key, secret) = (keys["consumerKey"].as_str().unwrap(), keys["consumerSecret"].as_str());
        Answer::of(client().post(url).basic_auth(key, secret).form(form)).await.expect(200)
    }

    pub async fn token(&self, keys: &Value) -> String {
        self.oauth(keys, "token", &[("grant_type", "client_credentials")]).await.field("access_token")
    }
}
