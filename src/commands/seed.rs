//! `gatewright seed`: made-up APIs, applications and subscriptions, for benchmarks and trials.

use std::sync::Arc;

use control_plane::seed::{SeedPlan, Seeder};
use domain::SystemClock;

use super::place::Place;
use super::{CommandError, load};
use crate::cli::{NodeArgs, SeedArgs};

pub fn execute(args: &NodeArgs, wanted: &SeedArgs) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let place = Place::of(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let apim = place.open::<store::Apim>(&loaded.config.database.apim_db, runtime.handle());
    let apim = apim.map_err(|error| CommandError::Seed(Box::new(error)))?;
    let plan = SeedPlan {
        owner: loaded.config.super_admin.username.clone(),
        apis: wanted.apis,
        applications: wanted.applications,
        subscriptions: wanted.subscriptions,
        seed: wanted.seed,
    };
    let seeder = Seeder::new(apim, Arc::new(SystemClock));
    let made = runtime.block_on(seeder.sow(&plan)).map_err(|error| CommandError::Seed(Box::new(error)))?;
    println!("seed {}", plan.seed);
    for (name, made, wanted) in [
        ("APIs", made.apis, plan.apis),
        ("applications", made.applications, plan.applications),
        ("subscriptions", made.subscriptions, plan.subscriptions),
    ] {
        println!("  {name:<13} {made} made, {} were there", wanted.saturating_sub(made));
    }
    Ok(())
}
