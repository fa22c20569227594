//! Measures [`writ_driver::RecordRing`]: how many records and bytes one core takes out of a ring. `cargo xtask bench dma` starts it.
//!
//! Takes frame sizes in bytes without FCS (`60,1518`), ring sizes in lines (`262144`) and a number of rounds. Prints one JSON object on stdout; progress
//! goes to stderr. A record that is lost, comes twice or does not check ends it with an error.
#![forbid(unsafe_code)]

mod card;
mod measure;

use std::process::ExitCode;

use serde_json::{Value, json};

use measure::{Case, Found};

/// What is measured.
struct Plan {
    frame_bytes: Vec<u32>,
    ring_lines: Vec<u32>,
    rounds: u32,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let plan = plan()?;
    let mut rows = Vec::new();
    for &ring_lines in &plan.ring_lines {
        for &frame_bytes in &plan.frame_bytes {
            let case = Case { frame_bytes, ring_lines, rounds: plan.rounds };
            let found = case.measure()?;
            eprintln!("{case}: {found}");
            rows.extend(case_rows(&case, &found));
        }
    }
    println!("{}", json!({ "bench": "dma", "rows": rows }));
    Ok(())
}

fn plan() -> Result<Plan, String> {
    // Cargo says `--bench` to every benchmark.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let numbers = |position: usize, default: &[u32]| match words.get(position) {
        None => Ok(default.to_vec()),
        Some(list) => {
            let number = |word: &str| word.parse().map_err(|error| format!("`{word}` is no number: {error}"));
            list.split(',').map(number).collect::<Result<Vec<u32>, String>>()
        }
    };
    let rounds = numbers(2, &[15])?.first().copied().unwrap_or_default().max(1);
    Ok(Plan { frame_bytes: numbers(0, &[60, 1518])?, ring_lines: numbers(1, &[1 << 18])?, rounds })
}

fn case_rows(case: &Case, found: &Found) -> Vec<Value> {
    let ring_bytes = u64::from(case.ring_lines) * 64;
    let row = |name: &str, params: Value, value: f64, unit: &str| json!({ "name": name, "params": params, "value": value.round(), "unit": unit });
    let mut rows = Vec::new();
    for (payload_crc, rates) in &found.consumer {
        let params =
            || json!({ "frame_bytes": case.frame_bytes, "payload_crc": payload_crc, "ring_bytes": ring_bytes });
        rows.push(row("ring_consumer_records_per_s", params(), rates.records_per_s, "records/s"));
        rows.push(row("ring_consumer_bytes_per_s", params(), rates.bytes_per_s, "bytes/s"));
    }
    for (into_bytes, bytes_per_s) in found.memcpy {
        let params = json!({ "frame_bytes": case.frame_bytes, "ring_bytes": ring_bytes, "into_bytes": into_bytes });
        rows.push(row("memcpy_bytes_per_s", params, bytes_per_s, "bytes/s"));
    }
    rows
}
