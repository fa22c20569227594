//! `cargo xtask bench handover`: what it costs to deliver. From records at memory speed to the sockets of receivers, by this machine's clock ([`chain`]); and the
//! encoder alone by Valgrind's count, which depends on no machine's mood and is held to a budget ([`counted`]).

mod chain;
mod counted;

use std::process::ExitCode;

use super::report::{Report, Row};
use crate::failure::Failure;

const REPORT: &str = "handover";

/// Options of `bench handover`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What is measured
    #[arg(long, value_name = "SOURCE", value_enum, value_delimiter = ',', default_values_t = [Source::Counted, Source::Chain])]
    only: Vec<Source>,
    #[command(flatten)]
    chain: chain::Options,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// A source of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    /// Instructions and allocations of the encoder, by Valgrind; over the budget is a failure
    Counted,
    /// The whole daemon, by this machine's clock
    Chain,
}

/// What one source found.
struct Part {
    rows: Vec<Row>,
    table: String,
    /// Goals that are missed: they depend on the machine, so they do not fail the command.
    misses: Vec<String>,
    /// Budgets that are exceeded.
    failures: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut parts = Vec::new();
    for source in [Source::Counted, Source::Chain] {
        match source {
            _ if !arguments.only.contains(&source) => {}
            Source::Counted => parts.extend(counted::run()?),
            Source::Chain => parts.push(chain::run(&arguments.chain)?),
        }
    }
    if arguments.json {
        let rows = parts.iter().flat_map(|part| part.rows.clone()).collect();
        let report = Report { bench: REPORT.to_owned(), rows };
        let text = serde_json::to_string(&report).map_err(Failure::while_doing("the report"))?;
        println!("{text}");
    } else {
        parts.iter().for_each(|part| print!("{}", part.table));
    }
    for miss in parts.iter().flat_map(|part| &part.misses) {
        eprintln!("goal missed: {miss}");
    }
    for failure in parts.iter().flat_map(|part| &part.failures) {
        eprintln!("over the budget: {failure}");
    }
    let is_good = parts.iter().all(|part| part.failures.is_empty());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
