//! `API`: reading what creators send, and writing what the working copy holds.

mod endpoint_config;

use control_plane::apis::NewApi;
use domain::Failure;
use domain::api::{Api, ApiDetails, ApiScope, AuthType, Operation, Visibility};
use domain::definition::openapi::OpenApi;
use domain::name::{ApiContext, ApiName, ApiVersion};
use domain::throttling::policy::UNLIMITED;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::api_other;

/// A working copy as clients send it. Fields that only the server sets are ignored, since clients send whole objects
/// back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiInput {
    name: String,
    version: String,
    context: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    is_default_version: Option<bool>,
    operations: Option<Vec<OperationDto>>,
    endpoint_config: Option<Value>,
    policies: Option<Vec<String>>,
    transport: Option<Vec<String>>,
    security_scheme: Option<Vec<String>>,
    audience: Option<String>,
    audiences: Option<Vec<String>>,
    authorization_header: Option<String>,
    scopes: Option<Vec<ApiScopeDto>>,
    visibility: Option<Visibility>,
    visible_roles: Option<Vec<String>>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// `APIOperations`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperationDto {
    target: String,
    verb: String,
    #[serde(default)]
    auth_type: Option<AuthType>,
    #[serde(default)]
    throttling_policy: Option<String>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// `APIScope`.
#[derive(Debug, Serialize, Deserialize)]
struct ApiScopeDto {
    scope: ScopeDto,
    #[serde(default)]
    shared: bool,
}

/// `Scope`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeDto {
    name: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    bindings: Option<Vec<String>>,
}

impl ApiInput {
    /// Checks and completes the input; operations and scopes come from `definition` when there is one.
    ///
    /// # Errors
    /// 400 naming the field.
    pub fn into_new(mut self, definition: Option<&OpenApi>) -> Result<NewApi, Failure> {
        if let Some(kind) = self.kind.as_deref()
            && kind != "HTTP"
        {
            return Err(Failure::invalid("type", format!("'{kind}' APIs are not served; use HTTP")));
        }
        if let Some(audience) = self.audience.take_if(|audience| matches!(audience.as_str(), "PUBLIC" | "SINGLE")) {
            self.other.insert("audience".to_owned(), Value::String(audience));
        }
        let audiences = match (self.audiences, self.audience) {
            (Some(audiences), _) => audiences,
            (None, Some(audience)) => vec![audience],
            (None, None) => Vec::new(),
        };
        let endpoints = match self.endpoint_config {
            Some(config) if !config.is_null() => endpoint_config::parse(config)?,
            _ => definition.map(endpoint_config::from_definition).unwrap_or_default(),
        };
        let (operations, scopes) = match definition {
            Some(definition) => (
                definition.operations.iter().map(|operation| operation.to_operation()).collect(),
                definition.scopes.clone(),
            ),
            None => (
                self.operations
                    .unwrap_or_else(default_operations)
                    .into_iter()
                    .map(Operation::try_from)
                    .collect::<Result<_, _>>()?,
                self.scopes.unwrap_or_default().into_iter().map(ApiScope::from).collect(),
            ),
        };
        Ok(NewApi {
            name: ApiName::parse(&self.name)?,
            version: ApiVersion::parse(&self.version)?,
            context: ApiContext::parse(&self.context)?,
            is_default_version: self.is_default_version.unwrap_or(false),
            details: ApiDetails {
                operations,
                endpoints,
                policies: self.policies.unwrap_or_else(|| vec![UNLIMITED.to_owned()]),
                transports: self.transport.unwrap_or_else(|| vec!["http".to_owned(), "https".to_owned()]),
                security_schemes: self
                    .security_scheme
                    .unwrap_or_else(|| vec!["oauth2".to_owned(), "oauth_basic_auth_api_key_mandatory".to_owned()]),
                audiences,
                authorization_header: self.authorization_header.filter(|header| !header.is_empty()),
                scopes,
                visibility: self.visibility.unwrap_or_default(),
                visible_roles: self.visible_roles.unwrap_or_default(),
                other: api_other::checked(self.other)?,
            },
        })
    }
}

/// Every verb on every path, as WSO2 makes them for an API without operations.
fn default_operations() -> Vec<OperationDto> {
    ["GET", "PUT", "POST", "DELETE", "PATCH"]
        .into_iter()
        .map(|verb| OperationDto {
            target: "/*".to_owned(),
            verb: verb.to_owned(),
            auth_type: None,
            throttling_policy: None,
            scopes: None,
            other: Map::new(),
        })
        .collect()
}

impl TryFrom<OperationDto> for Operation {
    type Error = Failure;

    fn try_from(dto: OperationDto) -> Result<Self, Failure> {
        Ok(Self {
            verb: dto.verb.to_ascii_uppercase(),
            target: dto.target,
            auth: dto.auth_type.unwrap_or_default(),
            throttling_policy: dto.throttling_policy.unwrap_or_else(|| UNLIMITED.to_owned()),
            scopes: dto.scopes.unwrap_or_default(),
            other: api_other::checked_operation(dto.other)?,
        })
    }
}

impl From<ApiScopeDto> for ApiScope {
    fn from(dto: ApiScopeDto) -> Self {
        Self {
            display_name: dto.scope.display_name.unwrap_or_else(|| dto.scope.name.clone()),
            description: dto.scope.description.unwrap_or_default(),
            roles: dto.scope.bindings.unwrap_or_default(),
            shared: dto.shared,
            name: dto.scope.name,
        }
    }
}

/// A working copy as clients see it: what is interpreted, what is only kept, and defaults for the rest.
pub struct ApiDto<'a>(pub &'a Api);

impl Serialize for ApiDto<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(mut fields) = interpreted(self.0) else {
            return Err(S::Error::custom("an API is an object"));
        };
        if self.0.details.endpoints.config.is_null() {
            fields.remove("endpointConfig");
        }
        for (name, value) in &self.0.details.other {
            fields.insert(name.clone(), value.clone());
        }
        if let Value::Object(defaults) = api_other::defaults() {
            for (name, value) in defaults {
                fields.entry(name).or_insert(value);
            }
        }
        fields.serialize(serializer)
    }
}

fn interpreted(api: &Api) -> Value {
    let details = &api.details;
    json!({
        "id": api.id,
        "name": api.name,
        "displayName": api.name,
        "description": "",
        "context": api.qualified_context(),
        "version": api.version,
        "provider": api.provider,
        "lifeCycleStatus": api.state.as_str(),
        "hasThumbnail": false,
        "isDefaultVersion": api.is_default_version,
        "isRevision": false,
        "revisionId": 0,
        "type": "HTTP",
        "audiences": details.audiences,
        "transport": details.transports,
        "policies": details.policies,
        "authorizationHeader": details.authorization_header.as_deref().unwrap_or("Authorization"),
        "securityScheme": details.security_schemes,
        "visibility": details.visibility,
        "visibleRoles": details.visible_roles,
        "createdTime": api.created_at.as_millis().to_string(),
        "lastUpdatedTimestamp": api.updated_at.as_millis().to_string(),
        "lastUpdatedTime": api.updated_at.to_string(),
        "endpointConfig": details.endpoints.config,
        "scopes": details.scopes.iter().map(scope).collect::<Vec<_>>(),
        "operations": details.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

fn scope(scope: &ApiScope) -> Value {
    json!({
        "scope": {
            "name": scope.name,
            "displayName": scope.display_name,
            "description": scope.description,
            "bindings": scope.roles,
        },
        "shared": scope.shared,
    })
}

fn operation(operation: &Operation) -> Value {
    let mut fields = json!({
        "id": "",
        "target": operation.target,
        "verb": operation.verb,
        "authType": operation.auth,
        "throttlingPolicy": operation.throttling_policy,
        "scopes": operation.scopes,
        "usedProductIds": [],
        "operationPolicies": { "request": [], "response": [], "fault": [] },
    });
    for (name, value) in &operation.other {
        fields[name] = value.clone();
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(value: Value) -> Result<NewApi, Failure> {
        serde_json::from_value::<ApiInput>(value).unwrap().into_new(None)
    }

    #[test]
    fn a_minimal_input_gets_safe_defaults() {
        let new = input(json!({"name": "Pizza", "version": "1.0.0", "context": "pizza"})).unwrap();
        assert_eq!(new.context.as_str(), "/pizza");
        assert_eq!(new.details.policies, ["Unlimited"]);
        assert_eq!(new.details.operations.len(), 5);
        assert!(new.details.operations.iter().all(|operation| operation.auth == AuthType::Any));
    }

    #[test]
    fn an_api_of_another_type_is_refused() {
        let error = input(json!({"name": "P", "version": "1", "context": "p", "type": "WS"})).unwrap_err();
        assert_eq!(error.to_string(), "type: 'WS' APIs are not served; use HTTP");
    }
}
