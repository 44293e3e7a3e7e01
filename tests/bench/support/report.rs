//! What measurements print and write.

use std::time::Duration;

use serde_json::{Value, json};

/// Samples in milliseconds, by share of the samples that are at most as long.
pub fn percentiles(mut samples: Vec<Duration>, shares: &[(&str, f64)]) -> Value {
    samples.sort_unstable();
    let at = |share: f64| {
        let index = ((samples.len() - 1) as f64 * share).round() as usize;
        (samples[index].as_secs_f64() * 10_000.0).round() / 10.0
    };
    let mut summary: serde_json::Map<String, Value> =
        shares.iter().map(|(name, share)| ((*name).to_owned(), json!(at(*share)))).collect();
    summary.insert("samples".to_owned(), json!(samples.len()));
    Value::Object(summary)
}

/// Writes the report to `target/NAME.json`.
pub fn write(name: &str, report: &Value) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder).unwrap();
    let file = format!("{folder}/{name}.json");
    std::fs::write(&file, format!("{report:#}\n")).unwrap();
    println!("written to {file}");
}

/// Least, median and greatest, to two digits.
pub fn spread(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_unstable_by(f64::total_cmp);
    [0, samples.len() / 2, samples.len() - 1].map(|index| (samples[index] * 100.0).round() / 100.0)
}
