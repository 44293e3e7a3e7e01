//! The table of a room's operations: what it serves, who may call it, and how actix finds it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, PathConfig, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, Route, guard as actix_guard};
use domain::error_code;

use crate::guard::{Access, Guard};
use crate::problem::Problem;

/// Operations below one base path. Their order does not matter: literal segments win over parameters.
#[derive(Clone)]
pub struct Routes {
    base: &'static str,
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    spec: RouteSpec,
    route: Arc<dyn Fn() -> Route + Send + Sync>,
}

/// One operation as data, for lists and coverage tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSpec {
    pub method: Method,
    /// Below the base, with parameters as `{apiId}`.
    pub path: &'static str,
    pub access: Access,
}

/// The base path of the [`Routes`] that a request matched, in app data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BasePath(pub &'static str);

/// The arguments of a handler, of which the first is a [`Guard`]: implemented for tuples of one to nine.
pub trait GuardedArguments: Sized + 'static {
    type Guard: Guard;
    type Rest: FromRequest + 'static;

    fn join(guard: Self::Guard, rest: Self::Rest) -> Self;
}

macro_rules! guarded_arguments {
    ($($rest:ident)*) => {
        impl<G: Guard, $($rest: FromRequest + 'static),*> GuardedArguments for (G, $($rest,)*) {
            type Guard = G;
            type Rest = ($($rest,)*);

            #[expect(non_snake_case, reason = "type parameters double as variable names")]
            fn join(guard: G, ($($rest,)*): Self::Rest) -> Self {
                (guard, $($rest,)*)
            }
        }
    };
}

impl<G: Guard> GuardedArguments for (G,) {
    type Guard = G;
    type Rest = ();

    fn join(guard: G, (): ()) -> Self {
        (guard,)
    }
}

guarded_arguments!(A);
guarded_arguments!(A B);
guarded_arguments!(A B C);
guarded_arguments!(A B C D);
guarded_arguments!(A B C D E);
guarded_arguments!(A B C D E F);
guarded_arguments!(A B C D E F H);
guarded_arguments!(A B C D E F H I);

macro_rules! verbs {
    ($($name:ident = $method:ident;)*) => {$(
        #[must_use]
        pub fn $name<F, Args>(self, path: &'static str, handler: F) -> Self
        where
            F: Handler<Args> + Send + Sync,
            Args: GuardedArguments,
            F::Output: Responder + 'static,
        {
            self.route(Method::$method, path, handler)
        }
    )*};
}

impl Routes {
    /// `base` starts with a slash and does not end with one.
    #[must_use]
    pub fn new(base: &'static str) -> Self {
        debug_assert!(base.starts_with('/') && !base.ends_with('/'), "'{base}' is no base path");
        Self { base, entries: Vec::new() }
    }

    verbs! {
        get = GET;
        head = HEAD;
        post = POST;
        put = PUT;
        patch = PATCH;
        delete = DELETE;
    }

    #[must_use]
    pub fn base(&self) -> &'static str {
        self.base
    }

    /// Every operation.
    pub fn specs(&self) -> impl Iterator<Item = &RouteSpec> {
        self.entries.iter().map(|entry| &entry.spec)
    }

    /// Adds the operations to an actix application.
    pub fn configure(&self, service: &mut ServiceConfig) {
        let mut scope = web::scope(self.base)
            .app_data(BasePath(self.base))
            .app_data(PathConfig::default().error_handler(|error, _request| {
                // An id that cannot be read names nothing that exists.
                Problem::new(error_code::NOT_FOUND, format!("There is no such resource: {error}")).into()
            }))
            .default_service(web::to(async |request: HttpRequest| no_such_path(&request)));
        for (path, entries) in self.by_path() {
            scope = scope.service(resource(path.0, &entries));
        }
        service.service(scope);
    }

    fn by_path(&self) -> BTreeMap<LiteralFirst, Vec<&Entry>> {
        let mut paths: BTreeMap<LiteralFirst, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            paths.entry(LiteralFirst(entry.spec.path)).or_default().push(entry);
        }
        paths
    }

    fn route<F, Args>(mut self, method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: GuardedArguments,
        F::Output: Responder + 'static,
    {
        debug_assert!(path.is_empty() || path.starts_with('/'), "'{path}' is no path");
        let spec = RouteSpec { method, path, access: Args::Guard::ACCESS };
        let route = Arc::new(move || guarded_route(handler.clone()));
        self.entries.push(Entry { spec, route });
        self
    }
}

/// Runs the guard to its end before anything else of the request is read.
fn guarded_route<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: GuardedArguments,
    F::Output: Responder + 'static,
{
    web::route().to(move |request: HttpRequest, payload: web::Payload| {
        let handler = handler.clone();
        async move {
            let mut payload = payload.into_inner();
            let guard = Args::Guard::from_request(&request, &mut payload).await?;
            let rest = Args::Rest::from_request(&request, &mut payload).await.map_err(Into::into)?;
            let output = handler.call(Args::join(guard, rest)).await;
            Ok::<_, actix_web::Error>(output.respond_to(&request).map_into_boxed_body())
        }
    })
}

fn resource(path: &str, entries: &[&Entry]) -> Resource {
    let methods: Vec<&Method> = entries.iter().map(|entry| &entry.spec.method).collect();
    let mut allowed: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    let head_as_get = methods.contains(&&Method::GET) && !methods.contains(&&Method::HEAD);
    if head_as_get {
        allowed.push("HEAD");
    }
    let mut resource = web::resource(path);
    for entry in entries {
        let method = actix_guard::Method(entry.spec.method.clone());
        let route = (entry.route)();
        resource = resource.route(if head_as_get && entry.spec.method == Method::GET {
            // actix leaves out the body of answers to HEAD.
            route.guard(actix_guard::Any(method).or(actix_guard::Head()))
        } else {
            route.guard(method)
        });
    }
    let allowed: Rc<[String]> = allowed.into_iter().map(str::to_owned).collect();
    resource.default_service(web::to(move || {
        let allowed = Rc::clone(&allowed);
        async move {
            let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
            Err::<&str, _>(Problem::method_not_allowed(&allowed))
        }
    }))
}

/// 404 for a request that no route takes.
///
/// # Errors
/// Always.
pub fn no_such_path(request: &HttpRequest) -> Result<&'static str, Problem> {
    Err(Problem::no_such_path(request.path()))
}

/// Orders paths segment by segment, literals before parameters, because actix takes the first that matches.
#[derive(PartialEq, Eq)]
struct LiteralFirst(&'static str);

impl Ord for LiteralFirst {
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = |path: &'static str| path.split('/').map(|segment| (segment.contains('{'), segment));
        keys(self.0).cmp(keys(other.0))
    }
}

impl PartialOrd for LiteralFirst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::Value;

    use super::*;
    use crate::guard::{Guarded, Public, required_scopes};
    use crate::json::JsonBody;
    use crate::testing::{app, body, get};

    required_scopes! {
        EatPizza = ["pizza:eat"];
    }

    async fn get_one(_: Public, id: web::Path<u32>) -> String {
        format!("pizza {id}")
    }

    async fn get_menu(_: Public) -> &'static str {
        "menu"
    }

    async fn eat(_: Guarded<EatPizza>, _: web::Path<u32>, body: JsonBody<Value>) -> Result<String, Problem> {
        Ok(body.0.to_string())
    }

    fn routes() -> Routes {
        Routes::new("/api/v1").get("/pizza/{id}", get_one).get("/pizza/menu", get_menu).put("/pizza/{id}", eat)
    }

    #[actix_web::test]
    async fn literal_segments_win_over_parameters_in_any_order() {
        let app = app(routes()).await;
        assert_eq!(get(&app, "/api/v1/pizza/menu").await, (200, "menu".to_owned()));
        assert_eq!(get(&app, "/api/v1/pizza/7").await, (200, "pizza 7".to_owned()));
    }

    #[actix_web::test]
    async fn unknown_paths_and_unreadable_ids_are_404_problems() {
        let app = app(routes()).await;
        for path in ["/api/v1/pasta", "/api/v1/", "/api/v1/pizza/seven"] {
            let (status, text) = get(&app, path).await;
            assert_eq!(status, 404, "{path}");
            assert!(text.starts_with("{\"code\":404,"), "{text}");
        }
    }

    #[actix_web::test]
    async fn a_wrong_verb_is_a_405_problem_with_the_right_ones() {
        let app = app(routes()).await;
        let request = TestRequest::delete().uri("/api/v1/pizza/7").to_request();
        let response = actix_web::test::call_service(&app, request).await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers().get("allow").unwrap(), "GET, PUT, HEAD");
    }

    #[actix_web::test]
    async fn head_is_answered_where_get_is() {
        let app = app(routes()).await;
        let request = TestRequest::default().method(Method::HEAD).uri("/api/v1/pizza/menu");
        assert_eq!(body(&app, request).await.0, 200);
    }

    #[actix_web::test]
    async fn the_guard_answers_before_the_body_is_looked_at() {
        let app = app(routes()).await;
        let request = TestRequest::put().uri("/api/v1/pizza/7").set_payload("no json");
        assert_eq!(body(&app, request).await.0, 401);
        let request = TestRequest::put()
            .uri("/api/v1/pizza/7")
            .insert_header(("authorization", "Bearer reader pizza:eat"))
            .set_payload("no json");
        assert_eq!(body(&app, request).await.0, 400);
    }

    #[test]
    fn specs_list_verb_path_and_access() {
        let routes = routes();
        let spec = routes.specs().find(|spec| spec.method == Method::PUT).unwrap();
        assert_eq!((spec.path, spec.access), ("/pizza/{id}", Access::Scopes(&["pizza:eat"])));
    }
}
