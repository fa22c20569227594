//! `cargo xtask oracles pcie`: the emitted card behind a model of its hard block that others wrote, and a root complex of theirs.

use std::fs;
use std::process::{ExitCode, Stdio};

use crate::failure::Failure;
use crate::run::shown;
use crate::tools::{self, emitter};
use crate::workspace;

pub(super) fn run() -> Result<ExitCode, Failure> {
    let verilator = tools::prepare()?;
    let cocotb = tools::prepare_cocotb()?;
    let folder = workspace::target().join("oracles/pcie");
    fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    let card = folder.join("card.sv");
    fs::write(&card, emitted()?).map_err(Failure::while_doing(card.display()))?;
    eprintln!("building and simulating the card; the logs are in {}", folder.display());
    let mut command = cocotb.command(&verilator);
    command.arg(workspace::root().join("testbench/oracles/pcie/run.py")).arg(&card).arg(&folder).stdin(Stdio::null());
    let status = command.status().map_err(Failure::while_doing(shown(&command)))?;
    if !status.success() {
        eprintln!("to repeat: {}", shown(&command));
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The card's text.
fn emitted() -> Result<Vec<u8>, Failure> {
    let mut command = emitter::command()?;
    command.arg("pcie");
    let output = command.output().map_err(Failure::while_doing(shown(&command)))?;
    if output.status.success() && !output.stdout.is_empty() {
        Ok(output.stdout)
    } else {
        Err(Failure::new(format!("the card could not be emitted: {}", shown(&command))))
    }
}
