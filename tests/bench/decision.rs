//! `make bench-decision`: what the warm throttling decision of one call costs, with limits on every level, among 1, 1,000 and
//! 1,000,000 live keys of each level; and what an idle key costs a gateway and a traffic manager in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[path = "decision/callers.rs"]
mod callers;
#[path = "../../src/gateway/testing/fixture.rs"]
#[expect(dead_code, reason = "the gateway's tests use more of it")]
mod fixture;
#[path = "decision/memory.rs"]
mod memory;
#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};

const HOUR: Duration = Duration::from_secs(3_600);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn decision(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut group = criterion.benchmark_group("decision");
    for keys in [1, 1_000, 1_000_000] {
        let mut callers = runtime.block_on(callers::Callers::new(keys, callers::book(4 * keys + 16, HOUR)));
        group.bench_function(BenchmarkId::new("all levels", keys), |bencher| {
            let _inside = runtime.enter();
            bencher.iter(|| callers.next_call());
        });
    }
    group.finish();
}

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--memory").skip(1);
    if let Some(what) = arguments.next() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        return runtime.block_on(memory::report(&what));
    }
    let mut criterion = Criterion::default().configure_from_args();
    decision(&mut criterion);
    criterion.final_summary();
    println!("| {} keys | bytes per idle key | when their windows are over |", memory::KEYS);
    println!("|---|---:|---:|");
    for what in ["traffic manager", "gateway"] {
        let own = std::env::current_exe().unwrap();
        assert!(std::process::Command::new(own).args(["--memory", what]).status().unwrap().success());
    }
}
