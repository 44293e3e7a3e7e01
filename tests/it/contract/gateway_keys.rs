//! API keys and internal keys fit the contract's schemas.

use reqwest::Method;
use serde_json::json;

use super::schemas::{Contract, id};

/// Calls every operation about keys that gateways take.
pub(super) async fn make_keys(contract: &Contract, api_id: &str) {
    let key = contract.call("publisher", Method::POST, "/apis/{apiId}/generate-key", &[api_id], None).await;
    assert!(key["validityTime"].is_i64(), "{key}");
    let (d, keys) = ("devportal", "/applications/{applicationId}/api-keys/{keyType}");
    let application = json!({"name": "Till", "throttlingPolicy": "10PerMin"});
    let application = contract.call(d, Method::POST, "/applications", &[], Some(application)).await;
    let ids = [id(&application, "applicationId"), "SANDBOX"];
    let wish = json!({
        "keyName": "till",
        "validityPeriod": 60,
        "additionalProperties": {"permittedIP": "10.0.0.0/8", "permittedReferer": ""},
    });
    let key = contract.call(d, Method::POST, &format!("{keys}/generate"), &ids, Some(wish)).await;
    contract.call(d, Method::GET, keys, &ids, None).await;
    let choice = json!({"apikey": id(&key, "apikey")});
    contract.call(d, Method::POST, &format!("{keys}/revoke"), &ids, Some(choice)).await;
}
