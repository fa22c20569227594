//! Measures the bus between card and host on the Verilated card behind TLPs. `cargo xtask bench dma` starts it and prints what it found.
//!
//! Takes `bus SIZES CLOCKS` (what RQ carries when it is always ready, and what the command ring reads over a bus as it is) or `latency FRAMES` (from the
//! end of a frame on the wire to its record in host memory). Prints one JSON object on stdout; progress goes to stderr. All of it is card time: how
//! fast the machine is that simulates changes no number.
#![forbid(unsafe_code)]

mod card;
mod commands;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/frame.rs"]
mod frame;
mod latency;
mod payload;
mod source;

use std::fmt::Display;
use std::process::ExitCode;

use serde_json::{Value, json};
use writ_testbench::traffic::load::FrameSizes;

use failure::Failure;

fn main() -> ExitCode {
    match run() {
        Ok(rows) => {
            println!("{}", json!({ "bench": "dma", "rows": rows }));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Vec<Value>, Failure> {
    // Cargo says `--bench` to every benchmark.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["bus", sizes, clocks] => {
            let sizes: Result<Vec<FrameSizes>, String> = sizes.split(',').map(str::parse).collect();
            let mut rows = payload::measure(&sizes.map_err(not_measured)?, number(clocks)?)?;
            rows.extend(commands::measure()?);
            Ok(rows)
        }
        ["latency", frames] => latency::measure(number(frames)?),
        _ => Err(not_measured("`bus SIZES CLOCKS` or `latency FRAMES` is wanted")),
    }
}

fn number(word: &str) -> Result<u64, Failure> {
    word.parse().ok().filter(|number| *number > 0).ok_or_else(|| not_measured(format!("{word}: not a number above 0")))
}

/// What was asked for cannot be read.
fn not_measured(why: impl Display) -> Failure {
    Failure::Asked(format!("what to measure: {why}"))
}

/// A row of the report.
fn row(name: &str, params: Value, value: f64, unit: &str) -> Value {
    json!({ "name": name, "params": params, "value": value, "unit": unit })
}
