//! A tenant's configuration, which its administrators keep.

use serde_json::json;

use crate::on_both_databases;
use crate::support::Tenant;
use crate::support::actors::Admin;

const CONFIG: &str = "/tenant-config";

on_both_databases! {
    async fn a_configuration_is_kept_whole_for_its_tenant_alone(sandbox) {
        let admin = sandbox.admin();
        let other = Admin { rest: Tenant::create(sandbox, "one.example").await.rest };
        let standard = json!({"TimeZone": "UTC"});
        assert_eq!(admin.get(CONFIG).await.expect(200).json(), standard);
        let document = json!({
            "EnableMonetization": false, "TimeZone": "Europe/Berlin", "Meta": {"Migration": {"3.0.0": true}}, "Empty": [null],
        });
        assert_eq!(admin.put(CONFIG, &document).await.expect(200).json(), document);
        assert_eq!(admin.get(CONFIG).await.expect(200).json(), document);
        assert_eq!(other.get(CONFIG).await.expect(200).json(), standard);
        sandbox.restart().await;
        let admin = sandbox.admin();
        assert_eq!(admin.get(CONFIG).await.expect(200).json(), document);
        assert_eq!(admin.put(CONFIG, &json!({})).await.expect(200).json(), json!({}));
        assert_eq!(admin.get(CONFIG).await.expect(200).json(), json!({}));
    }

    async fn a_configuration_that_is_none_is_refused_and_changes_nothing(sandbox) {
        let admin = sandbox.admin();
        let document = json!({"TimeZone": "Asia/Kolkata"});
        admin.put(CONFIG, &document).await.expect(200);
        for wrong in [json!("Berlin"), json!("+05:30"), json!(""), json!(7), json!(null), json!(["UTC"])] {
            let answer = admin.put(CONFIG, &json!({"TimeZone": wrong})).await.expect(400);
            let description = answer.field("description");
            assert!(description.starts_with("TimeZone: must be the name of a time zone"), "{description}");
        }
        for wrong in [json!([]), json!("text"), json!(null)] {
            admin.put(CONFIG, &wrong).await.expect(400);
        }
        admin.put(CONFIG, &json!({"Text": "x".repeat(70_000)})).await.expect(413);
        assert_eq!(admin.get(CONFIG).await.expect(200).json(), document);
    }

    async fn the_schema_says_what_is_looked_at(sandbox) {
        let admin = sandbox.admin();
        let schema = admin.get("/tenant-config-schema").await.expect(200).json();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&admin.get(CONFIG).await.expect(200).json()));
        assert!(!validator.is_valid(&json!({"TimeZone": 1})));
    }
}
