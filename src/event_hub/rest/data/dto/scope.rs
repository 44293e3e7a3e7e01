//! `Scope`.

use serde::Serialize;
use store::apim::scopes::of_tenants::DescribedScope;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeDto {
    name: String,
    display_name: String,
    description: String,
    roles: Vec<String>,
}

impl From<DescribedScope> for ScopeDto {
    fn from(scope: DescribedScope) -> Self {
        Self { name: scope.name, display_name: scope.display_name, description: scope.description, roles: scope.roles }
    }
}
