//! Request bodies that the handler reads itself (form or JSON by content, as the token endpoint does).

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;

use crate::body;
use crate::limits::Limits;
use crate::problem::Problem;

/// A request body byte for byte, within the limits of JSON and form bodies.
#[derive(Debug, Clone)]
pub struct RawBody(pub Bytes);

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = Limits::of(request);
        let mut payload = payload.take();
        Box::pin(async move { body::read(&mut payload, &limits).await.map(Self) })
    }
}
