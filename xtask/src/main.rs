//! The project's one tool, for people and for CI.
//!
//! - `cargo xtask demo`: the whole chain, from a warrant to what the agency receives, checked against ground truth.
//! - `cargo xtask test`: formatting, lints, documentation and all tests.
//! - `cargo xtask oracles`: foreign decoders read what a demo run delivered.
//! - `cargo xtask bench`: measurements; so far of the gateware under load.
//! - `cargo xtask tools`: only fetches the tools that the others need.
//!
//! Talk goes to stderr; stdout carries data only.
#![forbid(unsafe_code)]

mod bench;
mod demo;
mod failure;
mod oracles;
mod run;
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
    /// Let tshark and asn1tools read what a demo run delivered
    Oracles(oracles::Arguments),
    /// Measure: a table for people, or one JSON object
    #[command(subcommand)]
    Bench(bench::Bench),
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
