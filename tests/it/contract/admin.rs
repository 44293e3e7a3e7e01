//! The admin plane's and the searches' part of the contract.

use reqwest::Method;
use serde_json::json;

use super::schemas::{Contract, id};

/// What an administrator looks at, and the searches of the publisher.
pub(super) async fn look_around(contract: &Contract) {
    let (admin, devportal) = ("admin", "devportal");
    contract.call(admin, Method::GET, "/settings", &[], None).await;
    contract.call(admin, Method::GET, "/environments", &[], None).await;
    contract.call(admin, Method::GET, "/environments/{environmentId}", &["Default"], None).await;
    contract.call(admin, Method::GET, "/tenant-info/{username}", &["YWRtaW4="], None).await;
    contract.call(admin, Method::GET, "/throttling/policies/search?query=type:all", &[], None).await;
    contract.call("publisher", Method::GET, "/search?query=name:%22Pizza%22", &[], None).await;
    let application = json!({"name": "Taken over", "throttlingPolicy": "10PerMin"});
    let application = contract.call(devportal, Method::POST, "/applications", &[], Some(application)).await;
    let one = [id(&application, "applicationId")];
    contract.call(admin, Method::GET, "/applications?user=admin", &[], None).await;
    let change = "/applications/{applicationId}/change-owner?owner=admin";
    contract.call(admin, Method::POST, change, &one, None).await;
    contract.call(admin, Method::DELETE, "/applications/{applicationId}", &one, None).await;
}
