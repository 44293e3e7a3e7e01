//! Refuses messages that two readers could understand differently (RFC 9112 sections 3.2 and 6.3, RFC 9110 section 7.2).
//!
//! hyper refuses most malformed heads by itself. What it hides (a Content-Length beside a Transfer-Encoding, bare line
//! feeds) is seen by the connection's head watch and comes in as `violation`.

use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Version, header};

use crate::fault::Fault;

pub fn check(parts: &Parts, violation: Option<&'static str>) -> Result<(), Fault> {
    if let Some(reason) = violation {
        return Err(Fault::Ambiguous(reason));
    }
    if parts.method == Method::CONNECT {
        return Err(Fault::Ambiguous("CONNECT is not for gateways"));
    }
    check_host(parts)
}

/// Exactly one host that agrees with the request target; HTTP/1.0 may leave it out.
fn check_host(parts: &Parts) -> Result<(), Fault> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, is_last) = (hosts.next(), hosts.next().is_none());
    if !is_last {
        return Err(Fault::Ambiguous("the request names its host more than once"));
    }
    let target = parts.uri.authority();
    let Some(host) = host else {
        let may_lack = match parts.version {
            Version::HTTP_10 => true,
            Version::HTTP_11 => false,
            // HTTP/2 has it in the target (RFC 9113 section 8.3.1).
            _ => target.is_some(),
        };
        return if may_lack { Ok(()) } else { Err(Fault::Ambiguous("the request names no host")) };
    };
    let Ok(host) = Authority::try_from(host.as_bytes()) else {
        return Err(Fault::Ambiguous("the request's host is not valid"));
    };
    if host.host().is_empty() || host.as_str().contains('@') {
        return Err(Fault::Ambiguous("the request's host is not valid"));
    }
    if target.is_some_and(|target| target != &host) {
        return Err(Fault::Ambiguous("the request's target and its host disagree"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn verdict(version: Version, target: &str, hosts: &[&str]) -> Result<(), Fault> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        check(&request.body(()).unwrap().into_parts().0, None)
    }

    #[test]
    fn one_host_that_agrees_with_the_target_is_taken() {
        for (version, target, hosts) in [
            (Version::HTTP_11, "/a", &["localhost:8280"][..]),
            (Version::HTTP_11, "http://localhost:8280/a", &["LOCALHOST:8280"]),
            (Version::HTTP_10, "/a", &[]),
            (Version::HTTP_2, "https://localhost/a", &[]),
            (Version::HTTP_2, "https://localhost/a", &["localhost"]),
        ] {
            assert_eq!(verdict(version, target, hosts), Ok(()), "{target} {hosts:?}");
        }
    }

    #[test]
    fn a_missing_doubled_or_disagreeing_host_is_refused() {
        for (version, target, hosts) in [
            (Version::HTTP_11, "/a", &[][..]),
            (Version::HTTP_11, "http://localhost/a", &[]),
            (Version::HTTP_11, "/a", &["a", "a"]),
            (Version::HTTP_11, "/a", &["a", "b"]),
            (Version::HTTP_11, "/a", &[""]),
            (Version::HTTP_11, "/a", &["a b"]),
            (Version::HTTP_11, "/a", &["a/b"]),
            (Version::HTTP_11, "/a", &["user@a"]),
            (Version::HTTP_11, "http://a/a", &["b"]),
            (Version::HTTP_2, "https://a/a", &["b"]),
        ] {
            assert!(matches!(verdict(version, target, hosts), Err(Fault::Ambiguous(_))), "{target} {hosts:?}");
        }
    }
}
