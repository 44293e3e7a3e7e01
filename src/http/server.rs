//! The actix server of the management listeners.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpServer, web};
use domain::contract::{Authenticator, NodeAuthenticator};
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::routes::{Routes, no_such_path};

mod drain;
mod observe;
mod tenant_path;

use drain::InFlight;
pub use observe::Traffic;

/// Most workers that `workers = 0` takes.
const WORKERS_MAX_AUTO: usize = 4;

/// The server cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("management server '{name}' cannot use its listener")]
    Listen {
        name: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error("the thread of management server '{name}' cannot be started")]
    Thread {
        name: &'static str,
        #[source]
        source: std::io::Error,
    },
}

/// A listener that is bound already.
pub struct Listener {
    pub socket: TcpListener,
    /// Plain HTTP when unset.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Numbers from `[server]`.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub workers: usize,
    pub connections_max: usize,
    pub keep_alive: Duration,
    pub head_timeout: Duration,
    pub drain_timeout: Duration,
    pub limits: Limits,
}

impl ServerOptions {
    #[must_use]
    pub fn from_config(server: &config::sections::server::Server) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            workers: if server.workers == 0 { cores.min(WORKERS_MAX_AUTO) } else { usize::from(server.workers) },
            connections_max: server.connections_max as usize,
            keep_alive: server.keep_alive.get(),
            head_timeout: server.head_timeout.get(),
            drain_timeout: server.drain_timeout.get(),
            limits: Limits::from_config(server),
        }
    }
}

/// Adds what a room needs to each worker's application.
type Configure = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

/// What a server answers.
#[derive(Clone)]
pub struct Services {
    routes: Vec<Routes>,
    configure: Vec<Configure>,
    authenticator: Option<Arc<dyn Authenticator>>,
    node_authenticator: Option<Arc<dyn NodeAuthenticator>>,
    traffic: Traffic,
}

impl Services {
    #[must_use]
    pub fn new(traffic: Traffic) -> Self {
        Self { routes: Vec::new(), configure: Vec::new(), authenticator: None, node_authenticator: None, traffic }
    }

    /// Who checks the credentials of guarded routes; needed as soon as there is one.
    #[must_use]
    pub fn authenticator(self, authenticator: Arc<dyn Authenticator>) -> Self {
        Self { authenticator: Some(authenticator), ..self }
    }

    /// Who checks other nodes; needed as soon as there is a route for them.
    #[must_use]
    pub fn node_authenticator(self, authenticator: Arc<dyn NodeAuthenticator>) -> Self {
        Self { node_authenticator: Some(authenticator), ..self }
    }

    /// Everything that is mounted, for lists and tests.
    pub fn mounted(&self) -> impl Iterator<Item = &Routes> {
        self.routes.iter()
    }

    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes.push(routes);
        self
    }

    /// Adds app data, or services that are no [`Routes`]; runs once per worker.
    #[must_use]
    pub fn configure(mut self, configure: impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static) -> Self {
        self.configure.push(Arc::new(configure));
        self
    }
}

/// A server that is set up but does not answer yet.
pub struct Server {
    name: &'static str,
    listeners: Vec<Listener>,
    services: Services,
    options: ServerOptions,
}

impl Server {
    /// `name` stands in logs and names the thread.
    #[must_use]
    pub fn create(name: &'static str, listeners: Vec<Listener>, services: Services, options: ServerOptions) -> Self {
        Self { name, listeners, services, options }
    }

    /// Answers until `shutdown` is cancelled, then finishes the calls in flight within the drain time-out. The thread
    /// ends with the server.
    ///
    /// # Errors
    /// When a listener cannot be used or the thread cannot be started.
    pub fn start(self, shutdown: CancellationToken) -> Result<JoinHandle<()>, ServerError> {
        let name = self.name;
        let (ready_sender, ready) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let system = actix_web::rt::System::new();
                system.block_on(async move {
                    let in_flight = InFlight::default();
                    let drain_timeout = self.options.drain_timeout;
                    let server = match self.run(&in_flight) {
                        Ok(server) => server,
                        Err(error) => {
                            // The receiver waits below and cannot be gone.
                            let _ = ready_sender.send(Err(error));
                            return;
                        }
                    };
                    let _ = ready_sender.send(Ok(()));
                    actix_web::rt::spawn(in_flight.drain(shutdown, server.handle(), drain_timeout));
                    if let Err(error) = server.await {
                        tracing::error!(server = name, %error, "management server ended with an error");
                    }
                });
            })
            .map_err(|source| ServerError::Thread { name, source })?;
        match ready.recv() {
            Ok(outcome) => outcome.map(|()| thread),
            Err(_gone) => Err(ServerError::Thread { name, source: std::io::Error::other("the thread ended at once") }),
        }
    }

    fn run(self, in_flight: &InFlight) -> Result<actix_web::dev::Server, ServerError> {
        let Self { name, listeners, services, options } = self;
        let limits = options.limits.clone();
        let in_flight = in_flight.clone();
        let mut server = HttpServer::new(move || {
            let services = services.clone();
            App::new()
                .app_data(limits.clone())
                .app_data(in_flight.clone())
                .configure(|service| configure(service, &services))
                .wrap(from_fn(tenant_path::strip))
                .wrap(security_headers())
                .wrap(from_fn(observe::observe))
        })
        .workers(options.workers)
        .max_connections(options.connections_max)
        .keep_alive(options.keep_alive)
        // Else the last packet of an answer waits for the client's delayed acknowledgement, 40 ms on Linux.
        .tcp_nodelay(true)
        .client_request_timeout(options.head_timeout)
        .tls_handshake_timeout(options.head_timeout)
        .disable_signals();
        for listener in listeners {
            server = match listener.tls {
                Some(tls) => server.listen_rustls_0_23(listener.socket, tls.as_ref().clone()),
                None => server.listen(listener.socket),
            }
            .map_err(|source| ServerError::Listen { name, source })?;
        }
        Ok(server.run())
    }
}

/// Adds routes, app data and the answer to unknown paths to an actix application.
pub fn configure(service: &mut web::ServiceConfig, services: &Services) {
    service.app_data(services.traffic.clone());
    if let Some(authenticator) = &services.authenticator {
        service.app_data(web::Data::from(Arc::clone(authenticator)));
    }
    if let Some(authenticator) = &services.node_authenticator {
        service.app_data(web::Data::from(Arc::clone(authenticator)));
    }
    for configure in &services.configure {
        configure(service);
    }
    for routes in &services.routes {
        routes.configure(service);
    }
    service.default_service(web::to(async |request: actix_web::HttpRequest| no_such_path(&request)));
}

/// Headers for answers that are data, never pages; a handler may set its own.
fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Cache-Control", "no-store"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
}

/// Binds a listener; port 0 takes any free port.
///
/// # Errors
/// When the address is taken or not of this machine.
pub fn bind(address: SocketAddr) -> std::io::Result<Listener> {
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(Listener { socket, tls: None })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::time::Instant;

    use telemetry::metrics::Metrics;

    use super::*;
    use crate::guard::Public;

    fn start(metrics: &Metrics, shutdown: &CancellationToken) -> (SocketAddr, JoinHandle<()>) {
        let routes = Routes::new("/slow").get("/{ms}", async |_: Public, ms: web::Path<u64>| {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            "done"
        });
        let services = Services::new(Traffic::register(metrics)).routes(routes);
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.socket.local_addr().unwrap();
        let options = ServerOptions::from_config(&config::sections::server::Server::default());
        let server = Server::create("test", vec![listener], services, options);
        (address, server.start(shutdown.clone()).unwrap())
    }

    fn send(address: SocketAddr, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        BufReader::new(stream)
    }

    fn head(stream: &mut BufReader<TcpStream>) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
        }
        head.to_lowercase()
    }

    #[test]
    fn a_server_answers_with_security_headers_and_counts() {
        let (metrics, shutdown) = (Metrics::new(), CancellationToken::new());
        let (address, thread) = start(&metrics, &shutdown);
        let found = head(&mut send(address, "/slow/0"));
        assert!(found.starts_with("http/1.1 200"), "{found}");
        assert!(found.contains("x-content-type-options: nosniff"), "{found}");
        assert!(head(&mut send(address, "/other?token=a")).starts_with("http/1.1 404"));
        shutdown.cancel();
        thread.join().unwrap();
        let text = metrics.encode();
        assert!(text.contains("gatewright_management_requests_total{status=\"4xx\"} 1"), "{text}");
    }

    #[test]
    fn shutdown_lets_a_call_in_flight_end_and_does_not_wait_for_idle_connections() {
        let (metrics, shutdown) = (Metrics::new(), CancellationToken::new());
        let (address, thread) = start(&metrics, &shutdown);
        let mut idle = send(address, "/slow/0");
        head(&mut idle);
        let mut busy = send(address, "/slow/700");
        let started = Instant::now();
        // The call has reached the server once a later one on another connection is answered.
        head(&mut send(address, "/slow/100"));
        shutdown.cancel();
        assert!(head(&mut busy).starts_with("http/1.1 200"));
        let mut body = [0; 4];
        busy.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"done");
        thread.join().unwrap();
        assert!(started.elapsed() < Duration::from_secs(20), "idle connections hold the server up");
    }
}
