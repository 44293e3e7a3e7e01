//! CPU of processes per call, while connections call as fast as they get answers.

use std::time::{Duration, Instant};

use super::load::{self, Call, Caller, Listener};
use super::process;

/// Counts calls that passed.
struct Count(u64);

impl Listener for Count {
    fn note(&mut self, call: Call) {
        assert_eq!(call.status, 200);
        self.0 += 1;
    }
}

/// Microseconds of CPU that the process took per call, and calls per second.
pub async fn run(pid: u32, connections: usize, took: Duration, caller: impl Fn() -> Caller) -> [f64; 2] {
    let (before, began) = (process::cpu_us(&[pid]), Instant::now());
    let callers: Vec<_> = (0..connections).map(|_| load::call(caller(), began + took, Count(0))).collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap().0;
    }
    let cpu_us = process::cpu_us(&[pid]) - before;
    [cpu_us / calls as f64, calls as f64 / began.elapsed().as_secs_f64()]
}
