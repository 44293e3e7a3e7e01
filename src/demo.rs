//! The small back end that `--demo` starts: a pizza shop, and an echo that shows what the gateway passes on.

use std::net::TcpListener;
use std::thread::JoinHandle;

use actix_web::{HttpRequest, HttpResponse, web};
use config::sections::server::Server as ServerSection;
use http::guard::Public;
use http::json::JsonBody;
use http::raw_body::RawBody;
use http::routes::Routes;
use http::server::{Listener, Server, ServerError, ServerOptions, Services, Traffic};
use serde_json::{Map, Value, json};
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

/// Port before the offset.
pub const PORT: u16 = 8290;

const DEFINITION: &str = include_str!("demo/openapi.json");

/// Answers on a loopback listener until the node stops.
pub fn start(socket: TcpListener, shutdown: CancellationToken) -> Result<JoinHandle<()>, ServerError> {
    // Calls to the demo are no management calls: their counters go nowhere.
    let traffic = Traffic::register(&Metrics::new());
    let services = routes().into_iter().fold(Services::new(traffic), Services::routes);
    let options = ServerOptions { workers: 1, ..ServerOptions::from_config(&ServerSection::default()) };
    Server::create("demo", vec![Listener { socket, tls: None }], services, options).start(shutdown)
}

fn routes() -> Vec<Routes> {
    let echo = Routes::new("/echo").get("", echo).post("", echo).put("", echo).delete("", echo).patch("", echo);
    vec![
        Routes::new("/openapi.json").get("", definition),
        Routes::new("/menu").get("", menu).get("/{id}", menu_item),
        Routes::new("/order").post("", order),
        echo.get("/{tail}*", self::echo).post("/{tail}*", self::echo).put("/{tail}*", self::echo),
    ]
}

async fn definition(_: Public) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DEFINITION)
}

fn pizzas() -> [Value; 3] {
    [
        json!({"id": 1, "name": "Margherita", "price": 8.5}),
        json!({"id": 2, "name": "Funghi", "price": 9.5}),
        json!({"id": 3, "name": "Quattro Formaggi", "price": 11}),
    ]
}

async fn menu(_: Public) -> HttpResponse {
    HttpResponse::Ok().json(pizzas())
}

async fn menu_item(_: Public, id: web::Path<u64>) -> HttpResponse {
    match pizzas().into_iter().find(|pizza| pizza["id"] == *id) {
        Some(pizza) => HttpResponse::Ok().json(pizza),
        None => HttpResponse::NotFound().json(json!({"error": "no such pizza"})),
    }
}

async fn order(_: Public, order: JsonBody<Value>) -> HttpResponse {
    HttpResponse::Created().json(json!({"status": "in the oven", "order": order.0}))
}

/// What arrived, so that anybody can see what the gateway adds and removes.
async fn echo(_: Public, request: HttpRequest, body: RawBody) -> HttpResponse {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    HttpResponse::Ok().json(json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "query": request.query_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body.0),
    }))
}
