//! `cargo xtask bench`: measurements, as a table for people or one JSON object.

mod dma;
mod gateware;
mod handover;
mod program;
mod report;

use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::Failure;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The Verilated gateware under load: rates, latencies, drops, speed of the simulation
    Gateware(gateware::Arguments),
    /// The way of records from card to host: what rings and bus carry, and how long it takes
    Dma(dma::Arguments),
    /// What it costs to deliver: packets a second of processor time, from records to sockets
    Handover(handover::Arguments),
}

pub(crate) fn run(bench: &Bench) -> Result<ExitCode, Failure> {
    match bench {
        Bench::Gateware(arguments) => gateware::run(arguments),
        Bench::Dma(arguments) => dma::run(arguments),
        Bench::Handover(arguments) => handover::run(arguments),
    }
}
