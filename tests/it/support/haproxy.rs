//! HAProxy in front of a fleet's gateways, as sites run it.

use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::free_port::free_port;

/// Runs until it is dropped.
pub struct Haproxy {
    port: u16,
    child: Child,
    _folder: TempDir,
}

/// Ports of a gateway: calls, and management for the health check.
pub type Server = (u16, u16);

impl Haproxy {
    /// `None` where it is not installed.
    pub fn start(servers: &[Server]) -> Option<Self> {
        let binary = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let server = |(index, (https, management)): (usize, &Server)| {
            format!(
                "  server gw{index} 127.0.0.1:{https} ssl verify none check check-ssl port {management} inter 200ms \
                 fall 3 rise 1\n"
            )
        };
        let servers: String = servers.iter().enumerate().map(server).collect();
        let configuration = format!(
            "defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  timeout check 10s\n\
             frontend calls\n  bind 127.0.0.1:{port}\n  default_backend gateways\n\
             backend gateways\n  balance roundrobin\n  option httpchk GET /health/ready\n  http-check expect status 200\n  \
             retries 3\n  option redispatch 1\n  retry-on conn-failure empty-response response-timeout\n{servers}"
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, configuration).unwrap();
        let child =
            Command::new(binary).args(["-db", "-f"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Some(Self { port, child: child.unwrap(), _folder: folder })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // The test is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
