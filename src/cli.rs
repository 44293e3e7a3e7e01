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
