//! `cargo xtask bench dma`: what the way of a record from the card to its consumer carries.
//!
//! So far the host's end of it ([`host`]). Rows of the bus come into [`run`] beside them: each source of rows is a module that builds and runs its
//! measuring program, names the goals that its rows miss, and renders its part of the table.

mod host;

use std::process::ExitCode;

use super::report::{Report, Row};
use crate::failure::Failure;

/// Options of `bench dma`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: host::Options,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// What one source found.
struct Part {
    rows: Vec<Row>,
    table: String,
    /// Goals that are missed. They depend on the machine, so they are marked and do not fail the command.
    misses: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let parts = [host::run(&arguments.host)?];
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
