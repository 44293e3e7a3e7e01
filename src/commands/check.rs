//! `gatewright check`: every error of the configuration.

use super::{CommandError, load};
use crate::cli::NodeArgs;

pub fn execute(args: &NodeArgs) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let roles: Vec<&str> = loaded.profile.roles.iter().map(|role| role.as_str()).collect();
    println!("the configuration is good");
    println!("  profile    {} ({})", loaded.profile.name, roles.join(", "));
    println!("  home       {}", args.home.display());
    if loaded.profile.needs_databases() {
        println!("  apim_db    {}", loaded.config.database.apim_db.url);
        println!("  shared_db  {}", loaded.config.database.shared_db.url);
    }
    let cluster = &loaded.config.cluster;
    for (role, urls) in [("traffic managers", &cluster.traffic_managers), ("key managers", &cluster.key_managers)] {
        if !urls.is_empty() {
            println!("  {role}: {}", urls.join(", "));
        }
    }
    Ok(())
}
