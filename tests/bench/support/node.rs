//! A release node in a process of its own, and its administrator.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::rest::{Credentials, Rest};
use super::{administrator, process};

pub struct Node {
    child: Child,
    pub management: Rest,
    pub gateway_url: String,
    pub ready_after: Duration,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The measurement is over; how the node ends does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From `exec` until the node says that it is ready.
pub fn start(home: &std::path::Path) -> Node {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("--home")
        .arg(home)
        .env("GATEWRIGHT__SERVER__MANAGEMENT_PORT", "0")
        .env("GATEWRIGHT__SERVER__VERSION_PORT", "0")
        .env("GATEWRIGHT__GATEWAY__HTTP_PORT", "0")
        .env("GATEWRIGHT__GATEWAY__HTTPS_PORT", "0")
        .env("GATEWRIGHT__LOG__LEVEL", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut url = |label: &str| {
        let line = lines.find_map(|line| line.ok().filter(|line| line.trim_start().starts_with(label))).unwrap();
        let words = line.split_whitespace();
        words.filter(|word| word.contains("://")).map(str::to_owned).collect::<Vec<_>>()
    };
    let token_endpoint = url("Token service").remove(0);
    let gateway_url = url("Gateway").pop().unwrap();
    let ready_after = began.elapsed();
    std::thread::spawn(move || lines.for_each(drop));
    let basic = Credentials::Basic("admin".to_owned(), "admin".to_owned());
    let management = Rest::new(token_endpoint.trim_end_matches("/oauth2/token"), basic);
    Node { child, management, gateway_url, ready_after }
}

/// Resident memory in KiB.
pub fn resident_kib(node: &Node) -> u64 {
    process::resident_kib(node.child.id())
}

/// The node's administrator with an access token.
pub async fn administrator(node: &Node) -> Rest {
    let scopes = "apim:api_view apim:api_create apim:api_publish apim:api_manage apim:subscribe";
    Rest::new(node.management.base.clone(), administrator::token(&node.management, scopes).await)
}
