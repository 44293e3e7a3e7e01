//! `API.endpointConfig`.

use domain::Failure;
use domain::api::{Endpoint, Endpoints};
use domain::definition::openapi::OpenApi;
use serde_json::{Value, json};

/// Reads the part that gateways need and keeps the whole object.
///
/// # Errors
/// 400 naming the field; also for what is not served yet (several back ends of one kind, endpoint security), because an
/// API that silently went without it would be worse.
pub fn parse(config: Value) -> Result<Endpoints, Failure> {
    if !config.is_object() {
        return Err(Failure::invalid("endpointConfig", "must be an object"));
    }
    let kind = config.get("endpoint_type").and_then(Value::as_str).unwrap_or("http");
    if !["http", "address"].contains(&kind) {
        return Err(Failure::invalid(
            "endpointConfig.endpoint_type",
            format!("'{kind}' is not served; use http with one URL for production and one for sandbox"),
        ));
    }
    for environment in ["production", "sandbox"] {
        let security = config.get("endpoint_security").and_then(|security| security.get(environment));
        if security.and_then(|security| security.get("enabled")) == Some(&Value::Bool(true)) {
            return Err(Failure::invalid(
                &format!("endpointConfig.endpoint_security.{environment}"),
                "endpoint security is not served yet",
            ));
        }
    }
    Ok(Endpoints {
        production: endpoint(&config, "production_endpoints")?,
        sandbox: endpoint(&config, "sandbox_endpoints")?,
        config,
    })
}

fn endpoint(config: &Value, name: &str) -> Result<Option<Endpoint>, Failure> {
    let field = format!("endpointConfig.{name}");
    let entry = match config.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(entries)) => match entries.as_slice() {
            [] => return Ok(None),
            [entry] => entry,
            _ => return Err(Failure::invalid(&field, "several URLs are not served; name one")),
        },
        Some(entry) => entry,
    };
    let Some(url) = entry.get("url").and_then(Value::as_str) else {
        return Err(Failure::invalid(&format!("{field}.url"), "is missing"));
    };
    if url.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(Endpoint { url: url.trim().to_owned(), timeout_ms: timeout_ms(entry) }))
}

/// `config.actionDuration`, a number of milliseconds or its text.
fn timeout_ms(entry: &Value) -> Option<u64> {
    let duration = entry.get("config")?.get("actionDuration")?;
    let millis = duration.as_u64().or_else(|| duration.as_str()?.parse().ok())?;
    (millis > 0).then_some(millis)
}

/// The back ends that the definition names: WSO2's extensions, else the first absolute server.
pub fn from_definition(definition: &OpenApi) -> Endpoints {
    let first = |urls: &[String]| {
        urls.iter()
            .find(|url| url.starts_with("http://") || url.starts_with("https://"))
            .map(|url| Endpoint { url: url.clone(), timeout_ms: None })
    };
    let production = first(&definition.extensions.production_endpoints).or_else(|| first(&definition.servers));
    let sandbox = first(&definition.extensions.sandbox_endpoints);
    let mut config = json!({ "endpoint_type": "http" });
    for (name, endpoint) in [("production_endpoints", &production), ("sandbox_endpoints", &sandbox)] {
        if let (Some(endpoint), Some(fields)) = (endpoint, config.as_object_mut()) {
            fields.insert(name.to_owned(), json!({ "url": endpoint.url }));
        }
    }
    Endpoints { production, sandbox, config }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_time_outs_are_read() {
        let endpoints = parse(json!({
            "endpoint_type": "http",
            "production_endpoints": {"url": "http://a", "config": {"actionDuration": "30000"}},
            "sandbox_endpoints": [{"url": "http://b"}],
        }))
        .unwrap();
        assert_eq!(endpoints.production, Some(Endpoint { url: "http://a".to_owned(), timeout_ms: Some(30_000) }));
        assert_eq!(endpoints.sandbox, Some(Endpoint { url: "http://b".to_owned(), timeout_ms: None }));
    }

    #[test]
    fn what_is_not_served_is_refused_and_named() {
        let secured = json!({"endpoint_security": {"production": {"enabled": true, "password": "x"}}});
        assert!(parse(secured).unwrap_err().to_string().starts_with("endpointConfig.endpoint_security.production:"));
        assert!(parse(json!({"endpoint_type": "failover"})).is_err());
        assert!(parse(json!({"production_endpoints": {}})).is_err());
    }
}
