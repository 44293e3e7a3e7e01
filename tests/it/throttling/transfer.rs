//! Policies as files that move between servers.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::on_both_databases;
use crate::support::actors::{Admin, policy};
use crate::support::{Answer, Tenant};

const EXPORT: &str = "/throttling/policies/export";

async fn import(admin: &Admin, query: &str, content: &str) -> Answer {
    let file = Part::bytes(content.as_bytes().to_vec()).file_name("policy.yaml");
    admin.multipart(&format!("/throttling/policies/import{query}"), Form::new().part("file", file)).await
}

on_both_databases! {
    async fn a_policy_of_every_kind_survives_the_journey_to_another_tenant(sandbox) {
        let admin = sandbox.admin();
        let tenant = Tenant::create(sandbox, "journey.example").await;
        let other = Admin { rest: tenant.rest.clone() };
        for (kind, word, subtype) in [
            ("subscription", "sub", "subscription policy"), ("application", "app", "application policy"),
            ("advanced", "api", "advanced policy"), ("custom", "global", "custom rule"),
        ] {
            let id = admin.create_policy(kind, "Traveller", 7).await;
            let query = format!("{EXPORT}?name=Traveller&type={word}&format=YAML");
            let exported = admin.get(&query).await.expect(200);
            assert_eq!(admin.get(&format!("{EXPORT}?policyId={id}")).await.expect(200).json(), exported.json());
            let read = exported.json();
            assert_eq!((&read["type"], &read["subtype"]), (&json!("throttling policy"), &json!(subtype)));
            assert_eq!(read["data"]["policyName"], "Traveller");
            other.get(&query).await.expect(404);
            other.get(&format!("{EXPORT}?policyId={id}")).await.expect(404);
            import(&other, "", &exported.text).await.expect(200);
            let taken = import(&other, "?overwrite=false", &exported.text).await.expect(409);
            assert!(taken.field("description").contains("Traveller"), "{}", taken.text);
            let arrived = other.get(&query).await.expect(200).json();
            let (mut expected, mut own) = (read.clone(), arrived.clone());
            for file in [&mut expected, &mut own] {
                file["data"]["policyId"] = json!("");
            }
            assert_eq!(own, expected);

            let mut changed = arrived.clone();
            changed["data"] = policy(kind, "Traveller", 9);
            import(&other, "?overwrite=true", &changed.to_string()).await.expect(200);
            let replaced = other.get(&query).await.expect(200).json();
            assert_eq!(replaced["data"]["policyId"], arrived["data"]["policyId"]);
            assert_ne!(replaced["data"], arrived["data"]);
        }
        let of_any_kind = admin.get(&format!("{EXPORT}?name=50PerMin")).await.expect(200).json();
        assert_eq!(of_any_kind["subtype"], "application policy");
    }

    async fn files_are_yaml_too_and_wrong_ones_are_named(sandbox) {
        let admin = sandbox.admin();
        let yaml = "type: rate-limiting policy\nsubtype: custom\nversion: v4.1.0\ndata:\n  policyName: Written\n  \
            keyTemplate: $userId\n  siddhiQuery: 5 requests per min\n";
        import(&admin, "?overwrite=True", yaml).await.expect(200);
        for (query, content, named) in [
            ("", "", "file"),
            ("", "subtype: [", "file"),
            ("", "subtype: planet\ndata: {}", "subtype"),
            ("", "subtype: custom rule", "data"),
            ("", "subtype: custom rule\ndata: {policyName: x, keyTemplate: $userId}", "siddhiQuery"),
            ("", "subtype: custom rule\ndata: {policyName: x, keyTemplate: x, siddhiQuery: 1 request per min}", "keyTemplate"),
            ("", "subtype: application policy\ndata: {policyName: x}", "defaultLimit"),
            ("?overwrite=perhaps", yaml, "overwrite"),
        ] {
            let answer = import(&admin, query, content).await.expect(400);
            assert!(answer.field("description").contains(named), "{named}: {}", answer.text);
        }
        for (query, status) in [("", 400), ("?name=Written&type=planet", 400), ("?name=Nobody", 404), ("?policyId=x", 404)] {
            admin.get(&format!("{EXPORT}{query}")).await.expect(status);
        }
    }
}
