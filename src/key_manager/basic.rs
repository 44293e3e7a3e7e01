//! `Authorization: Basic` (RFC 7617), for users and for clients.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use domain::Secret;

/// Longest header value that is looked at.
const HEADER_BYTES_MAX: usize = 4096;

/// User name (or client id) and password (or client secret).
pub(crate) struct BasicCredentials {
    pub(crate) name: String,
    pub(crate) password: Secret<String>,
}

/// The header is there and is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The request's Basic credentials; `None` when it has no such header.
pub(crate) fn credentials(request: &HttpRequest) -> Result<Option<BasicCredentials>, Malformed> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        return Err(Malformed);
    }
    let text = header.to_str().map_err(|_| Malformed)?;
    let Some((scheme, encoded)) = text.split_once(' ') else { return Err(Malformed) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    parse(encoded.trim()).map(Some)
}

fn parse(encoded: &str) -> Result<BasicCredentials, Malformed> {
    if encoded.len() > HEADER_BYTES_MAX {
        return Err(Malformed);
    }
    let decoded = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).map_err(|_| Malformed)?;
    let decoded = Secret::new(decoded);
    let text = std::str::from_utf8(decoded.expose()).map_err(|_| Malformed)?;
    let (name, password) = text.split_once(':').ok_or(Malformed)?;
    Ok(BasicCredentials { name: name.to_owned(), password: Secret::new(password.to_owned()) })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(header: &str) -> Result<Option<(String, String)>, Malformed> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, header)).to_http_request();
        Ok(credentials(&request)?.map(|basic| (basic.name, basic.password.expose().clone())))
    }

    #[test]
    fn the_password_may_contain_colons_and_the_padding_may_lack() {
        let expected = Ok(Some(("admin".to_owned(), "a:b".to_owned())));
        assert_eq!(of(&format!("Basic {}", STANDARD.encode("admin:a:b"))), expected);
        assert_eq!(of(&format!("basic  {}", STANDARD_NO_PAD.encode("admin:a:b"))), expected);
    }

    #[test]
    fn another_scheme_is_none_and_garbage_is_malformed() {
        assert_eq!(of("Bearer x"), Ok(None));
        for header in ["Basic", "Basic %%%", "Basic YWRtaW4="] {
            assert_eq!(of(header), Err(Malformed), "{header}");
        }
    }
}
