//! `Application`.

use std::collections::BTreeMap;

use domain::ApplicationId;
use domain::application::{Application, TokenType};
use domain::user::qualified_name;
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationDto {
    uuid: ApplicationId,
    id: u32,
    name: String,
    /// The owner.
    sub_name: String,
    policy: String,
    token_type: TokenType,
    group_ids: Vec<GroupIdDto>,
    attributes: BTreeMap<String, String>,
}

/// `GroupId`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupIdDto {
    group_id: String,
    application_id: u32,
}

impl From<Application> for ApplicationDto {
    fn from(application: Application) -> Self {
        let id = application.id.number();
        let group = |group_id| GroupIdDto { group_id, application_id: id };
        let text = |value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self {
            uuid: application.id,
            id,
            name: application.name,
            sub_name: qualified_name(&application.owner, &application.organization),
            policy: application.throttling_policy,
            token_type: application.token_type,
            group_ids: application.groups.into_iter().map(group).collect(),
            attributes: application.attributes.into_iter().map(|(name, value)| (name, text(value))).collect(),
        }
    }
}
