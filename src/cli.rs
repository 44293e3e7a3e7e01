//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use config::Sources;
use config::human::HumanDuration;
use config::loader::Flag;

/// API management in one binary: publisher, developer portal, key manager, gateway and traffic manager.
///
/// Without a command, the node runs.
#[derive(Debug, Parser)]
#[command(name = "gatewright", version)]
pub struct Cli {
    #[command(flatten)]
    pub node: NodeArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command wants to know about the node.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// Roles to play: a built-in profile, or HOME/profiles/NAME.toml
    #[arg(long, global = true, value_name = "NAME", default_value = "all-in-one")]
    pub profile: String,
    /// Folder with databases, keys and configuration; made at the first start
    #[arg(long, global = true, value_name = "DIR", default_value = "gatewright-home")]
    pub home: PathBuf,
    /// Configuration file instead of HOME/conf/deployment.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Number added to every port
    #[arg(long, global = true, value_name = "N")]
    pub port_offset: Option<u16>,
    /// Address that every listener is bound to
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Start a small back end to try the gateway with
    #[arg(long)]
    pub demo: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report every error of the configuration
    Check,
    /// Bring the databases to this version's schema
    Migrate {
        /// Only list what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Look at every link of the node, running or not: what is wrong, and how to mend it
    Doctor,
    /// Ask the running node whether it is ready
    Healthcheck,
    /// Keys that sign tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// Organizations that share this installation
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Quotas: what is counted now, and what a draft would have refused
    #[command(subcommand)]
    Throttle(ThrottleCommand),
    /// Fill the databases with made-up APIs, applications and subscriptions, for benchmarks and trials
    Seed(SeedArgs),
    /// Tokens by which nodes know each other
    #[command(subcommand)]
    Token(TokenCommand),
    /// Keys that the traffic managers of a cluster share
    #[command(subcommand)]
    Cluster(ClusterCommand),
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Publish a new key, which signs after [oauth] key_publish_lead; tokens of the present one stay valid
    Rotate {
        /// Whose key, by the tenant's domain
        #[arg(long, value_name = "DOMAIN", default_value = domain::Organization::SUPER)]
        tenant: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant with its administrator; a running node serves it at once
    Add {
        /// Name of the tenant in lower case, e.g. tenant.example
        #[arg(long)]
        domain: String,
        /// Name of its administrator, without the tenant
        #[arg(long, value_name = "NAME")]
        admin: String,
        /// File with the administrator's password; else the environment variable GATEWRIGHT_TENANT_ADMIN_PASSWORD has it
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ThrottleCommand {
    /// Ask the running traffic managers what is counted under a key: used, lent, remaining, window, owner
    Explain(ExplainArgs),
    /// Replay a gateway's access log against a draft policy: who would have been refused, and when
    Simulate(SimulateArgs),
}

/// Which counts to look at; nothing is changed by looking.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A throttle key, e.g. app:APPLICATION_ID:bob@carbon.super
    #[arg(long, value_name = "KEY", conflicts_with_all = ["subscription", "application"])]
    pub key: Option<String>,
    /// A subscription: every level that its calls meet
    #[arg(long, value_name = "ID", conflicts_with = "application")]
    pub subscription: Option<String>,
    /// An application: the count of one of its users
    #[arg(long, value_name = "ID", requires = "user")]
    pub application: Option<String>,
    /// The user of the application, as USER or USER@TENANT
    #[arg(long, value_name = "USER", conflicts_with = "key")]
    pub user: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to replay. The log's lines are read once and not kept.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// The draft: a policy as the admin REST API shows or exports it (JSON or YAML)
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// A gateway's log in JSON ([log] format = "json"); - reads standard input
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// Name of the policy in the log that the draft stands for, when it has another one
    #[arg(long, value_name = "NAME")]
    pub instead_of: Option<String>,
    /// The tenant whose policy the draft is
    #[arg(long, value_name = "DOMAIN", default_value = domain::Organization::SUPER)]
    pub tenant: String,
    /// The tenant's time zone ("TimeZone" of its configuration), by whose calendar windows of an hour and longer begin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub zone: domain::Zone,
    /// List every call that would have been refused, in the order of the log
    #[arg(long)]
    pub list: bool,
    /// Print JSON: one line for each listed call, then the report
    #[arg(long)]
    pub json: bool,
}

/// How much to sow. The same seed gives the same content, and what is there already is left as it is.
#[derive(Debug, Clone, Args)]
pub struct SeedArgs {
    /// APIs, four of five of them published
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub apis: u32,
    /// Applications of the administrator
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub applications: u32,
    /// Subscriptions, spread over the applications
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub subscriptions: u32,
    /// Number that the content is made from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print a token by which a new node joins the cluster; run it on a traffic manager
    Mint {
        /// What the node is: publisher, devportal, key-manager, traffic-manager or gateway; may stand several times
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<String>,
        /// The one node that may join with it, instead of any
        #[arg(long, value_name = "ID")]
        node_id: Option<String>,
        /// How long the token is valid
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        ttl: HumanDuration,
    },
}

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Make the cluster's keys under HOME/security/cluster; further traffic managers need a copy of that folder
    Init,
    /// Add a root key that signs node tokens from now on; tokens of the old one stay good until it is retired
    RotateRoot,
    /// Refuse all node tokens under a root key from now on
    RetireRoot {
        /// Number of the key, as in root-N.key
        #[arg(long, value_name = "N")]
        id: u32,
    },
}

impl NodeArgs {
    /// Where this process finds its configuration.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut flags = Vec::new();
        if let Some(offset) = self.port_offset {
            flags.push(Flag { name: "--port-offset", key: "server.port_offset", text: offset.to_string() });
        }
        if let Some(bind) = self.bind {
            flags.push(Flag { name: "--bind", key: "server.bind", text: bind.to_string() });
        }
        // A variable that is not Unicode cannot be one of ours: their values are.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Sources {
            home: self.home.clone(),
            profile: self.profile.clone(),
            config_file: self.config.clone(),
            environment,
            flags,
        }
    }
}

fn zone(name: &str) -> Result<domain::Zone, String> {
    domain::Zone::parse(name).ok_or_else(|| "is no IANA name of a time zone, e.g. Europe/Berlin".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_before_and_after_the_command() {
        let cli = Cli::parse_from(["gatewright", "--home", "a", "migrate", "--dry-run", "--port-offset", "5"]);
        assert!(matches!(cli.command, Some(Command::Migrate { dry_run: true })));
        assert_eq!((cli.node.home, cli.node.port_offset), (PathBuf::from("a"), Some(5)));
    }
}
