//! API keys: header or query parameter, both of which stay here.

use std::borrow::Cow;
use std::sync::Arc;

use domain::Timestamp;
use hyper::header::{HeaderName, REFERER};

use super::{Offered, single};
use crate::fault::Fault;
use crate::table::{ApiKeyEntry, CompiledApi, Live};

/// Name of the query parameter.
const PARAMETER: &[u8] = b"apikey";

/// The key that a call carries; the header goes before the query.
pub fn presented<'a>(header: &HeaderName, offered: Offered<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
    if let Some(key) = single(offered.headers, header)? {
        return Ok(Some(Cow::Borrowed(key)));
    }
    let mut keys = offered.query.into_iter().flat_map(parameters).filter(|(name, _)| is_key(name));
    let Some((_, value)) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(Fault::InvalidCredentials);
    }
    let key = String::from_utf8(decoded(value).into_owned()).map_err(|_| Fault::InvalidCredentials)?;
    Ok(Some(Cow::Owned(key)))
}

/// Checks that the key exists, lives, and may be used from where it is used.
pub fn check(
    live: &Live,
    api: &CompiledApi,
    key: &str,
    offered: Offered<'_>,
    now: Timestamp,
) -> Result<Arc<ApiKeyEntry>, Fault> {
    let entry = live.api_keys.find(key).ok_or(Fault::InvalidCredentials)?;
    if entry.key.is_expired(now) {
        return Err(Fault::ApiKeyExpired);
    }
    let referer = offered.headers.get(REFERER).and_then(|value| value.to_str().ok());
    if !entry.permits(offered.client, referer) {
        tracing::debug!(api.id = %api.document.api_id, api_key.id = %entry.key.id, "an API key is used from elsewhere");
        return Err(Fault::NotPermittedHere);
    }
    Ok(entry)
}

/// The query without any key; the rest byte for byte.
#[must_use]
pub fn without_key(query: &str) -> Option<Cow<'_, str>> {
    if !parameters(query).any(|(name, _)| is_key(name)) {
        return Some(Cow::Borrowed(query));
    }
    let is_other = |part: &&str| !is_key(part.split_once('=').map_or(*part, |(name, _)| name));
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn is_key(name: &str) -> bool {
    *decoded(name) == *PARAMETER
}

/// Percent escapes that are none stay as they are.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use hyper::header::HeaderMap;

    use super::*;

    fn found(header: Option<&'static str>, query: Option<&str>) -> Result<Option<String>, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("apikey", value.parse().unwrap());
        }
        let offered = Offered { headers: &headers, query, client: IpAddr::V4(Ipv4Addr::LOCALHOST) };
        presented(&HeaderName::from_static("apikey"), offered).map(|key| key.map(Cow::into_owned))
    }

    #[test]
    fn a_key_is_found_in_the_header_and_else_in_the_query() {
        assert_eq!(found(Some("abc"), Some("apikey=def")), Ok(Some("abc".to_owned())));
        assert_eq!(found(None, Some("a=b&apikey=d%65f&c")), Ok(Some("def".to_owned())));
        assert_eq!(found(None, Some("a=apikey&Apikey=x")), Ok(None));
        assert_eq!(found(None, Some("apikey=a&apikey=b")), Err(Fault::InvalidCredentials));
    }

    #[test]
    fn the_rest_of_the_query_stays_byte_for_byte() {
        for (query, expected) in [
            ("a=%2f&b", Some("a=%2f&b")),
            ("apikey=x", None),
            ("a=%2f&apikey=x&&b=%zz+", Some("a=%2f&&b=%zz+")),
            ("%61pikey=x&a=1", Some("a=1")),
            ("apikey&a", Some("a")),
            ("", Some("")),
        ] {
            assert_eq!(without_key(query).as_deref(), expected, "{query}");
        }
    }
}
