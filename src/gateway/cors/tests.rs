//! What origins hear.

use super::*;

fn policy(origins: &[&str], allow_credentials: bool) -> CorsPolicy {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    CorsPolicy::new(&CorsConfiguration {
        allow_origins: texts(origins),
        allow_credentials,
        allow_headers: texts(&["x-one"]),
        allow_methods: texts(&["GET", "POST"]),
    })
}

fn marked(
    policy: &CorsPolicy,
    origin: Option<&'static str>,
    from_back_end: &[(&'static str, &'static str)],
) -> HeaderMap {
    let mut request = HeaderMap::new();
    if let Some(origin) = origin {
        request.insert(ORIGIN, HeaderValue::from_static(origin));
    }
    let mut answer = HeaderMap::new();
    for (name, value) in from_back_end {
        answer.append(*name, HeaderValue::from_static(value));
    }
    GatewayCors::from_config(&GlobalCors::default()).unwrap().grant(policy, &request).write(&mut answer);
    answer
}

#[test]
fn any_origin_never_comes_with_credentials() {
    let headers = marked(&policy(&["*"], true), Some("https://a.com"), &[]);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS) && !headers.contains_key(VARY));
}

#[test]
fn an_origin_of_the_list_is_echoed_and_another_hears_nothing() {
    let policy = policy(&["https://*.a.com"], true);
    let headers = marked(&policy, Some("https://x.a.com"), &[]);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://x.a.com");
    assert_eq!(
        (&headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], &headers[VARY]),
        (&"true".parse().unwrap(), &"Origin".parse().unwrap())
    );
    for origin in [Some("https://evil.org"), None] {
        let headers = marked(&policy, origin, &[("access-control-allow-origin", "*"), ("vary", "accept, origin")]);
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "what the back end says gives way");
        assert_eq!(headers.get_all(VARY).iter().count(), 1);
    }
}

#[test]
fn a_preflight_is_told_the_methods_that_both_have() {
    let mut verbs = VerbSet::default();
    [Verb::Get, Verb::Delete].into_iter().for_each(|verb| verbs.insert(verb));
    let mut headers = HeaderMap::new();
    let gateway = GatewayCors::from_config(&GlobalCors::default()).unwrap();
    gateway.write_preflight(&policy(&["*"], false), verbs, ["authorization", "X-One"], &mut headers);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET");
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "x-one,authorization");
    assert!(!headers.contains_key(ACCESS_CONTROL_MAX_AGE));
}

#[test]
fn switched_off_is_off() {
    assert!(GatewayCors::from_config(&GlobalCors { enabled: false, ..GlobalCors::default() }).is_none());
}
