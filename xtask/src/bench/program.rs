//! Measuring programs, and what they print.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::report::{Report, Row};
use crate::failure::Failure;
use crate::run::{quietly, shown};
use crate::tools::Tools;
use crate::workspace;

/// A measuring program: a benchmark of a crate.
pub(super) struct Program {
    /// What it is a part of.
    pub(super) report: &'static str,
    pub(super) package: &'static str,
    pub(super) bench: &'static str,
    pub(super) features: Option<&'static str>,
}

impl Program {
    pub(super) fn build(&self, what: &str, tools: Option<&Tools>) -> Result<(), Failure> {
        let mut build = self.command(tools);
        build.arg("--no-run");
        quietly(what, &mut build)?;
        Ok(())
    }

    /// Path of the program, once it is built.
    pub(super) fn executable(&self) -> Result<String, Failure> {
        let mut build = self.command(None);
        build.args(["--no-run", "--message-format", "json"]).stdin(Stdio::null());
        let output = build.output().map_err(Failure::while_doing(shown(&build)))?;
        let messages = String::from_utf8_lossy(&output.stdout);
        let found = messages.lines().rev().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            let is_it = message["target"]["name"] == self.bench;
            message["executable"].as_str().filter(|_| is_it).map(str::to_owned)
        });
        found
            .ok_or_else(|| Failure::new(format!("cargo built no program {}\n  command: {}", self.bench, shown(&build))))
    }

    /// Runs it, its progress on stderr, and reads its rows.
    pub(super) fn run(&self, words: &[&str], tools: Option<&Tools>) -> Result<Vec<Row>, Failure> {
        let mut measure = self.command(tools);
        measure.args(["--quiet", "--"]).args(words).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = measure.output().map_err(Failure::while_doing(shown(&measure)))?;
        if !output.status.success() {
            return Err(Failure::new(format!(
                "the benchmark failed: {}\n  command: {}",
                output.status,
                shown(&measure)
            )));
        }
        Ok(Report::read(self.report, &output.stdout)?.rows)
    }

    /// In the profile that everything is built in; the crates on the way of records are optimised there.
    fn command(&self, tools: Option<&Tools>) -> Command {
        let mut command = Command::new(workspace::cargo());
        command.current_dir(workspace::root());
        command.args(["bench", "--profile", "dev", "--package", self.package, "--bench", self.bench]);
        if let Some(features) = self.features {
            command.args(["--features", features]);
        }
        if let Some(tools) = tools {
            tools.provide(&mut command);
        }
        command
    }
}

/// A whole number among a row's params; 0 if there is none.
pub(super) fn number(row: &Row, name: &str) -> u64 {
    row.params.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// A word among a row's params; empty if there is none.
pub(super) fn word<'a>(row: &'a Row, name: &str) -> &'a str {
    row.params.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn value(row: &Row) -> f64 {
    row.value.as_f64().unwrap_or_default()
}
