//! Whose data a caller gets.

use super::{BASE, operator, paths, pull};
use crate::on_every_topology;
use crate::support::Tenant;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Credentials, Rest};

/// Stands in everything that the owner names.
const MARK: &str = "Zebra";

/// What an operator gets of every operation, by the header that it sends.
async fn all(rest: &Rest, tenant: &str) -> String {
    let mut texts = String::new();
    for path in paths() {
        let path = path.strip_prefix(BASE).unwrap();
        if !path.starts_with("/synapse-attributes") {
            texts.push_str(&pull(rest, path, tenant).await.expect(200).text);
        }
    }
    texts
}

on_every_topology! {
    async fn operators_of_a_tenant_see_that_tenant_only(sandbox) {
        let owner = Tenant::create(sandbox, "owner.example").await;
        Tenant::create(sandbox, "other.example").await;
        let definition = PIZZA.replace("order:cancel", "Zebra:cancel");
        let api = owner.publisher().publish(&definition, "ZebraApi", "/zebra", &["Gold"]).await.id;
        owner.subscriber().ready_to_call("ZebraApp", &api, "Gold").await;
        let hub = operator(sandbox);
        let of_tenant = |domain: &str| {
            Rest::new(hub.base.clone(), Credentials::Basic(format!("admin@{domain}"), domain.to_owned()))
        };
        let (own, other) = (of_tenant("owner.example"), of_tenant("other.example"));

        // The owner's own, by name and without; all of it for the operators of the deployment.
        for (caller, tenant) in [(&own, ""), (&own, "owner.example"), (&hub, "owner.example"), (&hub, "ALL")] {
            let text = all(caller, tenant).await;
            for named in ["ZebraApi", "ZebraApp", "Zebra:cancel", "/t/owner.example/zebra/1.0.0"] {
                assert!(text.contains(named), "{:?} asked for '{tenant}' and got no {named}: {text}", caller.credentials);
            }
            assert_eq!(text.contains("carbon.super"), tenant == "ALL", "{text}");
        }
        // Nothing of it for anybody else.
        for (caller, tenant) in [(&other, ""), (&other, "other.example"), (&hub, "carbon.super"), (&hub, "nobody.example")] {
            let text = all(caller, tenant).await;
            assert!(!text.contains(MARK) && !text.contains("owner.example"), "{:?} {tenant}: {text}", caller.credentials);
        }
        let policies = pull(&own, "/subscription-policies?policyName=Gold", "").await.expect(200).json();
        assert_eq!((&policies["count"], &policies["list"][0]["tenantId"]), (&1.into(), &1.into()), "{policies}");

        // To ask for another tenant, or for all, is refused, whether there is one or not.
        for tenant in ["owner.example", "nobody.example", "carbon.super", "ALL"] {
            for path in paths() {
                let path = path.strip_prefix(BASE).unwrap();
                if path.starts_with("/synapse-attributes") {
                    continue;
                }
                let refused = pull(&other, path, tenant).await.expect(403).field("description");
                assert!(refused.starts_with("xWSO2Tenant") && !refused.contains(MARK), "{path}: {refused}");
            }
        }
        let attributes = "/synapse-attributes?apiName=ZebraApi&version=1.0.0";
        pull(&own, attributes, "").await.expect(200);
        pull(&hub, &format!("{attributes}&tenantDomain=owner.example"), "").await.expect(200);
        for (caller, query, status) in [
            (&other, "", 404), (&hub, "", 404), (&other, "&tenantDomain=owner.example", 403),
            (&other, "&tenantDomain=nobody.example", 403),
        ] {
            pull(caller, &format!("{attributes}{query}"), "").await.expect(status);
        }
    }
}
