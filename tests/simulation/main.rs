//! The whole way of a change, from the database over the hubs to every gateway's disk and tables, simulated: seeded,
//! in virtual time, without I/O and threads.
//!
//! The decisions are the real ones: [`event_hub::relay`], [`gateway::sync::state`] and [`node_store::last_good::order`] with
//! [`node_store::last_good::change`]. The world around them loses, repeats, delays and reorders messages, kills hubs and
//! gateways between persisting, applying and acknowledging, trims logs, restores the database from a backup, and lets
//! gateways change from hub to hub. In every fourth world disks also lose what they hold, which only the comparison of
//! contents ([`domain::content`]) can mend. A failing seed is replayed with `GATEWRIGHT_SEED=<seed> cargo test --test simulation`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod database;
mod dice;
mod gateway;
mod hub;
mod rows;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::World;

const SEEDS: u64 = 2_000;
const STEPS: usize = 240;
/// Steps without faults after which everything must have come to rest.
const CALM_STEPS: usize = 3_000;

fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.is_calm = true;
    let is_at_rest = (0..CALM_STEPS).any(|step| {
        world.step();
        step % 20 == 19 && world.is_at_rest()
    });
    assert!(is_at_rest, "a gateway does not become equal to the database");
    world.check_content();
}

fn run_all(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!("seed {seed} fails; replay it with GATEWRIGHT_SEED={seed} cargo test --test simulation");
            resume_unwind(panic);
        }
    }
}

/// `GATEWRIGHT_SEED` runs one seed; else a share of all of them, so that the shares run beside each other.
fn run_share(share: u64, shares: u64) {
    match std::env::var("GATEWRIGHT_SEED") {
        Ok(seed) => run_all(std::iter::once(seed.parse().expect("GATEWRIGHT_SEED is a number"))),
        Err(_) => run_all((share..SEEDS).step_by(usize::try_from(shares).unwrap())),
    }
}

#[test]
fn every_change_takes_effect_everywhere_once_and_in_order_even_seeds() {
    run_share(0, 2);
}

#[test]
fn every_change_takes_effect_everywhere_once_and_in_order_odd_seeds() {
    run_share(1, 2);
}
