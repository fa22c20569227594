//! The program that prints the gateware's Verilog: example `emit` of `writ-hdl`.

use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::run::shown;
use crate::workspace;

/// Builds it, and returns the command that runs it. Built as part of the workspace, so that it shares its dependencies with everything else.
pub(crate) fn command() -> Result<Command, Failure> {
    let mut build = Command::new(workspace::cargo());
    build.args(["build", "--quiet", "--workspace", "--example", "emit"]).current_dir(workspace::root());
    let status = build.stdin(Stdio::null()).status().map_err(Failure::while_doing(shown(&build)))?;
    if !status.success() {
        return Err(Failure::new(format!("{}: failed", shown(&build))));
    }
    let mut command = Command::new(workspace::target().join("debug/examples/emit"));
    command.current_dir(workspace::root()).stdin(Stdio::null()).stderr(Stdio::inherit());
    Ok(command)
}
