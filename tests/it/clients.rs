//! Clients that nobody here wrote, and a script that speaks as `apictl` does, against a node in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::contract::operations::served;
use crate::support::actors::{Keys, Subscriber};
use crate::support::definitions::PIZZA;
use crate::support::prepared::CLIENTS;
use crate::support::process::Process;
use crate::support::rest::{Credentials, Rest};
use crate::support::sandbox::{FREE_PORTS, administrator_token, configure};

/// A node, and where it keeps the certificate that clients trust.
struct Server {
    home: TempDir,
    node: Process,
}

impl Server {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        configure(home.path(), FREE_PORTS);
        let node = Process::start(home.path(), &["--demo"]);
        Self { home, node }
    }

    fn certificate(&self) -> PathBuf {
        self.home.path().join("security/tls.crt")
    }

    async fn keys(&self) -> Keys {
        let token = administrator_token(&self.node.management_url, "admin").await;
        let subscriber = Subscriber { rest: Rest::new(&self.node.management_url, Credentials::Bearer(token)) };
        let application = subscriber.create_application("Client", "Unlimited").await;
        subscriber.generate_keys(&application, "PRODUCTION").await
    }

    /// Runs a script of `tests/clients`; it must end well.
    fn run(&self, program: &Path, script: &str, variables: &[(&str, &str)]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let output = Command::new(program)
            .arg(&script)
            .env("SERVER", &self.node.management_url)
            .env("CERTIFICATE", self.certificate())
            .envs(variables.iter().copied())
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{printed}\n{errors}", script.display());
        print!("{printed}");
    }
}

/// Whether `program` can be started. `make test` sees to it; a bare `cargo test` does without.
fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(is_there || std::env::var_os("GATEWRIGHT_TEST_CLIENTS").is_none(), "{program} is missing");
    if !is_there {
        println!("skipped: {program} is missing");
    }
    is_there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authlib_gets_refreshes_introspects_and_revokes_tokens() {
    let Some(python) = CLIENTS.path("venv/bin/python") else { return };
    let server = Server::start();
    let keys = server.keys().await;
    let variables = [("CLIENT_ID", keys.consumer_key.as_str()), ("CLIENT_SECRET", &keys.consumer_secret)];
    server.run(&python, "authlib_client.py", &variables);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client_gets_refreshes_introspects_and_revokes_tokens() {
    let Some(modules) = CLIENTS.path("node_modules") else { return };
    if !is_there("node") {
        return;
    }
    let server = Server::start();
    let keys = server.keys().await;
    let (clients, certificate) = (modules.parent().unwrap().to_owned(), server.certificate());
    let variables = [
        ("CLIENT_ID", keys.consumer_key.as_str()),
        ("CLIENT_SECRET", &keys.consumer_secret),
        ("CLIENTS", clients.to_str().unwrap()),
        ("NODE_EXTRA_CA_CERTS", certificate.to_str().unwrap()),
    ];
    server.run(Path::new("node"), "openid_client.mjs", &variables);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apictl_imports_lists_publishes_gets_keys_and_deletes() {
    if !is_there("python3") {
        return;
    }
    let server = Server::start();
    let definition = server.home.path().join("pizza.yaml");
    std::fs::write(&definition, PIZZA).unwrap();
    let served: Vec<String> =
        served().into_keys().map(|(api, method, path)| format!("{api} {method} {path}")).collect();
    let variables = [
        ("SERVED", served.join("\n")),
        ("DEFINITION", definition.to_str().unwrap().to_owned()),
        ("PUBLISHER_TOKEN", administrator_token(&server.node.management_url, "admin").await),
        ("BACKEND", "http://127.0.0.1:9".to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.run(Path::new("python3"), "apictl.py", &variables);
}
