//! Tenants of a sandbox, each with an administrator `admin` whose password is the domain.

use serde_json::json;

use super::actors::{Publisher, Subscriber};
use super::rest::{Answer, Credentials, Rest, client};
use super::sandbox::Sandbox;

/// A tenant as its administrator sees it.
pub struct Tenant {
    /// The administrator's access token with every scope.
    pub token: String,
    pub rest: Rest,
    backend_url: String,
}

impl Tenant {
    /// Makes the tenant by the REST API and signs its administrator in, at once.
    pub async fn create(sandbox: &Sandbox, domain: &'static str) -> Self {
        let body = json!({"tenantDomain": domain, "adminUsername": "admin", "adminPassword": domain});
        let created = sandbox.admin_rest().post("/api/am/admin/v4/tenants", &body).await.expect(201);
        assert_eq!((created.field("tenantDomain").as_str(), created.field("state").as_str()), (domain, "ACTIVE"));
        Self::sign_in(sandbox, domain).await
    }

    /// Signs the administrator in as command line tools do.
    pub async fn sign_in(sandbox: &Sandbox, domain: &'static str) -> Self {
        let url = sandbox.management_url();
        let user = format!("admin@{domain}");
        let body = json!({"clientName": "tests", "owner": user, "grantType": "password refresh_token", "callbackUrl": "", "saasApp": true});
        let rest = Rest::new(&url, Credentials::Basic(user.clone(), domain.to_owned()));
        let registered = rest.post("/client-registration/v0.17/register", &body).await.expect(200);
        assert_eq!(registered.field("appOwner"), user);
        let scopes: Vec<&str> = domain::scope::rest_api::all().collect();
        let form =
            [("grant_type", "password"), ("username", &user), ("password", domain), ("scope", &scopes.join(" "))];
        let request = client()
            .post(format!("{url}/t/{domain}/oauth2/token"))
            .basic_auth(registered.field("clientId"), Some(registered.field("clientSecret")))
            .form(&form);
        let token = Answer::of(request).await.expect(200).field("access_token");
        let rest = Rest::new(&url, Credentials::Bearer(token.clone()));
        Self { token, rest, backend_url: sandbox.backend.url() }
    }

    pub fn publisher(&self) -> Publisher {
        Publisher { rest: self.rest.clone(), backend_url: self.backend_url.clone() }
    }

    pub fn subscriber(&self) -> Subscriber {
        Subscriber { rest: self.rest.clone() }
    }
}
