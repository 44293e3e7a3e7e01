//! The admin plane's and the searches' part of the contract.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
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
    contract.call(admin, Method::GET, "/tenant-config-schema", &[], None).await;
    let config = contract.call(admin, Method::GET, "/tenant-config", &[], None).await;
    contract.call(admin, Method::PUT, "/tenant-config", &[], Some(config)).await;
    move_policy(contract).await;
    refuse(contract).await;
    contract.call("publisher", Method::GET, "/search?query=name:%22Pizza%22", &[], None).await;
    let application = json!({"name": "Taken over", "throttlingPolicy": "10PerMin"});
    let application = contract.call(devportal, Method::POST, "/applications", &[], Some(application)).await;
    let one = [id(&application, "applicationId")];
    contract.call(admin, Method::GET, "/applications?user=admin", &[], None).await;
    let change = "/applications/{applicationId}/change-owner?owner=admin";
    contract.call(admin, Method::POST, change, &one, None).await;
    contract.call(admin, Method::DELETE, "/applications/{applicationId}", &one, None).await;
}

/// Exports a policy and imports it over itself.
async fn move_policy(contract: &Contract) {
    let path = "/throttling/policies/export?name=Gold&type=sub";
    let exported = contract.call("admin", Method::GET, path, &[], None).await;
    let form = Form::new().part("file", Part::text(exported.to_string()).file_name("gold.json"));
    contract.upload("admin", "/throttling/policies/import?overwrite=true", form).await;
}

/// The document calls every value of a condition an object, which is true of addresses only.
async fn refuse(contract: &Contract) {
    let body = json!({"conditionType": "IP", "conditionValue": {"fixedIp": "10.0.0.7", "invert": false}});
    let made = contract.call("admin", Method::POST, "/throttling/deny-policies", &[], Some(body)).await;
    let (member, one) = ("/throttling/deny-policy/{conditionId}", [id(&made, "conditionId")]);
    contract.call("admin", Method::GET, "/throttling/deny-policies", &[], None).await;
    contract.call("admin", Method::GET, member, &one, None).await;
    contract.call("admin", Method::PATCH, member, &one, Some(json!({"conditionStatus": false}))).await;
    contract.call("admin", Method::DELETE, member, &one, None).await;
}
