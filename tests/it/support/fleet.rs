//! A deployment of processes, one for each node, for what only processes can suffer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::{Clock, SystemClock};
use security::cluster::ClusterKeys;
use security::enrolment::Enrolment;
use tempfile::TempDir;

use super::faketime;
use super::free_port::free_port;
use super::rest::client;

/// The administrator's password where the development one is refused.
pub const PASSWORD: &str = "not the default one";

const ISSUER: &str = "https://localhost:9443/oauth2/token";

/// Longest wait for a node.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Name and profile of each node.
pub type Plan<'a> = &'a [(&'static str, &'static str)];

/// The nodes; all are killed when this is dropped.
pub struct Fleet {
    members: BTreeMap<&'static str, Member>,
    /// Clocks that can be set, when this library is given.
    faketime: Option<PathBuf>,
}

struct Member {
    profile: &'static str,
    home: TempDir,
    management: u16,
    http: u16,
    https: u16,
    process: Option<Child>,
}

/// How a member finds the traffic managers: directly, or through something that a test puts in between.
pub type Reach = BTreeMap<u16, u16>;

impl Fleet {
    /// Starts every node over the databases in `database_toml` and waits until all are ready. `binary` is the program.
    pub async fn start(binary: &str, plan: Plan<'_>, database_toml: &str) -> Self {
        let mut fleet = Self::prepare(plan, database_toml, &Reach::new());
        fleet.start_all(binary).await;
        fleet
    }

    /// Writes the homes and starts nothing. `reach` replaces ports of traffic managers in the gateways' configuration.
    pub fn prepare(plan: Plan<'_>, database_toml: &str, reach: &Reach) -> Self {
        let member = |(name, profile): &(&'static str, &'static str)| {
            let home = tempfile::tempdir().unwrap();
            let [management, http, https] = [free_port(), free_port(), free_port()];
            (*name, Member { profile, home, management, http, https, process: None })
        };
        let members: BTreeMap<_, _> = plan.iter().map(member).collect();
        let fleet = Self { members, faketime: None };
        fleet.write_keys();
        fleet.configure(database_toml, reach);
        fleet
    }

    pub async fn start_all(&mut self, binary: &str) {
        let names: Vec<&'static str> = self.members.keys().copied().collect();
        for name in &names {
            self.launch(binary, name);
        }
        for name in names {
            self.until_ready(name).await;
        }
    }

    /// One folder of keys on every traffic manager.
    fn write_keys(&self) {
        let mut managers = self.members.values().filter(|member| member.profile == "traffic-manager");
        let first = managers.next().unwrap().keys_folder();
        ClusterKeys::load_or_create(&first, SystemClock.now()).unwrap();
        for member in managers {
            std::fs::create_dir_all(member.keys_folder()).unwrap();
            for entry in std::fs::read_dir(&first).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), member.keys_folder().join(entry.file_name())).unwrap();
            }
        }
    }

    fn keys(&self) -> ClusterKeys {
        let manager = self.members.values().find(|member| member.profile == "traffic-manager").unwrap();
        ClusterKeys::load(&manager.keys_folder()).unwrap().unwrap()
    }

    /// Configures every member anew, e.g. with other ways to the traffic managers.
    pub fn configure(&self, database_toml: &str, reach: &Reach) {
        let keys = self.keys();
        let gateway = self.members.values().find(|member| member.profile == "gateway").unwrap().https;
        for (name, member) in &self.members {
            let reach = if member.profile == "gateway" { reach.clone() } else { Reach::new() };
            let urls = |profile: &str| {
                let of = self.members.values().filter(|member| member.profile == profile);
                let port = |port: u16| reach.get(&port).copied().unwrap_or(port);
                let urls: Vec<String> =
                    of.map(|member| format!("\"https://localhost:{}\"", port(member.management))).collect();
                urls.join(", ")
            };
            let toml = format!(
                "[server]\nmanagement_port = {}\nworkers = 1\ndrain_delay = \"2s\"\ndrain_timeout = \"5s\"\n\
                 [gateway]\nhttp_port = {}\nhttps_port = {}\nworkers = 1\n\
                 [throttling]\nlease_port = 0\nplain_lease_port = 0\n\
                 [log]\nlevel = \"error\"\n\
                 [oauth]\nissuer = \"{ISSUER}\"\n\
                 [super_admin]\npassword = \"{PASSWORD}\"\n\
                 [cluster]\nnode_id = \"{name}\"\ntoken = \"{}\"\ntraffic_managers = [{}]\nkey_managers = [{}]\n\
                 [[control_plane.environments]]\nname = \"Default\"\n\
                 [[control_plane.environments.vhosts]]\nhost = \"localhost\"\nhttps_port = {gateway}\n{database_toml}",
                member.management,
                member.http,
                member.https,
                mint(&keys, member.profile),
                urls("traffic-manager"),
                urls("key-manager"),
            );
            std::fs::create_dir_all(member.home.path().join("conf")).unwrap();
            std::fs::write(member.home.path().join("conf/deployment.toml"), toml).unwrap();
        }
    }

    /// Adds a line to a section of the node's configuration; it counts from the next start on.
    pub fn set(&self, name: &str, section: &str, line: &str) {
        let file = self.members[name].home.path().join("conf/deployment.toml");
        let toml = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, toml.replace(&format!("{section}\n"), &format!("{section}\n{line}\n"))).unwrap();
    }

    /// Starts a node that does not run; see [`Fleet::until_ready`].
    pub fn launch(&mut self, binary: &str, name: &str) {
        let member = self.members.get_mut(name).unwrap();
        assert!(member.process.is_none(), "{name} runs already");
        let log = std::fs::File::options().create(true).append(true).open(member.home.path().join("log")).unwrap();
        let clock = self.faketime.iter().flat_map(|library| faketime::environment(library, &member.clock()));
        let child = Command::new(binary)
            .envs(clock)
            .args(["--profile", member.profile, "--home"])
            .arg(member.home.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        member.process = Some(child);
    }

    pub async fn until_ready(&self, name: &str) {
        let member = &self.members[name];
        let url = format!("https://localhost:{}/health/ready", member.management);
        let asked = async {
            loop {
                match client().get(&url).timeout(Duration::from_secs(2)).send().await {
                    Ok(answer) if answer.status() == 200 => return,
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        if tokio::time::timeout(READY_WITHIN, asked).await.is_err() {
            let log = std::fs::read_to_string(member.home.path().join("log")).unwrap_or_default();
            panic!("{name} does not get ready: {log}");
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self, name: &str) {
        let mut child = self.members.get_mut(name).unwrap().process.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Whether the process has ended by itself; then it can be launched again.
    pub fn has_ended(&mut self, name: &str) -> bool {
        let process = &mut self.members.get_mut(name).unwrap().process;
        let is_over = process.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        if is_over {
            *process = None;
        }
        is_over
    }

    /// SIGSTOP: connections stay, and nothing answers.
    pub fn freeze(&self, name: &str) {
        signal(self.members[name].process.as_ref().unwrap(), "STOP");
    }

    pub fn thaw(&self, name: &str) {
        signal(self.members[name].process.as_ref().unwrap(), "CONT");
    }

    /// SIGTERM, and waits until it has drained.
    pub async fn terminate(&mut self, name: &str) {
        let mut child = self.members.get_mut(name).unwrap().process.take().unwrap();
        signal(&child, "TERM");
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    }

    /// Gives each node that is launched from now on a clock of its own, which [`Fleet::set_clock`] sets.
    pub fn fake_clocks(&mut self, library: PathBuf) {
        self.faketime = Some(library);
        self.members.values().for_each(|member| faketime::set(&member.clock(), 0));
    }

    /// Lets the node's clock be off by this many seconds, within a second.
    pub fn set_clock(&self, name: &str, seconds: i64) {
        faketime::set(&self.members[name].clock(), seconds);
    }

    pub fn home(&self, name: &str) -> &Path {
        self.members[name].home.path()
    }

    pub fn management_url(&self, name: &str) -> String {
        format!("https://localhost:{}", self.members[name].management)
    }

    pub fn management_port(&self, name: &str) -> u16 {
        self.members[name].management
    }

    pub fn gateway_port(&self, name: &str) -> u16 {
        self.members[name].https
    }

    pub fn gateway_url(&self, name: &str) -> String {
        format!("https://localhost:{}", self.members[name].https)
    }
}

impl Member {
    fn keys_folder(&self) -> PathBuf {
        self.home.path().join("security/cluster")
    }

    fn clock(&self) -> PathBuf {
        self.home.path().join("clock")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in self.members.values_mut().filter_map(|member| member.process.as_mut()) {
            // Already gone, or about to be.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

/// What an operator hands to a new node.
pub fn mint(keys: &ClusterKeys, profile: &str) -> String {
    let day = Duration::from_secs(86_400);
    let token = keys.root().unwrap().mint_enrolment(&[profile.to_owned()], None, day, SystemClock.now()).unwrap();
    Enrolment { authority: *keys.fingerprint(), token }.to_text().expose().clone()
}
