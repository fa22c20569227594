//! Whether the properties still fit the gateware, without a solver.
//!
//! A signal that was renamed and a broken copy whose text is gone would otherwise be found only by the next run of all proofs.

use std::process::{Command, ExitCode, Stdio};

use super::job::Question;
use super::{Run, What};
use crate::failure::Failure;
use crate::tools::{self, Tools};

/// Makes the text of every run, and has Verilator read those with properties.
pub(super) fn run(runs: &[Run<'_>]) -> Result<ExitCode, Failure> {
    let tools = tools::prepare()?;
    let mut problems = Vec::new();
    for run in runs {
        if let Err(problem) = check(run, &tools) {
            problems.push(problem.to_string());
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    println!("{} of {} texts fit", runs.len() - problems.len(), runs.len());
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(run: &Run<'_>, tools: &Tools) -> Result<(), Failure> {
    let text = run.text()?;
    // One of a block's texts says of its names what the others would say.
    if !matches!(run.what, What::All(Question::Prove)) {
        return Ok(());
    }
    let folder = run.folder();
    std::fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    let path = folder.join("dry.sv");
    std::fs::write(&path, text).map_err(Failure::while_doing(path.display()))?;
    let mut command = Command::new(tools.verilator_root().join("bin/verilator"));
    command.args(["--lint-only", "--assert", "-Wno-fatal", "-DSYNTHESIS"]).arg(&path).stdin(Stdio::null());
    let output = command.output().map_err(Failure::while_doing(path.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("%Error")).take(5).collect();
    Err(Failure::new(format!("{}: {}", run.name(), errors.join("\n"))))
}
