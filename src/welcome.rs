//! What a newcomer sees once the node is ready: where everything is, and the first governed call to copy and paste.

use std::fmt::Write;

use config::{Profile, Role};

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
pub fn text(profile: &Profile, hostname: &str, addresses: &Addresses, credentials: Credentials) -> String {
    let management = format!("https://{hostname}:{}", addresses.management.port());
    let surfaces = [
        (Role::Publisher, "Publisher API", "/api/am/publisher/v4"),
        (Role::Devportal, "Developer portal API", "/api/am/devportal/v3"),
        (Role::Admin, "Admin API", "/api/am/admin/v4"),
        (Role::KeyManager, "Token service", "/oauth2/token"),
    ];
    let own = surfaces.into_iter().filter(|(role, ..)| profile.has(*role));
    let mut places: Vec<(&str, String)> = own.map(|(_, what, path)| (what, format!("{management}{path}"))).collect();
    places.push(("Health, metrics", format!("{management}/health/ready  {management}/metrics")));
    let gateway = addresses.gateway.map(|gateway| format!("https://{hostname}:{}", gateway.https.port()));
    if let (Some(bound), Some(https)) = (addresses.gateway, &gateway) {
        places.push(("Gateway", format!("{https}  http://{hostname}:{}", bound.http.port())));
    }
    let demo = addresses.demo.map(|address| format!("http://localhost:{}", address.port()));
    places.extend(demo.iter().map(|demo| ("Demo back end", demo.clone())));
    if credentials == Credentials::Development && profile.has(Role::KeyManager) {
        places.push(("Administrator", "admin, password admin (development only)".to_owned()));
    }
    let mut text = "\nGatewright is ready.\n\n".to_owned();
    for (what, place) in places {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {what:22}{place}");
    }
    if let (Some(demo), Some(gateway), Credentials::Development) = (demo, gateway, credentials) {
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
    use crate::listeners::GatewayAddresses;

    fn addresses() -> Addresses {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let gateway = Some(GatewayAddresses { http: at(8290), https: at(8253) });
        Addresses { management: at(9453), version: None, gateway, leases: None, demo: Some(at(8300)) }
    }

    fn profile(roles: &[Role]) -> Profile {
        Profile { name: "test".to_owned(), roles: roles.to_vec() }
    }

    #[test]
    fn a_node_shows_the_places_of_its_own_roles() {
        let addresses = Addresses { gateway: None, demo: None, ..addresses() };
        let text = text(&profile(&[Role::KeyManager]), "km", &addresses, Credentials::Configured);
        assert!(text.contains("https://km:9453/oauth2/token") && text.contains("/health/ready"), "{text}");
        assert!(!text.contains("publisher") && !text.contains("Gateway  "), "{text}");
    }

    #[test]
    fn the_commands_name_the_ports_of_this_node() {
        let text = text(&profile(&Role::ALL), "localhost", &addresses(), Credentials::Development);
        for expected in
            ["M=${M:-https://localhost:9453}", "G=${G:-https://localhost:8253}", "B=${B:-http://localhost:8300}"]
        {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_configured_password_is_neither_shown_nor_guessed() {
        let text = text(&profile(&Role::ALL), "localhost", &addresses(), Credentials::Configured);
        assert!(!text.contains("admin:admin") && !text.contains("password"), "{text}");
    }
}
