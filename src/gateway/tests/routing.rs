//! Which paths are served, and what the others hear.

use hyper::Method;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::Setting;

#[tokio::test]
async fn an_unknown_context_resource_and_verb_are_told_apart() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.operations = vec![fixture::operation("GET", "/menu"), fixture::operation("POST", "/menu")];
    let gateway = Setting::new(&[api]).start();
    let unknown = gateway.get("/pasta/1.0.0/menu").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(
        unknown.body,
        r#"{"code":"404","type":"Status report","message":"Not Found","description":"The requested resource is not available."}"#
    );
    let no_resource = gateway.get("/pizza/1.0.0/other").await;
    assert_eq!(no_resource.status, 404);
    assert!(no_resource.body.contains("No matching resource found for given API Request"));
    let wrong_verb = gateway.call(Method::DELETE, "/pizza/1.0.0/menu", &[], "").await;
    assert_eq!(wrong_verb.status, 405);
    assert!(wrong_verb.body.contains("Method not allowed for given API resource"));
    assert_eq!(wrong_verb.headers["allow"], "GET, POST");
    assert_eq!(wrong_verb.headers["content-type"], "application/json; charset=UTF-8");
    let head = gateway.call(Method::HEAD, "/pizza/1.0.0/menu", &[], "").await;
    assert_eq!(head.status, 405, "HEAD is served where it is declared");
    assert_eq!(back_end.calls(), 0);
}

#[tokio::test]
async fn templates_that_mix_text_and_parameters_are_served() {
    let back_end = BackEnd::with(|request| async move { crate::testing::back_end::text(request.uri().path()) }).await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.operations = ["/users/{id}:activate", "/files/{name}.json", "/v{major}-{minor}/x", "/menu/*"]
        .into_iter()
        .map(|target| fixture::operation("GET", target))
        .collect();
    let gateway = Setting::new(&[api]).start();
    for path in ["/users/7:activate", "/files/a.json", "/v1-2/x", "/menu", "/menu/", "/menu/a/b"] {
        let answer = gateway.get(&format!("/pizza/1.0.0{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, path));
    }
    for path in ["/users/7", "/files/.json", "/v1/x", "/menus"] {
        assert_eq!(gateway.get(&format!("/pizza/1.0.0{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn path_tricks_are_bad_requests_and_reach_nobody() {
    let back_end = BackEnd::named("hello").await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    for path in ["/../x", "/%2e%2e/x", "/a/..%2f..%2fx", "/a%5c..", "/a%00", "/..;/x", "/a%"] {
        let answer = gateway.get(&format!("/pizza/1.0.0{path}")).await;
        assert_eq!(answer.outcome(), (400, "400".to_owned()), "{path}");
    }
    assert_eq!(back_end.calls(), 0);
}

#[tokio::test]
async fn an_api_is_served_on_its_transports_only() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.transports = vec!["https".to_owned()];
    let gateway = Setting::new(&[api]).start();
    let answer = gateway.get("/pizza/1.0.0/").await;
    assert_eq!(answer.outcome(), (403, "403".to_owned()));
    assert!(answer.body.contains("Unsupported Transport [ http ]."), "{}", answer.body);
}

#[tokio::test]
async fn the_gateway_says_what_it_is() {
    let gateway = Setting::new(&[]).start();
    let welcome = gateway.call(Method::GET, "/", &[], "").await;
    assert_eq!(
        (welcome.status.as_u16(), &welcome.headers["content-type"]),
        (200, &"text/html; charset=UTF-8".parse().unwrap())
    );
    let version = gateway.call(Method::GET, "/services/Version", &[], "").await;
    assert!(version.status == 200 && version.body.contains(env!("CARGO_PKG_VERSION")), "{}", version.body);
}

#[tokio::test]
async fn a_tenants_api_is_served_under_its_own_path_and_escapes_are_kept() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.context = "/t/acme.com/pizza/1.0.0".to_owned();
    api.default_context = "/t/acme.com/pizza".to_owned();
    let gateway = Setting::new(&[api]).start();
    let answer = gateway.get("/t/acme.com/pizza/1.0.0/a%20b/%C3%BC%2Fx?q=%26+").await;
    assert_eq!(answer.status, 200);
    assert_eq!(back_end.last().target, "/a%20b/%C3%BC%2Fx?q=%26+");
    for path in ["/pizza/1.0.0/x", "/t/other.com/pizza/1.0.0/x", "/t/acme.com/pizza/2.0.0/x"] {
        assert_eq!(gateway.get(path).await.status, 404, "{path}");
    }
}
