//! Two APIs on the gateway `gw1`: one without limits, and one with limits on every level that no run reaches.

use serde_json::{Value, json};

use super::load::{self, Caller};
use super::process;
use super::site::Site;

/// More than any run makes.
const LIMIT: u64 = 2_000_000_000;

/// An API as it is called.
pub struct Governed {
    path: &'static str,
    token: String,
    port: u16,
    pub pid: u32,
}

impl Governed {
    pub fn caller(&self, body: &str) -> Caller {
        Caller {
            port: self.port,
            path: self.path.to_owned(),
            token: self.token.clone(),
            body: body.to_owned(),
            rate: None,
        }
    }

    pub async fn until_known(&self) {
        load::until(&self.caller(""), |status| status == 200).await;
    }
}

fn operations(policy: &str) -> Value {
    let operation = |verb: &str| json!({"target": "/*", "verb": verb, "throttlingPolicy": policy});
    ["GET", "POST"].map(operation).to_vec().into()
}

fn policy(name: &str) -> Value {
    json!({
        "policyName": name, "displayName": name, "description": "measured",
        "defaultLimit": {
            "type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "hour", "unitTime": 1, "requestCount": LIMIT},
        },
    })
}

/// The one without limits, and the one with them.
pub async fn apis(site: &Site, back_end: &str) -> [Governed; 2] {
    let mut subscription = policy("Large");
    subscription["rateLimitCount"] = json!(LIMIT);
    subscription["rateLimitTimeUnit"] = json!("sec");
    for (kind, body) in
        [("subscription", subscription), ("application", policy("LargeApp")), ("advanced", policy("LargeApi"))]
    {
        let path = format!("/api/am/admin/v4/throttling/policies/{kind}");
        site.rest("pub1").post(&path, &body).await.expect(201);
    }
    let limits = json!({
        "operations": operations("LargeApi"),
        "maxTps": {"production": LIMIT, "productionTimeUnit": "SECOND"},
    });
    let free = json!({"operations": operations("Unlimited")});
    let mut apis = Vec::new();
    for (name, path, more, policies) in [
        ("free", "/free/1/x", &free, ["Unlimited", "Unlimited"]),
        ("limited", "/limited/1/x", &limits, ["Large", "LargeApp"]),
    ] {
        let (api, revision) = site.api(name, &[policies[0]], back_end, more).await;
        site.deploy(&api, &revision).await;
        site.publish(&api).await;
        let keys = site.subscribed_keys(&api, [name, policies[1]], policies[0]).await;
        let (port, pid) = (site.plain_port("gw1"), process::with_argument(site.fleet.home("gw1")));
        apis.push(Governed { path, token: site.token(&keys).await, port, pid });
    }
    apis.try_into().ok().unwrap()
}
