//! The data plane as a whole: real sockets, a real back end, an owner of quotas in memory.

mod ambiguous_http;
mod api_keys;
mod cors;
mod credentials;
mod fault_forms;
mod forwarding;
mod http2;
mod internal_keys;
mod levels;
mod lifecycle;
mod quotas;
mod redeploy;
mod routing;
mod shutdown;
mod streaming;
