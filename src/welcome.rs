//! What a newcomer sees once the node is ready: where everything is, and the first governed call to copy and paste.

use std::fmt::Write;

use crate::listeners::Addresses;

/// The commands of README's first screen. `M`, `G` and `B` can be set beforehand to reach a node on other ports.
pub const FIRST_CALL: &str = include_str!("welcome/first_call.sh");

/// Which password the administrator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// admin/admin, of a node that only this machine reaches.
    Development,
    Configured,
}

/// URLs, the development credentials when they hold, and, with the demo back end, [`FIRST_CALL`] on this node's ports.
#[must_use]
pub fn text(hostname: &str, addresses: &Addresses, credentials: Credentials) -> String {
    let management = format!("https://{hostname}:{}", addresses.management.port());
    let gateway = format!("https://{hostname}:{}", addresses.gateway_https.port());
    let mut places = vec![
        ("Publisher API", format!("{management}/api/am/publisher/v4")),
        ("Developer portal API", format!("{management}/api/am/devportal/v3")),
        ("Admin API", format!("{management}/api/am/admin/v4")),
        ("Token service", format!("{management}/oauth2/token")),
        ("Health, metrics", format!("{management}/health/ready  {management}/metrics")),
        ("Gateway", format!("{gateway}  http://{hostname}:{}", addresses.gateway_http.port())),
    ];
    let demo = addresses.demo.map(|address| format!("http://localhost:{}", address.port()));
    places.extend(demo.iter().map(|demo| ("Demo back end", demo.clone())));
    if credentials == Credentials::Development {
        places.push(("Administrator", "admin, password admin (development only)".to_owned()));
    }
    let mut text = "\nGatewright is ready.\n\n".to_owned();
    for (what, place) in places {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {what:22}{place}");
    }
    if let (Some(demo), Credentials::Development) = (demo, credentials) {
        let script = FIRST_CALL
            .replace("https://localhost:9443", &management)
            .replace("https://localhost:8243", &gateway)
            .replace("http://localhost:8290", &demo);
        text.push_str("\nFrom a definition to a governed call, to paste into another terminal:\n\n");
        text.push_str(&script);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn addresses() -> Addresses {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (management, gateway_http, gateway_https) = (at(9453), at(8290), at(8253));
        Addresses { management, version: None, gateway_http, gateway_https, demo: Some(at(8300)) }
    }

    #[test]
    fn the_commands_name_the_ports_of_this_node() {
        let text = text("localhost", &addresses(), Credentials::Development);
        for expected in
            ["M=${M:-https://localhost:9453}", "G=${G:-https://localhost:8253}", "B=${B:-http://localhost:8300}"]
        {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_configured_password_is_neither_shown_nor_guessed() {
        let text = text("localhost", &addresses(), Credentials::Configured);
        assert!(!text.contains("admin:admin") && !text.contains("password"), "{text}");
    }
}
