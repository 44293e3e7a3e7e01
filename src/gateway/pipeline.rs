//! The life of one call: every step it goes through, in order. The one place where that order stands.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use domain::lifecycle::LifecycleState;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Request, Response};

use crate::activity::{ACTIVITY_ID, ActivityIds};
use crate::answer::{self, AnswerBody};
use crate::client_address::TrustedProxies;
use crate::cors::GatewayCors;
use crate::fault::{Fault, FaultForm};
use crate::filters::authenticate::api_key::without_key;
use crate::filters::authenticate::{Offered, TokenCache, internal_key};
use crate::filters::cors::Rules;
use crate::filters::throttle::{CallView, Counters, Quotas};
use crate::filters::transport::Transport;
use crate::filters::{
    audience, authenticate, deny, endpoint, message, resource, scope, status, subscription, transport,
};
use crate::landing;
use crate::lease::{Charge, LeaseBook};
use crate::local_limit::LocalLimits;
use crate::observe::{GatewayMetrics, Governed, Observation, logs_access};
use crate::router::PathView;
use crate::table::{ApiEntry, Tables};
use crate::token_proxy::TokenProxy;
use crate::upstream::{
    BodyFailure, BodyLimits, Forwarded, RequestBody, ResponseStream, Upstream, back_end_uri, prepare_request_headers,
};

/// Most bytes, and the longest time, for which the rest of a refused request is read so that its sender gets to the
/// answer.
const DRAIN_BYTES_MAX: usize = 4 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// What all workers share.
pub struct Shared {
    pub tables: Tables,
    pub tokens: TokenCache,
    pub leases: Arc<LeaseBook>,
    pub local_limits: LocalLimits,
    pub clock: Arc<dyn Clock>,
    pub trusted: TrustedProxies,
    pub metrics: Arc<GatewayMetrics>,
    /// `None` when calls to the token service are not passed on.
    pub token_proxy: Option<TokenProxy>,
    /// `None` when CORS is switched off.
    pub cors: Option<GatewayCors>,
    pub limits: BodyLimits,
}

/// One worker's half of the data plane.
pub struct Pipeline {
    pub shared: Arc<Shared>,
    pub upstream: Upstream,
    pub activities: ActivityIds,
}

/// What is known of the connection that a call came over.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    pub peer: IpAddr,
    pub transport: Transport,
}

/// A call that may pass once its quotas allow it.
struct Admitted {
    entry: Arc<ApiEntry>,
    quotas: Quotas,
    /// What the request's size costs.
    charges: Vec<Charge>,
    request: Parts,
    timeout: Option<Duration>,
}

/// What becomes of a call.
enum Decision {
    Pass(Box<Admitted>),
    /// The gateway answers it itself.
    Answer(Response<bytes::Bytes>),
}

impl Pipeline {
    /// Answers one call; `violation` is what the connection saw wrong with the request's framing.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        connection: Connection,
        violation: Option<&'static str>,
    ) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let activity = self.activities.of(&parts.headers);
        let metrics = Arc::clone(&self.shared.metrics);
        let mut observation = Observation::start(metrics, parts.method.clone(), parts.uri.clone(), activity);
        observation.reply.form = FaultForm::negotiate(&parts.headers);
        // Nothing is decided about a message that another server could read differently.
        if let Err(fault) = message::check(&parts, violation) {
            return answer::fault(fault, observation);
        }
        // No API can be deployed on these paths.
        if let Some(response) = landing::find(&parts.method, parts.uri.path()) {
            return answer::made(response, observation);
        }
        if let Some(proxy) = &self.shared.token_proxy
            && let Some(target) = TokenProxy::find(parts.uri.path())
        {
            return match proxy.pass(&target, parts, body, connection, &self.shared.trusted).await {
                Ok(response) => answer::made(response, observation),
                Err(fault) => answer::fault(fault, observation),
            };
        }
        let wants_continue = parts.headers.contains_key(EXPECT);
        let admitted = match self.judge(parts, &body, connection, &mut observation).await {
            Ok(Decision::Pass(admitted)) => *admitted,
            Ok(Decision::Answer(response)) => {
                drain(body);
                return answer::made(response, observation);
            }
            Err(fault) => {
                // A client that waits for leave to send has sent nothing, and must not be given leave.
                if !fault.closes_connection() && !wants_continue {
                    drain(body);
                }
                return answer::fault(fault, observation);
            }
        };
        let limits = self.shared.limits;
        let request = Request::from_parts(admitted.request, RequestBody::new(body, limits, admitted.charges));
        match self.upstream.send(request, admitted.timeout).await {
            Ok(response) => answer::streamed(response.map(|body| ResponseStream::new(body, limits.idle)), observation),
            Err(fault) => answer::fault(fault, observation),
        }
    }

    /// Decides whether the call may pass, and spends what it costs.
    async fn judge(
        &self,
        parts: Parts,
        body: &Incoming,
        connection: Connection,
        observation: &mut Observation,
    ) -> Result<Decision, Fault> {
        let mut admitted = match self.admit(parts, connection, observation)? {
            Decision::Pass(admitted) => admitted,
            answer @ Decision::Answer(_) => return Ok(answer),
        };
        self.shared.limits.check_announced(body).map_err(BodyFailure::into_fault)?;
        // Last, so that a call that is refused for any other reason counts nowhere.
        let shared = &*self.shared;
        let (api, quotas) = (&admitted.entry.api.document, std::mem::take(&mut admitted.quotas));
        let counters = Counters { leases: &shared.leases, local: &shared.local_limits };
        let limits = &mut observation.reply.rate_limits;
        admitted.charges = quotas.take(counters, api, shared.clock.now(), limits).await?;
        Ok(Decision::Pass(admitted))
    }

    /// Every decision that needs the tables only.
    fn admit(
        &self,
        mut parts: Parts,
        connection: Connection,
        observation: &mut Observation,
    ) -> Result<Decision, Fault> {
        let shared = &*self.shared;
        let now = shared.clock.now();
        // Refused before it is matched: a path that a back end could resolve to another one.
        let path = PathView::parse(parts.uri.path()).map_err(|error| Fault::BadPath(error.to_string()))?;
        let live = shared.tables.live();
        let (entry, context_length) = live.find_api(path.bytes()).ok_or(Fault::UnknownContext)?;
        observation.api = Some(Arc::clone(&entry));
        let api = &entry.api;
        // First, so that browsers can read what else is wrong. A retired API is answered like one that never was.
        if let Some(rules) = Rules::of(shared.cors.as_ref(), api).filter(|_| entry.state != LifecycleState::Retired) {
            let reply = &mut observation.reply;
            if let Some(response) = rules.apply(api, &path, context_length, &parts.method, &parts.headers, reply)? {
                return Ok(Decision::Answer(response));
            }
        }
        // Before the resource: a blocked API says so whatever is asked of it.
        if let Err(fault) = status::check(entry.state)
            && !internal_key::opens(&live, api, &parts.headers, now)
        {
            return Err(fault);
        }
        // Before credentials are looked at, so that nobody is told to send them over the wrong transport.
        transport::check(api, connection.transport)?;
        // Operations differ in the credentials that they want, so the operation comes first.
        let index = resource::elect(api, &path, context_length, &parts.method)?;
        let (operation, operation_key) = api.operation(index).ok_or(Fault::NoResource)?;
        let client = shared.trusted.client_address(connection.peer, &parts.headers);
        let offered = Offered { headers: &parts.headers, query: parts.uri.query(), client };
        let caller = authenticate::check(&shared.tokens, &live, api, operation, offered, now)?;
        // What the token alone tells is cheaper than looking up who holds it.
        audience::check(api, &caller)?;
        let access = subscription::check(&live, &entry, &caller)?;
        observation.application = access.consumer.as_ref().map(|consumer| consumer.application.id);
        // After the subscription: who is not subscribed learns nothing about scopes.
        scope::check(operation, &caller)?;
        // Before the quotas: a call that can reach nothing costs nothing.
        let backend = endpoint::choose(api, access.key_type)?;
        let (headers, query) = (&parts.headers, parts.uri.query());
        let (caller, access) = (&caller, &access);
        let call = CallView { api, operation, operation_key, access, caller, client, headers, query };
        deny::check(&live, &call)?;
        if logs_access() {
            observation.governed = Governed::of(&call, index, announced_bytes(headers));
        }
        let quotas = Quotas::find(&live, &call)?;
        let timeout = backend.response_timeout;
        // Where API keys are taken, a query that holds one keeps it from the back end.
        let query = if api.accepts.api_key { query.and_then(without_key) } else { query.map(Cow::Borrowed) };
        let target = back_end_uri(backend, path.raw_after(context_length), query.as_deref());
        let target = target.map_err(|_| Fault::Ambiguous("the request target is not valid"))?;
        self.prepare(&mut parts, connection, &entry, observation);
        parts.uri = target;
        Ok(Decision::Pass(Box::new(Admitted { entry, quotas, charges: Vec::new(), request: parts, timeout })))
    }

    /// Turns the client's headers into those for the back end.
    fn prepare(&self, parts: &mut Parts, connection: Connection, entry: &ApiEntry, observation: &Observation) {
        let host = parts.headers.get(HOST).cloned();
        let host = host.as_ref().and_then(|host| host.to_str().ok());
        let forwarded = Forwarded {
            peer: connection.peer,
            is_trusted: self.shared.trusted.contains(connection.peer),
            scheme: connection.transport.as_str(),
            host: host.or_else(|| parts.uri.authority().map(hyper::http::uri::Authority::as_str)),
        };
        let own = [&entry.api.authorization_header, &entry.api.api_key_header];
        prepare_request_headers(&mut parts.headers, own, &forwarded);
        parts.headers.insert(ACTIVITY_ID, observation.activity.clone());
        parts.version = hyper::Version::HTTP_11;
        // Leftovers of the connection, such as the handle for upgrades.
        parts.extensions.clear();
    }
}

/// Length of the body as the client says it, unless it comes in chunks.
fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH).map(|length| length.to_str().ok()?.trim().parse().ok());
    // Without either header there is no body (RFC 9112 section 6.3).
    length.unwrap_or_else(|| (!headers.contains_key(TRANSFER_ENCODING)).then_some(0))
}

/// Reads and drops what a refused client is still sending: closing on it could lose the answer on its way.
fn drain(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN_TIME_MAX, async move {
        let mut rest = DRAIN_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            match rest.checked_sub(frame.data_ref().map_or(0, bytes::Bytes::len)) {
                Some(left) => rest = left,
                None => return,
            }
        }
    }));
}
