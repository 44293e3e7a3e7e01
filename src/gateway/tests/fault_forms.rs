//! Faults in the form that their reader asked for.

use hyper::Method;

use crate::testing::fixture;
use crate::testing::gateway::Setting;

#[tokio::test]
async fn whoever_asks_for_xml_gets_every_fault_in_xml() {
    let gateway = Setting::new(&[fixture::api("pizza", "http://localhost:1")]).start();
    for (method, path, prefix) in [
        (Method::GET, "/pasta/1.0.0/", "am"),
        (Method::DELETE, "/pizza/1.0.0/", "am"),
        (Method::GET, "/pizza/1.0.0/../x", "am"),
        (Method::GET, "/pizza/1.0.0/", "ams"),
    ] {
        let answer = gateway.call(method.clone(), path, &[("accept", "text/xml")], "").await;
        assert_eq!(answer.headers["content-type"], "application/xml; charset=UTF-8", "{method} {path}");
        assert!(answer.body.starts_with(&format!("<{prefix}:fault xmlns:{prefix}=")), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_request_s_own_form_counts_only_where_nothing_is_asked_for() {
    let gateway = Setting::new(&[fixture::api("pizza", "http://localhost:1")]).start();
    for (accept, content_type) in [("*/*", "application/xml"), ("application/json", "text/json")] {
        let headers = [("accept", accept), ("content-type", "application/xml")];
        let answer = gateway.call(Method::POST, "/pizza/1.0.0/", &headers, "<a/>").await;
        assert!(
            answer.headers["content-type"].to_str().unwrap().starts_with(&content_type.replace("text", "application"))
        );
    }
}
