//! `cargo xtask bench dma`: what the way of a record from the card to its consumer carries, and how long it takes.
//!
//! Each source of rows is a module that builds and runs its measuring programs, names the goals that its rows miss, and renders its part of the table: the
//! host's end ([`host`]), the card's end of the bus ([`bus`]), and times from end to end ([`latency`]).

mod bus;
mod host;
mod latency;

use std::process::ExitCode;

use super::report::{Report, Row};
use crate::failure::Failure;
use crate::tools;

/// Options of `bench dma`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What is measured
    #[arg(long, value_name = "SOURCE", value_enum, value_delimiter = ',',
        default_values_t = [Source::Host, Source::Bus, Source::Latency])]
    only: Vec<Source>,
    /// Frame sizes in bytes without FCS, of host and bus
    #[arg(long = "size", value_name = "BYTES", value_delimiter = ',', default_values_t = [60, 128, 512, 1518, 9600],
        value_parser = clap::value_parser!(u16).range(60..=9600))]
    sizes: Vec<u16>,
    #[command(flatten)]
    host: host::Options,
    #[command(flatten)]
    bus: bus::Options,
    #[command(flatten)]
    latency: latency::Options,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// A source of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    /// The driver's rings, by this machine's clock
    Host,
    /// The Verilated card's end of the bus, by card time
    Bus,
    /// From a frame to its record by card time, from the operator to an armed card by this machine's
    Latency,
}

/// What one source found.
struct Part {
    rows: Vec<Row>,
    table: String,
    /// Goals that are missed. Some depend on the machine, so they are marked and do not fail the command.
    misses: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut parts = Vec::new();
    for source in [Source::Host, Source::Bus, Source::Latency] {
        if arguments.only.contains(&source) {
            parts.push(measure(source, arguments)?);
        }
    }
    if arguments.json {
        let rows = parts.iter().flat_map(|part| part.rows.clone()).collect();
        let report = Report { bench: "dma".to_owned(), rows };
        let text = serde_json::to_string(&report).map_err(Failure::while_doing("the report"))?;
        println!("{text}");
    } else {
        parts.iter().for_each(|part| print!("{}", part.table));
    }
    for miss in parts.iter().flat_map(|part| &part.misses) {
        eprintln!("goal missed: {miss}");
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(source: Source, arguments: &Arguments) -> Result<Part, Failure> {
    match source {
        Source::Host => host::run(&arguments.sizes, &arguments.host),
        Source::Bus => bus::run(&arguments.sizes, &arguments.bus, &tools::prepare()?),
        Source::Latency => latency::run(&arguments.latency, &tools::prepare()?),
    }
}

/// Numbers as the measuring programs take them.
fn list<T: ToString>(numbers: &[T]) -> String {
    let numbers: Vec<String> = numbers.iter().map(T::to_string).collect();
    numbers.join(",")
}
