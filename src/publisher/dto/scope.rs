//! `Scope`.

use control_plane::shared_scopes::{ScopeView, ScopeWish};
use domain::scope::shared::SharedScope;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeInput {
    name: String,
    display_name: Option<String>,
    description: Option<String>,
    bindings: Option<Vec<String>>,
}

impl From<ScopeInput> for ScopeWish {
    fn from(input: ScopeInput) -> Self {
        Self {
            display_name: input.display_name.unwrap_or_else(|| input.name.clone()),
            description: input.description.unwrap_or_default(),
            roles: input.bindings.unwrap_or_default(),
            name: input.name,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeDto {
    id: String,
    name: String,
    display_name: String,
    description: String,
    bindings: Vec<String>,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_count: Option<i64>,
}

impl From<&SharedScope> for ScopeDto {
    fn from(scope: &SharedScope) -> Self {
        Self {
            id: scope.id.to_string(),
            name: scope.name.clone(),
            display_name: scope.display_name.clone(),
            description: scope.description.clone(),
            bindings: scope.roles.clone(),
            usage_count: None,
        }
    }
}

impl From<&ScopeView> for ScopeDto {
    fn from(view: &ScopeView) -> Self {
        Self { usage_count: Some(view.usage_count), ..Self::from(&view.scope) }
    }
}
