//! The token service's paths on the gateway's ports: passed on to the key managers, so that callers need one host only.

use bytes::Bytes;
use client::Peers;
use domain::tenant;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response, Uri};
use telemetry::error_chain::ErrorChain;

use crate::client_address::TrustedProxies;
use crate::fault::Fault;
use crate::pipeline::Connection;
use crate::upstream::{Forwarded, prepare_passed_headers, prepare_response_headers};

/// Largest request body; the token service takes forms and small JSON.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The paths, and what they are on a key manager.
const PATHS: [(&str, &str); 4] = [
    ("/token", "/oauth2/token"),
    ("/revoke", "/oauth2/revoke"),
    ("/authorize", "/oauth2/authorize"),
    ("/userinfo", "/oauth2/userinfo"),
];

/// Passes calls on.
pub struct TokenProxy(Peers);

impl TokenProxy {
    #[must_use]
    pub fn new(key_managers: Peers) -> Self {
        Self(key_managers)
    }

    /// The key manager's path for `path`, if it is one of ours; a tenant's form has `/t/<domain>` before it.
    #[must_use]
    pub fn find(path: &str) -> Option<String> {
        let (prefix, rest) = match path.strip_prefix("/t/").and_then(|rest| rest.find('/')) {
            Some(end) => path.split_at("/t/".len() + end),
            None => ("", path),
        };
        let domain = prefix.strip_prefix("/t/").unwrap_or_default();
        if !prefix.is_empty() && tenant::parse_domain("tenant", domain).is_err() {
            return None;
        }
        let (_, target) = PATHS.iter().find(|(own, _)| *own == rest)?;
        Some(format!("{prefix}{target}"))
    }

    /// The key manager's answer.
    pub async fn pass(
        &self,
        target: &str,
        mut parts: Parts,
        body: Incoming,
        connection: Connection,
        trusted: &TrustedProxies,
    ) -> Result<Response<Bytes>, Fault> {
        let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{target}{query}");
        parts.uri = Uri::try_from(target).map_err(|_| Fault::Ambiguous("the request target is not valid"))?;
        let host = parts.headers.get(hyper::header::HOST).cloned();
        let forwarded = Forwarded {
            peer: connection.peer,
            is_trusted: trusted.contains(connection.peer),
            scheme: connection.transport.as_str(),
            host: host.as_ref().and_then(|host| host.to_str().ok()),
        };
        prepare_passed_headers(&mut parts.headers, &forwarded);
        parts.extensions.clear();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Fault::PayloadTooLarge)?.to_bytes();
        match self.0.forward(Request::from_parts(parts, body)).await {
            Ok(mut response) => {
                prepare_response_headers(response.headers_mut());
                Ok(response)
            }
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "a call to the token service cannot be passed on");
                Err(Fault::TokenServiceUnavailable)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_paths_and_their_tenant_forms_are_passed_on_and_nothing_else() {
        let find = |path: &str| TokenProxy::find(path);
        assert_eq!(find("/token").as_deref(), Some("/oauth2/token"));
        assert_eq!(find("/t/shop.example/revoke").as_deref(), Some("/t/shop.example/oauth2/revoke"));
        for other in ["/token/", "/oauth2/token", "/t//token", "/t/../token", "/t/shop.example/x/token", "/tokens", "/"]
        {
            assert_eq!(find(other), None, "{other}");
        }
    }
}
