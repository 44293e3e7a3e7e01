//! An administrator, who signs in with a password and works with a token.

use serde_json::json;

use super::rest::{Answer, Credentials, Rest, client};

/// A token with these scopes for the administrator whose password `management` has.
pub async fn token(management: &Rest, scopes: &str) -> Credentials {
    let Credentials::Basic(user, password) = &management.credentials else { panic!("a password is needed") };
    let body =
        json!({"clientName": "bench", "owner": user, "grantType": "password", "callbackUrl": "", "saasApp": true});
    let own = management.post("/client-registration/v0.17/register", &body).await.expect(200);
    let form = [("grant_type", "password"), ("username", user), ("password", password), ("scope", scopes)];
    let request = client()
        .post(format!("{}/oauth2/token", management.base))
        .basic_auth(own.field("clientId"), Some(own.field("clientSecret")))
        .form(&form);
    Credentials::Bearer(Answer::of(request).await.expect(200).field("access_token"))
}
