//! `make bench-throttle-cost`: CPU of a gateway per governed call with limits on every level against the same call without any,
//! in interleaved runs. Calls are plain HTTP over connections that stay, with a token, from and to the same machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::time::Duration;

use serde_json::json;
use support::governed::Governed;
use support::postgres::Postgres;
use support::site::Site;
use support::{closed_loop, governed, load, report};

const ROUNDS: usize = 15;
const RUN: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 16;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let site = Site::start(&postgres, &["tm1"], &["gw1"]).await;
    let back_end = format!("http://{}", load::back_end(256).await);
    let [free, limited] = governed::apis(&site, &back_end).await;
    let run = async |api: &Governed| closed_loop::run(api.pid, CONNECTIONS, RUN, || api.caller("")).await[0];
    for api in [&free, &limited] {
        api.until_known().await;
        run(api).await;
    }
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Neither always comes first.
        let (off, on) = if round % 2 == 0 {
            (run(&free).await, run(&limited).await)
        } else {
            let on = run(&limited).await;
            (run(&free).await, on)
        };
        without.push(off);
        with.push(on);
        ratios.push(on / off);
    }
    let [without, with, ratios] = [without, with, ratios].map(report::spread);
    println!("| {ROUNDS} runs of {} s each, interleaved | least | median | greatest |", RUN.as_secs());
    println!("|---|---:|---:|---:|");
    for (what, [least, median, greatest]) in
        [("CPU us per call without limits", without), ("with limits on every level", with), ("ratio", ratios)]
    {
        println!("| {what} | {least} | {median} | {greatest} |");
    }
    let named = |[least, median, greatest]: [f64; 3]| json!({"least": least, "median": median, "greatest": greatest});
    let report = json!({"cpu_us_without": named(without), "cpu_us_with": named(with), "ratio": named(ratios)});
    report::write("bench-throttle-cost", &report);
}
