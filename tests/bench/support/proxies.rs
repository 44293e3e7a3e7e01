//! The proxies that the gateway is measured beside: each one process with one worker, passing everything to one back end.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::free_port::free_port;
use super::load::{self, Caller};

/// Longest wait for a proxy.
const START_WITHIN: Duration = Duration::from_secs(10);

/// A running proxy; killed when it is dropped.
pub struct Proxy {
    pub name: &'static str,
    pub port: u16,
    pub pid: u32,
    child: Child,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Already gone, or about to be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nginx, HAProxy and Envoy on this core.
pub async fn start_all(back_end: SocketAddr, envoy: &Path, core: &str) -> Vec<Proxy> {
    let nginx = |folder: &Path, port: u16| {
        let conf = format!(
            "daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr crit;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n access_log off; keepalive_requests 1000000000; client_body_temp_path body; proxy_temp_path proxy;\n\
             fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
             upstream back {{ server {back_end}; keepalive 256; keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://back; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; }} }}\n}}\n"
        );
        std::fs::write(folder.join("nginx.conf"), conf).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-p").arg(folder).args(["-c", "nginx.conf"]);
        command
    };
    let haproxy = |folder: &Path, port: u16| {
        let conf = format!(
            "global\n nbthread 1\n maxconn 8000\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n http-reuse always\n\
             frontend in\n bind 127.0.0.1:{port}\n default_backend out\n\
             backend out\n server one {back_end}\n"
        );
        std::fs::write(folder.join("haproxy.cfg"), conf).unwrap();
        let mut command = Command::new("/usr/sbin/haproxy");
        command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg"));
        command
    };
    let envoy = |folder: &Path, port: u16| {
        std::fs::write(folder.join("envoy.yaml"), envoy_yaml(port, back_end)).unwrap();
        let mut command = Command::new(envoy);
        command.arg("-c").arg(folder.join("envoy.yaml"));
        command.args(["--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]);
        command
    };
    vec![start("nginx", core, nginx).await, start("haproxy", core, haproxy).await, start("envoy", core, envoy).await]
}

fn envoy_yaml(port: u16, back_end: SocketAddr) -> String {
    let address = |ip: &str, port: u16| format!("{{socket_address: {{address: {ip}, port_value: {port}}}}}");
    format!(
        "static_resources:\n\
         \x20 listeners:\n\
         \x20 - address: {}\n\
         \x20   filter_chains:\n\
         \x20   - filters:\n\
         \x20     - name: envoy.filters.network.http_connection_manager\n\
         \x20       typed_config:\n\
         \x20         \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n\
         \x20         stat_prefix: in\n\
         \x20         route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], routes: [{{match: {{prefix: /}}, route: {{cluster: back}}}}]}}]}}\n\
         \x20         http_filters:\n\
         \x20         - name: envoy.filters.http.router\n\
         \x20           typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}\n\
         \x20 clusters:\n\
         \x20 - name: back\n\
         \x20   type: STATIC\n\
         \x20   load_assignment: {{cluster_name: back, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {}}}}}]}}]}}\n",
        address("127.0.0.1", port),
        address("127.0.0.1", back_end.port()),
    )
}

async fn start(name: &'static str, core: &str, command: impl Fn(&Path, u16) -> Command) -> Proxy {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let inner = command(folder.path(), port);
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", core]).arg(inner.get_program()).args(inner.get_args());
    let child = pinned.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    // taskset becomes the program, so that both have one process id.
    let proxy = Proxy { name, port, pid: child.id(), child, _folder: folder };
    let caller = Caller { port, path: "/".to_owned(), token: String::new(), body: String::new(), rate: None };
    let is_up = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        load::until(&caller, |status| status == 200).await;
    };
    assert!(tokio::time::timeout(START_WITHIN, is_up).await.is_ok(), "{name} does not start");
    proxy
}
