//! `cargo xtask oracles valgrind`: the driver's tests once more, with memcheck looking at every access.
//!
//! Where Valgrind is not installed nothing is run, and that is said. Its processor has the CRC instructions that the driver uses.

use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::failure::Failure;
use crate::run::shown;
use crate::tools::on_path;
use crate::workspace;

/// Exit status of a program in which memcheck found something; the tests' own failures have another one.
const FOUND: i32 = 99;

pub(super) fn run() -> Result<ExitCode, Failure> {
    if !on_path("valgrind") {
        eprintln!(
            "skipped: valgrind is not installed; nothing was checked\n  On Debian or Ubuntu, as root: apt-get install -y valgrind"
        );
        return Ok(ExitCode::SUCCESS);
    }
    let programs = programs()?;
    if programs.is_empty() {
        return Err(Failure::new("cargo built no test programs of the driver"));
    }
    let mut is_good = true;
    for program in &programs {
        let mut command = memcheck(program);
        let status = command.status().map_err(Failure::while_doing(shown(&command)))?;
        if !status.success() {
            is_good = false;
            let what = if status.code() == Some(FOUND) { "memcheck found errors" } else { "tests failed" };
            eprintln!("{what}\nto repeat: {}", shown(&command));
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn memcheck(program: &str) -> Command {
    let mut command = Command::new("valgrind");
    // Leaks are not looked for: ring memory is kept on purpose, and the test harness keeps its own.
    command.args(["--quiet", "--leak-check=no", &format!("--error-exitcode={FOUND}"), program]);
    // Loom changes stacks by itself, which memcheck cannot follow, and its model touches no memory that is shared.
    command.args(["--test-threads", "1", "--skip", "loom"]);
    // Each case costs some fifty times as much here.
    command.env("PROPTEST_CASES", "16").stdin(Stdio::null()).stdout(std::io::stderr());
    command
}

/// The driver's test programs, built.
fn programs() -> Result<Vec<String>, Failure> {
    let mut build = Command::new(workspace::cargo());
    build.current_dir(workspace::root());
    build.args(["test", "--package", "writ-driver", "--lib", "--tests", "--no-run", "--message-format", "json"]);
    let output = build.stderr(Stdio::inherit()).output().map_err(Failure::while_doing(shown(&build)))?;
    if !output.status.success() {
        return Err(Failure::new(format!("building the driver's tests failed\n  command: {}", shown(&build))));
    }
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

/// Every test program among cargo's messages, one JSON object a line.
fn executables(messages: &str) -> Vec<String> {
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message["profile"]["test"].as_bool() == Some(true);
        is_test.then(|| message["executable"].as_str().map(str::to_owned)).flatten()
    };
    messages.lines().filter_map(program).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_found_among_messages() {
        let messages = r#"{"reason":"compiler-artifact","profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","profile":{"test":true},"executable":"/a/one"}
no JSON
{"reason":"compiler-artifact","profile":{"test":false},"executable":"/a/program"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executables(messages), ["/a/one"]);
    }
}
