//! The two paths that the gateway answers itself on its traffic ports, as clients of WSO2's gateway expect.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response};

/// `GET /` and `GET /services/Version`.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<Response<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    match path {
        "/" => {
            let page = "<!DOCTYPE html><html><head><title>Gatewright</title></head>\
                        <body><h1>Gatewright</h1><p>This is an API gateway.</p></body></html>\n";
            Some(response("text/html; charset=UTF-8", page))
        }
        "/services/Version" => {
            let version = concat!("<version>Gatewright ", env!("CARGO_PKG_VERSION"), "</version>\n");
            Some(response("application/xml; charset=UTF-8", version))
        }
        _ => None,
    }
}

fn response(content_type: &'static str, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
