//! The project's one tool, for people and for CI.
//!
//! - `cargo xtask demo`: the whole chain, from a warrant to what the agency receives, checked against ground truth.
//! - `cargo xtask test`: formatting, lints, documentation and all tests.
//! - `cargo xtask oracles`: foreign decoders read what a demo run delivered; `oracles pcie`: a foreign PCIe model plays with the card; `oracles valgrind`:
//!   memcheck over the driver's tests.
//! - `cargo xtask bench`: measurements, of the gateware under load and of the way of records to their consumer.
//! - `cargo xtask equivalence`: random frames on gateware and golden model, as many as one likes; the nightly run.
//! - `cargo xtask formal`: proofs about blocks of the gateware, and that each would notice a broken block.
//! - `cargo xtask synth`: size and logic depth of the gateware on a device family.
//! - `cargo xtask tools`: only fetches the tools that the others need.
//!
//! Talk goes to stderr; stdout carries data only.
#![forbid(unsafe_code)]

mod bench;
mod demo;
mod equivalence;
mod failure;
mod formal;
mod oracles;
mod run;
mod synth;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set up, show, test and cross-check Writ.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a capture through the simulated card and check what the agencies receive
    Demo(demo::Arguments),
    /// Formatting, lints, documentation and all tests
    Test(test::Arguments),
    /// Let tshark and asn1tools read what a demo run delivered, a PCIe model play with the card, or Valgrind watch the driver
    Oracles(oracles::Arguments),
    /// Measure: a table for people, or one JSON object
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Play random frames to gateware and golden model and compare everything
    Equivalence(equivalence::Arguments),
    /// Prove properties of the gateware's blocks, and show that the proofs can fail
    Formal(formal::Arguments),
    /// Map the gateware to a device family and report size and logic depth
    Synth(synth::Arguments),
    /// Fetch the tools that demo and test need into target/tools
    Tools,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Oracles(arguments) => oracles::run(&arguments),
        Command::Bench(bench) => bench::run(&bench),
        Command::Equivalence(arguments) => equivalence::run(&arguments),
        Command::Formal(arguments) => formal::run(&arguments),
        Command::Synth(arguments) => synth::run(&arguments),
        Command::Tools => tools::prepare().map(|tools| {
            eprintln!("verilator: {}", tools.verilator_root().display());
            eprintln!("python:    {}", tools.python().display());
            ExitCode::SUCCESS
        }),
    };
    result.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}
