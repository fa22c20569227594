//! `cargo xtask bench`: measurements, as a table for people or one JSON object.

mod gateware;
mod report;

use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::Failure;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The Verilated gateware under load: rates, latencies, drops, speed of the simulation
    Gateware(gateware::Arguments),
}

pub(crate) fn run(bench: &Bench) -> Result<ExitCode, Failure> {
    match bench {
        Bench::Gateware(arguments) => gateware::run(arguments),
    }
}
