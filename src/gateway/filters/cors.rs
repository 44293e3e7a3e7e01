//! Preflights: answered here, before anybody has to say who they are, unless the API has an operation for them.

use bytes::Bytes;
use hyper::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, HeaderMap, HeaderValue};
use hyper::{Method, Response};

use super::resource;
use crate::cors::{CorsPolicy, GatewayCors};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::router::{Election, PathView, Verb};
use crate::table::CompiledApi;

/// The gateway's rules for one API.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub gateway: &'a GatewayCors,
    pub policy: &'a CorsPolicy,
}

impl<'a> Rules<'a> {
    /// `None` when CORS is switched off.
    #[must_use]
    pub fn of(gateway: Option<&'a GatewayCors>, api: &'a CompiledApi) -> Option<Self> {
        let gateway = gateway?;
        Some(Self { gateway, policy: api.cors.as_ref().unwrap_or(&gateway.fallback) })
    }

    /// Notes what the answer to the call says, and answers it at once when it is a preflight.
    ///
    /// # Errors
    /// When a preflight asks for a resource or a method that the API does not have.
    pub fn apply(
        self,
        api: &CompiledApi,
        path: &PathView<'_>,
        context_length: usize,
        method: &Method,
        headers: &HeaderMap,
        reply: &mut Reply,
    ) -> Result<Option<Response<Bytes>>, Fault> {
        let mut grant = self.gateway.grant(self.policy, headers);
        let below = path.bytes().get(context_length..).unwrap_or_default();
        let is_options = *method == Method::OPTIONS;
        grant.yields_to_back_end =
            is_options && matches!(api.tree.elect(below, Some(Verb::Options)), Election::Operation(_));
        let (yields, is_allowed) = (grant.yields_to_back_end, grant.is_allowed());
        reply.cors = Some(grant);
        if !is_options || yields {
            return Ok(None);
        }
        // Without a method nothing is asked for: the resource has no OPTIONS.
        let asked =
            headers.get(ACCESS_CONTROL_REQUEST_METHOD).and_then(|value| Method::from_bytes(value.as_bytes()).ok());
        resource::elect(api, path, context_length, asked.as_ref().unwrap_or(method))?;
        let mut response = Response::new(Bytes::new());
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        if let Election::OtherVerbs(verbs) = api.tree.elect(below, None)
            && is_allowed
        {
            let own = [api.authorization_header.as_str(), api.api_key_header.as_str()];
            self.gateway.write_preflight(self.policy, verbs, own, response.headers_mut());
        }
        Ok(Some(response))
    }
}
