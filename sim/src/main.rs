//! `writ-sim`: the simulated card as a process of its own. See `sim/README.md`.

mod tool;

use clap::Parser;
use std::process::ExitCode;
use tool::args::{Arguments, Command};

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let result = match command {
        Command::Serve(serve) => tool::serve::run(&serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("writ-sim: {error}");
            ExitCode::FAILURE
        }
    }
}
