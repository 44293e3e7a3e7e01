//! A node in a process of its own, for what only a process can suffer.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A running `gatewright`, killed when dropped.
pub struct Process {
    child: Child,
    pub management_url: String,
    pub gateway_url: String,
    /// What it printed when it was ready.
    pub welcome: String,
}

impl Process {
    /// Starts the binary on `home` and waits until it says that it is ready. Blocking.
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        Self::start_with_log(home, arguments, Stdio::inherit())
    }

    /// The same with its log, in JSON, in this file.
    pub fn start_logging(home: &Path, arguments: &[&str], log: &Path) -> Self {
        Self::start_with_log(home, arguments, std::fs::File::create(log).unwrap().into())
    }

    fn start_with_log(home: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
            .arg("--home")
            .arg(home)
            .args(arguments)
            .env("GATEWRIGHT__SERVER__VERSION_PORT", "0")
            .env("GATEWRIGHT__LOG__FORMAT", "json")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let welcome = read_welcome(&mut child);
        let url = |label: &str| {
            let line = welcome.lines().find(|line| line.trim_start().starts_with(label)).unwrap_or_default();
            let url = line.split_whitespace().find(|word| word.starts_with("https://")).unwrap_or_default();
            let end = url.match_indices('/').nth(2).map_or(url.len(), |(index, _)| index);
            url[..end].to_owned()
        };
        let (management_url, gateway_url) = (url("Health, metrics"), url("Gateway"));
        assert!(!management_url.is_empty() && !gateway_url.is_empty(), "no URLs in: {welcome}");
        Self { child, management_url, gateway_url, welcome }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits until it has drained; the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone after kill() or terminate().
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads standard output until the blank line after the list of places; goes on reading, so that the pipe never fills.
fn read_welcome(child: &mut Child) -> String {
    let stdout = child.stdout.take().unwrap();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            // Nobody listens any more once the node is ready.
            let _ = send.send(line);
        }
    });
    let mut welcome = String::new();
    let mut is_ready = false;
    loop {
        match receive.recv_timeout(Duration::from_secs(60)) {
            Ok(line) => {
                is_ready |= line.contains("Gatewright is ready");
                welcome.push_str(&line);
                welcome.push('\n');
                if is_ready && line.trim_start().starts_with("Administrator") {
                    return welcome;
                }
            }
            Err(_) => panic!("the node did not get ready; it printed: {welcome}"),
        }
    }
}
