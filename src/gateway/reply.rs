//! How the answer to a call must look: noted while the call is judged, written when its answer is made.

use hyper::header::HeaderMap;

use crate::cors::CorsGrant;
use crate::fault::FaultForm;
use crate::rate_limit::RateLimits;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Reply {
    /// What the client reads faults in.
    pub form: FaultForm,
    /// What browsers are told; `None` says nothing.
    pub cors: Option<CorsGrant>,
    /// What the call still has left.
    pub rate_limits: RateLimits,
}

impl Reply {
    /// Adds the gateway's own headers to an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        if let Some(cors) = &self.cors {
            cors.write(headers);
        }
        self.rate_limits.write(headers);
    }
}
