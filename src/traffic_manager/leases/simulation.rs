//! Seeded runs of gateways, owners of slots and a ledger in virtual time: lost, repeated and reordered messages, crashes,
//! a ledger that fails or whose answers are lost, wall clocks that jump, and clocks whose rates differ by some percent. What
//! must hold, for both kinds of windows: no window ever admits more calls than its limit, no call after the window ended on
//! its owner's clock, and a key's windows never overlap, whoever opened them.

mod network;
mod world;

use domain::throttling::WindowKind;
use world::{Faults, World};

const SEEDS: u64 = 10_000;
const STEPS: u32 = 220;

fn check_limits(kind: WindowKind) {
    let (mut admitted, mut full, mut moves) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Faults::All, kind);
        for step in 0..STEPS {
            world.step();
            world.check().unwrap_or_else(|wrong| panic!("seed {seed}, step {step}: {wrong}"));
        }
        admitted += world.admitted();
        full += world.full_windows();
        moves += world.moves();
    }
    println!("{admitted} calls admitted, {full} windows used up, {moves} slots moved");
    // Owners that admit nothing would pass, too.
    assert!(admitted > SEEDS * 5, "only {admitted} calls were admitted");
    assert!(full > 500, "only {full} windows were used up");
    assert!(moves > SEEDS, "only {moves} slots moved");
}

fn check_use(kind: WindowKind) {
    let mut checked = 0;
    for seed in 0..300 {
        let mut world = World::new(seed, Faults::None, kind);
        for _ in 0..STEPS * 4 {
            world.step();
        }
        world.check().unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        for (window, admitted, limit) in world.windows_under_demand() {
            assert_eq!(admitted, limit, "seed {seed}, window {window}");
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} windows had enough demand");
}

#[test]
fn no_window_ever_admits_more_than_its_limit() {
    check_limits(WindowKind::Aligned);
}

#[test]
fn no_window_that_opens_with_a_call_ever_admits_more_than_its_limit() {
    check_limits(WindowKind::FirstRequest);
}

#[test]
fn every_window_is_used_up_under_demand_when_nothing_fails() {
    check_use(WindowKind::Aligned);
}

#[test]
fn every_window_that_opens_with_a_call_is_used_up_under_demand_when_nothing_fails() {
    check_use(WindowKind::FirstRequest);
}
