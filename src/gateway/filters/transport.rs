//! An API may be served over one transport only.

use crate::fault::Fault;
use crate::table::CompiledApi;

/// How a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Http,
    Https,
}

impl Transport {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

pub fn check(api: &CompiledApi, transport: Transport) -> Result<(), Fault> {
    let is_served = match transport {
        Transport::Http => api.serves_http,
        Transport::Https => api.serves_https,
    };
    if is_served { Ok(()) } else { Err(Fault::UnsupportedTransport(transport.as_str())) }
}
