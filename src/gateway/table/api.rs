//! An API as the gateway serves it: the artifact, checked and turned into what a request needs.

use std::sync::Arc;
use std::time::Duration;

use domain::api::Endpoint;
use domain::application::KeyType;
use domain::lifecycle::LifecycleState;
use domain::runtime::{DeployedRevision, GatewayApi, GatewayOperation};
use hyper::Uri;
use hyper::header::HeaderName;
use hyper::http::uri::{Authority, Scheme};

use crate::cors::CorsPolicy;
use crate::fault::Accepted;
use crate::router::template::InvalidTemplate;
use crate::router::tree::OperationTree;
use crate::router::{BadPath, PathView, Verb};
use crate::upstream::API_KEY;

/// The artifact cannot be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArtifact {
    #[error("context '{context}' cannot be served")]
    Context { context: String, source: BadPath },
    #[error("context '{0}' must have a segment and no trailing slash")]
    EmptyContext(String),
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
    #[error("operation '{verb} {target}' has a verb that is not served")]
    Verb { verb: String, target: String },
    #[error("'{0}' is no URL of a back end: use http:// or https:// with host, without user, query and fragment")]
    Endpoint(String),
    #[error("'{0}' is no name of a header")]
    Header(String),
}

/// One API in the route table.
#[derive(Debug)]
pub struct ApiEntry {
    pub api: Arc<CompiledApi>,
    pub deployment: DeployedRevision,
    pub state: LifecycleState,
    /// Whether calls without a version come here too.
    pub is_default_version: bool,
}

/// A built artifact.
#[derive(Debug)]
pub struct CompiledApi {
    pub document: Arc<GatewayApi>,
    pub tree: OperationTree,
    /// `<template>:<VERB>` of each operation, shared with throttle keys.
    operation_keys: Vec<Arc<str>>,
    pub production: Option<Backend>,
    pub sandbox: Option<Backend>,
    pub serves_http: bool,
    pub serves_https: bool,
    /// Which credentials are taken.
    pub accepts: Accepted,
    /// Whether only clients with a certificate may call, which cannot be checked here: then nobody may.
    pub needs_certificate: bool,
    /// Audiences of which a token needs one; `None` checks nothing.
    pub audiences: Option<Vec<String>>,
    /// Header that carries the access token.
    pub authorization_header: HeaderName,
    /// Header that carries an API key.
    pub api_key_header: HeaderName,
    /// What browsers are told; the gateway's own rules when unset.
    pub cors: Option<CorsPolicy>,
}

/// A back end, taken apart once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pub scheme: Scheme,
    pub authority: Authority,
    /// Without a trailing slash; empty for the root.
    pub base_path: String,
    pub response_timeout: Option<Duration>,
}

impl CompiledApi {
    pub fn build(document: Arc<GatewayApi>) -> Result<Self, InvalidArtifact> {
        check_context(&document.context)?;
        check_context(&document.default_context)?;
        let mut operations = Vec::with_capacity(document.operations.len());
        for operation in &document.operations {
            operations.push((verb(operation)?, operation.target.as_str()));
        }
        let tree = OperationTree::build(operations)?;
        let key_of = |operation: &GatewayOperation| format!("{}:{}", operation.target, operation.verb).into();
        let operation_keys = document.operations.iter().map(key_of).collect();
        let production = document.production.as_ref().map(Backend::parse).transpose()?;
        let sandbox = document.sandbox.as_ref().map(Backend::parse).transpose()?;
        let has_transport = |name: &str| document.transports.iter().any(|own| own.eq_ignore_ascii_case(name));
        let has_scheme = |name: &str| document.security_schemes.iter().any(|own| own == name);
        let checks_audience = !document.audiences.is_empty() && !document.audiences.iter().any(|own| own == "all");
        Ok(Self {
            tree,
            operation_keys,
            production,
            sandbox,
            serves_http: has_transport("http"),
            serves_https: has_transport("https"),
            accepts: Accepted {
                bearer: document.security_schemes.is_empty() || has_scheme("oauth2"),
                api_key: has_scheme("api_key"),
            },
            needs_certificate: has_scheme("mutualssl_mandatory"),
            audiences: checks_audience.then(|| document.audiences.clone()),
            authorization_header: header_name(&document.authorization_header)?,
            api_key_header: document.api_key_header.as_deref().map_or(Ok(API_KEY), header_name)?,
            cors: document.cors.as_ref().map(CorsPolicy::new),
            document,
        })
    }

    /// An operation and its key.
    #[must_use]
    pub fn operation(&self, index: usize) -> Option<(&GatewayOperation, &Arc<str>)> {
        self.document.operations.get(index).zip(self.operation_keys.get(index))
    }

    #[must_use]
    pub fn backend(&self, key_type: KeyType) -> Option<&Backend> {
        match key_type {
            KeyType::Production => self.production.as_ref(),
            KeyType::Sandbox => self.sandbox.as_ref(),
        }
    }
}

fn header_name(text: &str) -> Result<HeaderName, InvalidArtifact> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| InvalidArtifact::Header(text.to_owned()))
}

fn check_context(context: &str) -> Result<(), InvalidArtifact> {
    let invalid = |source| InvalidArtifact::Context { context: context.to_owned(), source };
    let view = PathView::parse(context).map_err(invalid)?;
    if context.len() < 2 || context.ends_with('/') || view.bytes() != context.as_bytes() {
        return Err(InvalidArtifact::EmptyContext(context.to_owned()));
    }
    Ok(())
}

fn verb(operation: &GatewayOperation) -> Result<Verb, InvalidArtifact> {
    Verb::parse(&operation.verb)
        .ok_or_else(|| InvalidArtifact::Verb { verb: operation.verb.clone(), target: operation.target.clone() })
}

impl Backend {
    fn parse(endpoint: &Endpoint) -> Result<Self, InvalidArtifact> {
        let invalid = || InvalidArtifact::Endpoint(endpoint.url.clone());
        if endpoint.url.contains('#') {
            return Err(invalid());
        }
        let parts = endpoint.url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(invalid()) };
        let path_and_query = parts.path_and_query;
        let is_http = scheme == Scheme::HTTP || scheme == Scheme::HTTPS;
        let has_query = path_and_query.as_ref().is_some_and(|path| path.query().is_some());
        if !is_http || has_query || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(invalid());
        }
        let base_path = path_and_query.map(|path| path.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        let response_timeout = endpoint.timeout_ms.filter(|millis| *millis > 0).map(Duration::from_millis);
        Ok(Self { scheme, authority, base_path, response_timeout })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(url: &str) -> Result<Backend, InvalidArtifact> {
        Backend::parse(&Endpoint { url: url.to_owned(), timeout_ms: None })
    }

    #[test]
    fn an_endpoint_is_scheme_authority_and_base_path() {
        let parsed = backend("https://example.com:8443/v1/api/").unwrap();
        assert_eq!(parsed.scheme, Scheme::HTTPS);
        assert_eq!(parsed.authority.as_str(), "example.com:8443");
        assert_eq!(parsed.base_path, "/v1/api");
        assert_eq!(backend("http://example.com").unwrap().base_path, "");
        assert_eq!(backend("http://[::1]:80/").unwrap().base_path, "");
    }

    #[test]
    fn what_is_no_back_end_is_refused() {
        for url in ["", "example.com", "/path", "ftp://x/", "http://", "http://u:p@x/", "http://x/?q", "http://x/#f"] {
            assert!(backend(url).is_err(), "{url}");
        }
    }
}
