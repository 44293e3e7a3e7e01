//! The data plane as a whole: real sockets, a real back end, an owner of quotas in memory.

mod ambiguous_http;
mod credentials;
mod forwarding;
mod http2;
mod lifecycle;
mod quotas;
mod redeploy;
mod routing;
mod shutdown;
mod streaming;
