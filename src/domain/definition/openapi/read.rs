//! From a checked document to the values that an API is made of.

mod scopes;

use serde_json::{Map, Value};

use super::pointer::resolved;
use super::{DefinitionError, Generation, Info, OpenApi, ParsedOperation, SpecVersion, Wso2Extensions};
use crate::api::AuthType;

/// Keys of a path item that are operations a gateway serves. TRACE is left out: it echoes credentials.
pub(super) const VERBS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Which specification the document follows.
pub(super) fn spec_version(document: &Value) -> Result<SpecVersion, DefinitionError> {
    let (field, value) = match (document.get("swagger"), document.get("openapi")) {
        (Some(_), Some(_)) => {
            return Err(DefinitionError::new("", "only one of 'swagger' and 'openapi' may be present"));
        }
        (Some(value), None) => ("swagger", value),
        (None, Some(value)) => ("openapi", value),
        (None, None) => return Err(DefinitionError::new("", "'openapi' (or 'swagger' for 2.0) is required")),
    };
    let text = value.as_str().unwrap_or_default().trim();
    let generation = match (field, text) {
        ("swagger", "2.0") => Some(Generation::V2),
        ("openapi", text) if is_minor(text, "3.0") => Some(Generation::V3_0),
        ("openapi", text) if is_minor(text, "3.1") => Some(Generation::V3_1),
        _ => None,
    };
    let Some(generation) = generation else {
        let shown: String = value.to_string().chars().take(40).collect();
        return Err(DefinitionError::new(
            format!("/{field}"),
            format!("version {shown} is not supported: use 2.0, 3.0.x or 3.1.x"),
        ));
    };
    Ok(SpecVersion { generation, text: text.to_owned() })
}

fn is_minor(text: &str, minor: &str) -> bool {
    text.strip_prefix(minor).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Takes a checked document apart.
pub(super) fn open_api(kind: SpecVersion, document: Value, warnings: Vec<DefinitionError>) -> OpenApi {
    let extensions = extensions(&document);
    let servers = servers(kind.generation, &document);
    OpenApi {
        info: info(&document),
        operations: operations(kind.generation, &document),
        scopes: scopes::defined(kind.generation, &document),
        base_path: base_path(kind.generation, &document, &servers, &extensions),
        servers,
        extensions,
        warnings,
        kind,
        document,
    }
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn info(document: &Value) -> Info {
    let info = &document["info"];
    Info {
        title: text(info, "title").unwrap_or_default(),
        version: text(info, "version").unwrap_or_default(),
        description: text(info, "description"),
    }
}

fn operations(generation: Generation, document: &Value) -> Vec<ParsedOperation> {
    let schemes = scopes::oauth2_schemes(generation, document);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten().filter(|(path, _)| path.starts_with('/')) {
        let Some(item) = resolved(document, item).and_then(Value::as_object) else { continue };
        for (key, operation) in item.iter().filter(|(key, _)| VERBS.contains(&key.as_str())) {
            operations.push(ParsedOperation {
                verb: key.to_ascii_uppercase(),
                target: path.clone(),
                scopes: scopes::needed(document, operation, &schemes),
                auth: text(operation, "x-auth-type").and_then(|text| auth_type(&text)),
                throttling_policy: text(operation, "x-throttling-tier").filter(|name| !name.is_empty()),
                summary: text(operation, "summary"),
            });
        }
    }
    operations
}

/// `x-auth-type` in the spellings that WSO2 writes into definitions and into its API objects.
fn auth_type(text: &str) -> Option<AuthType> {
    match text {
        "None" => Some(AuthType::None),
        "Application" => Some(AuthType::Application),
        "Application User" | "Application_User" => Some(AuthType::ApplicationUser),
        "Any" | "Application & Application User" => Some(AuthType::Any),
        _ => None,
    }
}

/// The spelling of `x-auth-type` that WSO2 writes.
pub(super) fn auth_type_text(auth: AuthType) -> &'static str {
    match auth {
        AuthType::None => "None",
        AuthType::Application => "Application",
        AuthType::ApplicationUser => "Application User",
        AuthType::Any => "Application & Application User",
    }
}

fn servers(generation: Generation, document: &Value) -> Vec<String> {
    if generation == Generation::V2 {
        let Some(host) = text(document, "host").filter(|host| !host.is_empty()) else { return Vec::new() };
        let base = text(document, "basePath").unwrap_or_default();
        let mut schemes = texts(document.get("schemes"));
        if schemes.is_empty() {
            schemes.push("https".to_owned());
        }
        return schemes.iter().map(|scheme| format!("{scheme}://{host}{}", base.trim_end_matches('/'))).collect();
    }
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    servers.filter_map(|server| Some(with_defaults(server.get("url")?.as_str()?, server.get("variables")))).collect()
}

fn with_defaults(url: &str, variables: Option<&Value>) -> String {
    let empty = Map::new();
    let variables = variables.and_then(Value::as_object).unwrap_or(&empty);
    variables.iter().fold(url.to_owned(), |url, (name, variable)| {
        match variable.get("default").and_then(Value::as_str) {
            Some(default) => url.replace(&format!("{{{name}}}"), default),
            None => url,
        }
    })
}

fn base_path(
    generation: Generation,
    document: &Value,
    servers: &[String],
    extensions: &Wso2Extensions,
) -> Option<String> {
    let from_servers = || match generation {
        Generation::V2 => text(document, "basePath"),
        Generation::V3_0 | Generation::V3_1 => servers.first().map(|url| path_of(url).to_owned()),
    };
    let path = extensions.base_path.clone().or_else(from_servers)?;
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

/// The path of an absolute or relative URL, without query and fragment.
fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

fn extensions(document: &Value) -> Wso2Extensions {
    let urls = |key: &str| texts(document.get(key).and_then(|endpoints| endpoints.get("urls")));
    Wso2Extensions {
        base_path: text(document, "x-wso2-basePath"),
        production_endpoints: urls("x-wso2-production-endpoints"),
        sandbox_endpoints: urls("x-wso2-sandbox-endpoints"),
        authorization_header: text(document, "x-wso2-auth-header"),
        transports: texts(document.get("x-wso2-transports")),
        throttling_policy: text(document, "x-throttling-tier"),
    }
}
