//! A PostgreSQL server of one test's own, for what would disturb the others.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::free_port::free_port;

/// Runs until it is dropped.
pub struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
}

impl Postgres {
    /// `None` where the server's programs are not installed.
    pub fn start() -> Option<Self> {
        let bin = bin_folder()?;
        let folder = tempfile::Builder::new().prefix("gatewright-postgres-").tempdir().unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let server = Self { folder, bin, port: free_port() };
        let data = server.data();
        run(server.as_server("initdb").arg("-D").arg(&data).args(["-U", "gatewright", "--auth=trust", "--locale=C"]));
        server.launch();
        Some(server)
    }

    /// `kill -9` of the server and all that it started.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        // Its children go when they see that it is gone.
        run(Command::new("kill").arg("-9").arg(&pid));
        let children = Command::new("pkill").args(["-9", "-P", &pid]).status();
        drop(children);
    }

    /// Starts it again on its data.
    pub fn launch(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200",
            self.port
        );
        let log = self.folder.path().join("log");
        // After a kill the old memory segments may take a moment to go.
        for _ in 0..30 {
            let mut start = self.as_server("pg_ctl");
            start
                .arg("-D")
                .arg(self.data())
                .args(["-o", &options, "-l"])
                .arg(&log)
                .args(["-w", "-t", "60", "-s", "start"]);
            if start.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Lines of `[database]` for two new databases.
    pub fn database_toml(&self) -> String {
        for name in ["apim", "shared"] {
            run(self
                .as_server("createdb")
                .args(["-h", "127.0.0.1", "-U", "gatewright", "-p"])
                .arg(self.port.to_string())
                .arg(name));
        }
        let apim = self.apim_url();
        let shared = apim.replace("/apim", "/shared");
        format!("[database.apim_db]\nurl = \"{apim}\"\n[database.shared_db]\nurl = \"{shared}\"\npool_size = 5\n")
    }

    /// Executes statements on the database of the control plane.
    pub fn execute(&self, sql: &str) {
        let mut psql = self.as_server("psql");
        psql.args(["-h", "127.0.0.1", "-U", "gatewright", "-d", "apim", "-q", "-v", "ON_ERROR_STOP=1", "-p"]);
        run(psql.arg(self.port.to_string()).args(["-c", sql]));
    }

    /// Where the database of the control plane is, once [`Postgres::database_toml`] has made it.
    pub fn apim_url(&self) -> String {
        format!("postgres://gatewright@127.0.0.1:{}/apim", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn as_server(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.as_server("pg_ctl");
        let stop = stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-s", "stop"]);
        // It may have been killed.
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn bin_folder() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    folders.retain(|folder| folder.join("initdb").exists());
    folders.sort();
    folders.pop()
}

fn run(command: &mut Command) {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
