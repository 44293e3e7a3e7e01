//! An API as its creator works on it: the working copy that revisions freeze.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lifecycle::LifecycleState;
use crate::name::{ApiContext, ApiName, ApiVersion};
use crate::throttling::{RateLimit, TimeUnit};
use crate::{ApiId, Organization, Timestamp, tenant};

/// The working copy of an API (WSO2 `API`), stored as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    pub id: ApiId,
    pub organization: Organization,
    pub name: ApiName,
    pub version: ApiVersion,
    pub context: ApiContext,
    /// User name of the creator, `user` in the super tenant, else `user@tenant`.
    pub provider: String,
    pub state: LifecycleState,
    pub is_default_version: bool,
    /// SHA-256 (hex) of the uploaded definition in the registry, byte for byte as it came.
    pub definition_hash: Option<String>,
    pub details: ApiDetails,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub updated_by: String,
    /// Grows with every change; the entity tag of the working copy.
    pub row_version: i64,
}

/// What a creator may change freely.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApiDetails {
    pub operations: Vec<Operation>,
    pub endpoints: Endpoints,
    /// Names of the subscription policies that subscribers may choose; empty means that no subscription is needed.
    pub policies: Vec<String>,
    /// `http`, `https`: the transports that the gateway serves the API on.
    pub transports: Vec<String>,
    /// Names as on the wire: `oauth2`, `api_key`, ..
    pub security_schemes: Vec<String>,
    /// Audiences that tokens must name; empty or `all` checks nothing.
    pub audiences: Vec<String>,
    /// Name of the header that carries the access token; `Authorization` when unset.
    pub authorization_header: Option<String>,
    pub scopes: Vec<ApiScope>,
    pub visibility: Visibility,
    pub visible_roles: Vec<String>,
    /// The remaining fields of the wire's `API` object that nothing here interprets, kept as they came.
    pub other: Map<String, Value>,
}

/// Who sees a published API in the developer portal (WSO2 `API.visibility`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Visibility {
    #[default]
    Public,
    Private,
    Restricted,
}

/// One verb on one URI template (WSO2 `APIOperations`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Upper case, e.g. `GET`.
    pub verb: String,
    /// URI template relative to the API's context, e.g. `/menu/{id}`; a trailing `/*` matches everything below.
    pub target: String,
    pub auth: AuthType,
    /// Name of an advanced policy, `Unlimited` when none limits the operation.
    pub throttling_policy: String,
    /// Names of scopes of which a token needs at least one; empty needs none.
    pub scopes: Vec<String>,
    /// The remaining fields of the wire's operation that nothing here interprets, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub other: Map<String, Value>,
}

/// Which tokens an operation takes (WSO2 `APIOperations.authType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AuthType {
    #[default]
    #[serde(rename = "Any", alias = "Application & Application User")]
    Any,
    #[serde(rename = "Application")]
    Application,
    #[serde(rename = "Application User", alias = "Application_User")]
    ApplicationUser,
    #[serde(rename = "None")]
    None,
}

/// A scope that an API defines, with the roles that may get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiScope {
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// Roles of which a user needs one; empty lets every user have the scope.
    pub roles: Vec<String>,
    /// Whether the scope belongs to the tenant and not to this API alone.
    pub shared: bool,
}

/// Where calls go (WSO2 `API.endpointConfig`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Endpoints {
    pub production: Option<Endpoint>,
    pub sandbox: Option<Endpoint>,
    /// The wire's `endpointConfig` object as it came, for the fields that nothing here interprets.
    pub config: Value,
}

/// One back end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `http://` or `https://` URL without query or fragment; its path is put before the operation's path.
    pub url: String,
    /// Longest wait for the back end's response head, in milliseconds; the gateway's default when unset.
    pub timeout_ms: Option<u64>,
}

impl ApiDetails {
    /// Name of the advanced policy of the whole API (WSO2 `API.apiThrottlingPolicy`), if any.
    #[must_use]
    pub fn api_policy(&self) -> Option<&str> {
        self.other.get("apiThrottlingPolicy").and_then(Value::as_str).filter(|name| !name.is_empty())
    }

    /// Most calls per second that reach the back end `production` or `sandbox` (WSO2 `API.maxTps`), if limited.
    #[must_use]
    pub fn back_end_maximum(&self, endpoint: &str) -> Option<RateLimit> {
        let count = self.other.get("maxTps")?.get(endpoint)?.as_u64().filter(|count| *count > 0)?;
        Some(RateLimit { count, time_unit: TimeUnit::Sec })
    }

    /// Names of all advanced policies that the API and its operations use, each once.
    #[must_use]
    pub fn advanced_policies(&self) -> BTreeSet<&str> {
        let operations = self.operations.iter().map(|operation| operation.throttling_policy.as_str());
        operations.chain(self.api_policy()).filter(|name| !name.is_empty()).collect()
    }
}

impl Api {
    /// Whether calls without a version reach this one. An API that is only created leaves them to the version that has
    /// them until it is published.
    #[must_use]
    pub fn takes_default(&self) -> bool {
        self.is_default_version && self.state.takes_default()
    }

    /// The path under which gateways serve this version, e.g. `/pizza/1.0.0` or `/t/tenant.example/pizza/1.0.0`.
    #[must_use]
    pub fn full_context(&self) -> String {
        format!("{}{}", tenant::path_prefix(&self.organization), self.context.with_version(&self.version))
    }

    /// The path of the default version, e.g. `/pizza` or `/t/tenant.example/pizza`.
    #[must_use]
    pub fn default_context(&self) -> String {
        format!("{}{}", tenant::path_prefix(&self.organization), self.context.without_version())
    }

    /// The context as the wire shows it: that of a tenant's API begins with `/t/<tenant>`.
    #[must_use]
    pub fn qualified_context(&self) -> String {
        format!("{}{}", tenant::path_prefix(&self.organization), self.context.as_str())
    }
}
