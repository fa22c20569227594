//! `cargo xtask test`: everything that has to be good before a change may land.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::run::shown;
use crate::tools::{self, Tools};
use crate::workspace;

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only the tests, and of them only those with this in their name
    filter: Option<String>,
    /// Passed on to the test programs
    #[arg(last = true)]
    pass_on: Vec<String>,
}

/// Cargo features that the checks and the tests are built with: everything, the Verilated card too.
pub(crate) const FEATURES: [&str; 2] =
    ["--features", "writ-daemon/rtl,writ-sim/rtl,writ-sim/rtl-pcie,writ-testbench/rtl,writ-testbench/rtl-pcie"];

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

struct Step {
    name: &'static str,
    command: Command,
}

struct Outcome {
    name: &'static str,
    success: bool,
    took: Duration,
    repeat: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let tools = tools::prepare()?;
    let mut counts = Counts::default();
    let mut outcomes = Vec::new();
    for mut step in steps(arguments, &tools) {
        eprintln!("==> {}: {}", step.name, shown(&step.command));
        let begun = Instant::now();
        let success = execute(&mut step.command, &mut counts).map_err(Failure::while_doing(format_args!(
            "{}: {}",
            step.name,
            shown(&step.command)
        )))?;
        let took = begun.elapsed();
        eprintln!("<== {}: {} in {:.1} s\n", step.name, if success { "good" } else { "FAILED" }, took.as_secs_f64());
        outcomes.push(Outcome { name: step.name, success, took, repeat: shown(&step.command) });
    }
    Ok(report(&outcomes, &mut counts, started.elapsed()))
}

fn cargo(tools: &Tools, words: &[&str]) -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(workspace::root()).args(words);
    tools.provide(&mut command);
    command
}

fn steps(arguments: &Arguments, tools: &Tools) -> Vec<Step> {
    let mut test = cargo(tools, &["test", "--workspace", "--no-fail-fast"]);
    test.args(FEATURES);
    // The scenario tests start these; they are built once, beside the tests, with the same features.
    let mut binaries = cargo(tools, &["build", "--workspace", "--bins"]);
    binaries.args(FEATURES);
    test.env("WRIT_BINARIES", workspace::target().join("debug"));
    if let Some(filter) = &arguments.filter {
        test.arg(filter);
    }
    if !arguments.pass_on.is_empty() {
        test.arg("--").args(&arguments.pass_on);
    }
    let tests = vec![Step { name: "binaries", command: binaries }, Step { name: "tests", command: test }];
    if arguments.filter.is_some() {
        return tests;
    }
    let mut clippy = cargo(tools, &["clippy", "--workspace", "--all-targets"]);
    clippy.args(FEATURES).args(["--", "-D", "warnings"]);
    let mut doc = cargo(tools, &["doc", "--workspace", "--no-deps"]);
    doc.args(FEATURES).env("RUSTDOCFLAGS", "-D warnings");
    let mut steps = vec![
        Step { name: "formatting", command: cargo(tools, &["fmt", "--all", "--check"]) },
        Step { name: "lints", command: clippy },
        Step { name: "documentation", command: doc },
    ];
    steps.extend(tests);
    if let Ok(own) = std::env::current_exe() {
        let mut proofs = Command::new(own);
        proofs.current_dir(workspace::root()).args(["formal", "--dry-run"]);
        tools.provide(&mut proofs);
        steps.push(Step { name: "proofs' text", command: proofs });
    }
    steps
}

/// Runs a step with its output shown as it comes, and adds up what the test programs say.
fn execute(command: &mut Command, counts: &mut Counts) -> std::io::Result<bool> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let reader = child.stdout.take().map(|stdout| {
        thread::spawn(move || {
            let mut counts = Counts::default();
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                add(&mut counts, &line);
            }
            counts
        })
    });
    let success = child.wait()?.success();
    if let Some(found) = reader.and_then(|reader| reader.join().ok()) {
        counts.passed += found.passed;
        counts.failed += found.failed;
        counts.ignored += found.ignored;
    }
    Ok(success)
}

/// Adds a line like `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
fn add(counts: &mut Counts, line: &str) {
    let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
    for part in numbers.split(';') {
        let mut words = part.split_whitespace();
        let (Some(number), Some(what)) = (words.next().and_then(|word| word.parse::<u64>().ok()), words.next()) else {
            continue;
        };
        match what {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "ignored" => counts.ignored += number,
            _ => {}
        }
    }
}

fn report(outcomes: &[Outcome], counts: &mut Counts, took: Duration) -> ExitCode {
    println!();
    for outcome in outcomes {
        let verdict = if outcome.success { "good  " } else { "FAILED" };
        println!("{verdict} {:<14} {:>7.1} s", outcome.name, outcome.took.as_secs_f64());
    }
    println!("total  {:<14} {:>7.1} s", "", took.as_secs_f64());
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.success).collect();
    for outcome in &failed {
        println!("to repeat {}: {}", outcome.name, outcome.repeat);
    }
    // A step that fails without a failing test (a lint, a test program that does not build) counts as one failure.
    let without_tests = failed.iter().filter(|outcome| outcome.name != "tests" || counts.failed == 0).count();
    counts.failed += without_tests as u64;
    let skipped = if counts.ignored > 0 { format!(", {} skipped", counts.ignored) } else { String::new() };
    println!("{} passed, {} failed{skipped}", counts.passed, counts.failed);
    if failed.is_empty() && counts.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "test capture::tests::passed ... ok",
            "7 passed; 9 failed",
        ] {
            add(&mut counts, line);
        }
        assert_eq!((counts.passed, counts.failed, counts.ignored), (7, 2, 1));
    }

    #[test]
    fn a_failing_step_without_tests_counts() {
        let step = |name, success| Outcome { name, success, took: Duration::ZERO, repeat: String::new() };
        let mut counts = Counts { passed: 5, ..Counts::default() };
        let exit = report(&[step("lints", false), step("tests", true)], &mut counts, Duration::ZERO);
        assert_eq!((counts.failed, format!("{exit:?}")), (1, format!("{:?}", ExitCode::FAILURE)));
        let mut none = Counts::default();
        let exit = report(&[step("tests", true)], &mut none, Duration::ZERO);
        assert_eq!(format!("{exit:?}"), format!("{:?}", ExitCode::FAILURE), "no test ran");
    }
}
