//! Which headers cross the gateway (RFC 9110 section 7.6.1): never what belongs to one connection, never credentials.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use crate::client_address::X_FORWARDED_FOR;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
/// The header that carries an API key unless an API names another.
pub const API_KEY: HeaderName = HeaderName::from_static("apikey");
const INTERNAL_KEY: HeaderName = HeaderName::from_static("internal-key");
/// The gateway's own statement about the caller: nobody else may make it.
const X_JWT_ASSERTION: HeaderName = HeaderName::from_static("x-jwt-assertion");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Headers of one connection, in requests and responses.
static HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// What else is dropped from requests. The client writes the back end's own `Host`.
static REQUEST_ONLY: [HeaderName; 8] =
    [HOST, EXPECT, HTTP2_SETTINGS, PROXY_AUTHORIZATION, AUTHORIZATION, API_KEY, INTERNAL_KEY, X_JWT_ASSERTION];

/// The same of requests that are passed on to a key manager, whose body is read and measured here.
static PASSED_ONLY: [HeaderName; 5] = [HOST, EXPECT, HTTP2_SETTINGS, PROXY_AUTHORIZATION, CONTENT_LENGTH];

/// Who forwards what to the back end.
#[derive(Debug)]
pub struct Forwarded<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Whether the peer's own `X-Forwarded-*` headers are kept.
    pub is_trusted: bool,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host that the client asked for.
    pub host: Option<&'a str>,
}

/// Makes a client's headers fit for the back end; `credentials` are the API's own headers for them.
pub fn prepare_request_headers(headers: &mut HeaderMap, credentials: [&HeaderName; 2], forwarded: &Forwarded<'_>) {
    prepare(headers, REQUEST_ONLY.iter().chain(credentials), forwarded);
}

/// Makes a client's headers fit for a key manager, which checks the credentials itself.
pub fn prepare_passed_headers(headers: &mut HeaderMap, forwarded: &Forwarded<'_>) {
    prepare(headers, &PASSED_ONLY, forwarded);
}

/// `dropped` goes beside the headers of the connection.
fn prepare<'a>(headers: &mut HeaderMap, dropped: impl IntoIterator<Item = &'a HeaderName>, forwarded: &Forwarded<'_>) {
    remove_named_by_connection(headers);
    for name in HOP_BY_HOP.iter().chain(dropped) {
        headers.remove(name);
    }
    join_cookies(headers);
    if !forwarded.is_trusted {
        for name in [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_PORT, X_REAL_IP, FORWARDED] {
            headers.remove(name);
        }
    }
    append_forwarded_for(headers, forwarded.peer);
    headers.entry(X_FORWARDED_PROTO).or_insert(HeaderValue::from_static(forwarded.scheme));
    if let Some(host) = forwarded.host.and_then(|host| HeaderValue::from_str(host).ok()) {
        headers.entry(X_FORWARDED_HOST).or_insert(host);
    }
}

/// Makes a back end's headers fit for the client.
pub fn prepare_response_headers(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    if headers.contains_key(TRANSFER_ENCODING) {
        // A length beside a transfer coding is wrong (RFC 9112 section 6.3); the body's real framing is written anew.
        headers.remove(CONTENT_LENGTH);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove(PROXY_AUTHENTICATE);
}

/// `Connection: close, X-Custom` makes `X-Custom` a header of this connection too. The length of the body is no such
/// thing, whatever a client says.
fn remove_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let values: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    let names = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    for name in names.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok()) {
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING && name != CONNECTION {
            headers.remove(name);
        }
    }
}

/// HTTP/2 clients may split cookies over lines; HTTP/1.1 servers expect one (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    if lines.next().is_none() || lines.next().is_none() {
        return;
    }
    let mut joined = BytesMut::new();
    for line in headers.get_all(COOKIE) {
        if !joined.is_empty() {
            joined.put_slice(b"; ");
        }
        joined.put_slice(line.as_bytes());
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(joined.freeze()) {
        headers.insert(COOKIE, value);
    }
}

fn append_forwarded_for(headers: &mut HeaderMap, peer: IpAddr) {
    let earlier = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut hops: String = earlier.collect::<Vec<_>>().join(", ");
    if !hops.is_empty() {
        hops.push_str(", ");
    }
    hops.push_str(&peer.to_canonical().to_string());
    if let Ok(value) = HeaderValue::try_from(hops) {
        headers.insert(X_FORWARDED_FOR, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn prepared(lines: &[(&'static str, &'static str)], is_trusted: bool) -> HeaderMap {
        let mut headers = headers(lines);
        let forwarded =
            Forwarded { peer: "10.0.0.9".parse().unwrap(), is_trusted, scheme: "https", host: Some("api.example.com") };
        let own = [&HeaderName::from_static("x-token"), &HeaderName::from_static("x-key")];
        prepare_request_headers(&mut headers, own, &forwarded);
        headers
    }

    #[test]
    fn credentials_and_headers_of_the_connection_stay_here() {
        let headers = prepared(
            &[
                ("host", "gateway"),
                ("authorization", "Bearer x"),
                ("x-token", "Bearer x"),
                ("apikey", "x"),
                ("x-key", "x"),
                ("internal-key", "x"),
                ("x-jwt-assertion", "forged"),
                ("connection", "close, X-Mine, Content-Length"),
                ("connection", "x-other"),
                ("x-mine", "1"),
                ("x-other", "1"),
                ("content-length", "5"),
                ("keep-alive", "timeout=5"),
                ("te", "trailers"),
                ("trailer", "x"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
                ("expect", "100-continue"),
                ("proxy-authorization", "x"),
                ("accept", "text/plain"),
            ],
            false,
        );
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "content-length", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]);
    }

    #[test]
    fn what_an_untrusted_peer_says_about_the_way_is_replaced() {
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "http"), ("x-real-ip", "6.6.6.6")];
        let untrusted = prepared(&lines, false);
        assert_eq!(untrusted["x-forwarded-for"], "10.0.0.9");
        assert_eq!(untrusted["x-forwarded-proto"], "https");
        assert_eq!(untrusted["x-forwarded-host"], "api.example.com");
        assert!(!untrusted.contains_key("x-real-ip"));
        let trusted = prepared(&lines, true);
        assert_eq!(trusted["x-forwarded-for"], "6.6.6.6, 10.0.0.9");
        assert_eq!(trusted["x-forwarded-proto"], "http");
        assert_eq!(trusted["x-real-ip"], "6.6.6.6");
    }

    #[test]
    fn cookies_over_several_lines_become_one() {
        let headers = prepared(&[("cookie", "a=1"), ("cookie", "b=2")], false);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn a_response_keeps_its_length_only_without_a_transfer_coding() {
        let mut coded = headers(&[("transfer-encoding", "chunked"), ("content-length", "3"), ("server", "x")]);
        prepare_response_headers(&mut coded);
        assert_eq!(coded, headers(&[("server", "x")]));
        let mut plain = headers(&[("content-length", "3"), ("connection", "keep-alive, x-hop"), ("x-hop", "1")]);
        prepare_response_headers(&mut plain);
        assert_eq!(plain, headers(&[("content-length", "3")]));
    }
}
