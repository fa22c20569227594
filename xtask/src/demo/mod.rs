//! `cargo xtask demo`: a capture through the simulated card, warrants by the operator's tool, what the agencies receive, the verdict.

mod options;
mod progress;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use writ_testbench::binaries::{Binaries, CardFeature, build_command};
use writ_testbench::capture::{self, Capture};
use writ_testbench::play::Plan;
use writ_testbench::rig::Backend;
use writ_testbench::run::{self, Finished, Outcome, RunPlan, Summary, Warrant};
use writ_testbench::traffic;

use crate::failure::Failure;
use crate::run::quietly;
use crate::{tools, workspace};

pub(crate) use options::Arguments;
use options::Card;

/// Written into a folder that a run has made its own, so that a later run may clear it.
const MARKER: &str = ".writ-demo";
/// Exit status of a run that is good but for an order that selected nothing. 1 is a run that is not good, or none at all; 2 is clap's, of a command line.
const NOTHING_SELECTED: u8 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let warrants = arguments.warrants()?;
    let capture = load(arguments)?;
    let folder = folder(arguments)?;
    let binaries = build(arguments.card)?;
    let (finished, summary) = run_in(&folder, arguments, &capture, warrants, binaries)?;
    if arguments.json {
        let text = serde_json::to_string(&summary).map_err(Failure::while_doing("summary"))?;
        println!("{text}");
    } else {
        print!("{}", table::render(&finished, &summary, &folder));
    }
    report_nothing_selected(&finished, &summary);
    eprintln!("total time {:.1} s", started.elapsed().as_secs_f64());
    Ok(match summary.verdict {
        Outcome::Good => ExitCode::SUCCESS,
        Outcome::NotGood => ExitCode::FAILURE,
        Outcome::NothingSelected => ExitCode::from(NOTHING_SELECTED),
    })
}

/// Whoever mistypes a target has to notice.
fn report_nothing_selected(finished: &Finished, summary: &Summary) {
    for (index, hidden) in summary.selected_nothing() {
        let targets: Vec<String> =
            finished.orders[index].selector.targets.iter().map(|target| format!("--target {target}")).collect();
        let why = match hidden {
            0 => "no packet of this target is in the capture; look for a slip in the target, and whether it is the right capture".to_owned(),
            1 => "the one packet of this target in the capture is hidden from the card, see `unseen`".to_owned(),
            _ => format!("all {hidden} packets of this target in the capture are hidden from the card, see `unseen`"),
        };
        eprintln!("nothing selected: {}: {why}", targets.join(" "));
    }
}

/// Runs the default demo on the golden model into a folder, for the oracles.
pub(crate) fn run_for_oracles(folder: &Path) -> Result<(), Failure> {
    let arguments = Arguments { card: Card::Model, out: Some(folder.to_path_buf()), ..Arguments::default() };
    let exit = run(&arguments)?;
    if exit == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::new("the demo run for the oracles is not good")) }
}

fn load(arguments: &Arguments) -> Result<Capture, Failure> {
    match &arguments.capture {
        Some(path) => {
            let capture = capture::read_file(path).map_err(|error| Failure::new(error.to_string()))?;
            for warning in &capture.warnings {
                eprintln!("warning: {warning}");
            }
            Ok(capture)
        }
        None => Ok(traffic::generate(traffic::DEFAULT_SEED)),
    }
}

/// The folder of the run, empty. One that holds something else than an earlier run is not touched.
fn folder(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let folder = arguments.out.clone().unwrap_or_else(|| workspace::target().join("demo"));
    let folder = std::path::absolute(&folder).map_err(Failure::while_doing(folder.display()))?;
    let is_used = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        if !folder.join(MARKER).exists() {
            let text = format!("{}: holds files that are not of an earlier run; name another folder", folder.display());
            return Err(Failure::new(text));
        }
        fs::remove_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    fs::write(folder.join(MARKER), "made by cargo xtask demo\n").map_err(Failure::while_doing(folder.display()))?;
    Ok(folder)
}

/// Builds the programs, the Verilated card among them if it is asked for.
fn build(card: Card) -> Result<Binaries, Failure> {
    let feature = match card {
        Card::Tlp => CardFeature::Pcie,
        Card::Rtl => CardFeature::Rtl,
        Card::Model => CardFeature::None,
    };
    let mut command = build_command(&workspace::cargo(), feature);
    let what = if feature == CardFeature::None {
        "building the programs"
    } else {
        let tools = tools::prepare()?;
        tools.provide(&mut command);
        "building gateware, card and programs"
    };
    quietly(what, &mut command)?;
    Binaries::in_folder(&workspace::target().join("debug")).map_err(|error| Failure::new(error.to_string()))
}

fn run_in(
    folder: &Path,
    arguments: &Arguments,
    capture: &Capture,
    warrants: Vec<Warrant>,
    binaries: Binaries,
) -> Result<(Finished, Summary), Failure> {
    let plan = Plan::new(capture, arguments.max_gap_ns);
    for note in plan.notes.iter().filter(|note| !capture.warnings.contains(note)) {
        eprintln!("note: {note}");
    }
    let first_utc_ns = capture.frames.iter().map(|frame| frame.time_ns).min().unwrap_or_default();
    let backend = match arguments.card {
        Card::Tlp => Backend::Tlp,
        Card::Rtl => Backend::Rtl,
        Card::Model => Backend::Model,
    };
    let run_plan = RunPlan { folder: folder.to_path_buf(), binaries, backend, first_utc_ns, plan, warrants };
    let mut bars = progress::Bars::new();
    let finished = run::run(&run_plan, &mut bars).map_err(|error| arguments.explain(&error));
    bars.finish();
    let finished = finished?;
    let audit_log = folder.join("state/audit.log");
    let summary = run::write_outputs(&finished, &audit_log, folder).map_err(Failure::while_doing(folder.display()))?;
    for problem in finished.all_problems() {
        eprintln!("problem: {problem}");
    }
    Ok((finished, summary))
}
