//! Measures the Verilated gateware under load. `cargo xtask bench gateware` starts it and prints what it found.
//!
//! Takes a [`LoadPlan`] as JSON, or measures everything. Prints one JSON object on stdout; progress goes to stderr. A card that breaks its word (a
//! frame changed, a record too many, a counter that does not add up) ends it with an error, whatever the numbers say.
#![forbid(unsafe_code)]

mod card;
mod case;
mod commands;
mod decision;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/frame.rs"]
mod frame;
mod report;
mod source;

use std::process::ExitCode;

use writ_testbench::traffic::load::LoadPlan;

use card::Rig;
use case::Case;
use failure::Failure;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(broken) => {
            eprintln!("{broken} cases in which the card broke its word");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what the plan says. Returns in how many cases something did not add up.
fn run() -> Result<usize, Failure> {
    // Cargo says `--bench` to every benchmark.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let plan = match arguments.next() {
        Some(text) => serde_json::from_str(&text).map_err(|error| Failure::Asked(format!("the plan: {error}")))?,
        None => LoadPlan::default(),
    };
    let mut rig = Rig::new()?;
    let mut measured = Vec::new();
    let mut broken = 0;
    for case in Case::all(&plan) {
        let found = case.measure(&mut rig, plan.clocks)?;
        eprintln!("{case}: {found}");
        for fault in &found.faults {
            eprintln!("    FAULT: {fault}");
        }
        broken += usize::from(!found.faults.is_empty());
        measured.push((case, found));
    }
    println!("{}", report::json(&measured));
    Ok(broken)
}
