//! Limits of request bodies, from configuration through app data.

use std::time::Duration;

use actix_web::HttpRequest;

/// What a body may be at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// JSON and form bodies.
    pub body_bytes_max: usize,
    /// Multipart bodies, all parts together.
    pub upload_bytes_max: usize,
    /// Parts of a multipart body.
    pub upload_parts_max: usize,
    /// Time until the whole body must be here.
    pub body_timeout: Duration,
}

impl Limits {
    #[must_use]
    pub fn from_config(server: &config::sections::server::Server) -> Self {
        Self {
            body_bytes_max: server.body_max.as_usize(),
            upload_bytes_max: server.upload_max.as_usize(),
            upload_parts_max: 32,
            body_timeout: server.body_timeout.get(),
        }
    }

    /// Those of the server that got the request, else the defaults.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.app_data::<Self>().cloned().unwrap_or_default()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from_config(&config::sections::server::Server::default())
    }
}
