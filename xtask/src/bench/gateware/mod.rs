//! `cargo xtask bench gateware`: builds the Verilated card and the program that measures it, runs it, judges what it found.
//!
//! The whole measurement is 96 loads; with fewer sizes, shares, rates of commands or clocks it is as much shorter.

mod cases;
mod goals;
mod mac_fifo;
mod table;

use std::process::{Command, ExitCode, Stdio};

use writ_testbench::traffic::load::{FrameSizes, LoadPlan};

use super::report::Report;
use crate::failure::Failure;
use crate::run::{quietly, shown};
use crate::{tools, workspace};

/// Options of `bench gateware`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Frame sizes in bytes without FCS, and `imix` [default: 60,61,64,65,127,128,129,256,512,1518,9600,imix]
    #[arg(long = "size", value_name = "BYTES|imix", value_delimiter = ',')]
    sizes: Vec<FrameSizes>,
    /// How many of 100 frames match [default: 0,1,10,100]
    #[arg(long = "matched", value_name = "PERCENT", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(0..=100))]
    matched: Vec<u8>,
    /// Table commands a second of card time [default: 0,10000000]
    #[arg(long = "commands", value_name = "PER_S", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=30_000_000))]
    commands: Vec<u32>,
    /// Clocks at line rate in each case; 10000 are enough to see every number, but not to time the simulation [default: 100000]
    #[arg(long, value_name = "CLOCKS", value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    clocks: Option<u64>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    /// Goals that are missed are marked, but do not fail the command
    #[arg(long)]
    no_goals: bool,
}

impl Arguments {
    fn plan(&self) -> LoadPlan {
        let mut plan = LoadPlan::default();
        if !self.sizes.is_empty() {
            plan.frame_bytes.clone_from(&self.sizes);
        }
        if !self.matched.is_empty() {
            plan.matched_percent.clone_from(&self.matched);
        }
        if !self.commands.is_empty() {
            plan.commands_per_s.clone_from(&self.commands);
        }
        plan.clocks = self.clocks.unwrap_or(plan.clocks);
        plan
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let plan = serde_json::to_string(&arguments.plan()).map_err(Failure::while_doing("the plan"))?;
    let tools = tools::prepare()?;
    let mac_fifo_clocks = mac_fifo::measure()?;
    let mut build = cargo_bench();
    build.arg("--no-run");
    tools.provide(&mut build);
    quietly("building gateware, card and benchmark", &mut build)?;

    let mut measure = cargo_bench();
    measure.args(["--quiet", "--", &plan]).stdin(Stdio::null()).stderr(Stdio::inherit());
    tools.provide(&mut measure);
    let output = measure.output().map_err(Failure::while_doing(shown(&measure)))?;
    if output.stdout.is_empty() {
        return Err(Failure::new(format!(
            "the benchmark printed nothing: {}\n  command: {}",
            output.status,
            shown(&measure)
        )));
    }
    let mut report = Report::read("gateware", &output.stdout)?;
    mac_fifo::add(&mut report, mac_fifo_clocks);
    let cases = cases::read(&report.rows)?;
    let misses = goals::judge(&cases);
    if arguments.json {
        let text = serde_json::to_string(&report).map_err(Failure::while_doing("the report"))?;
        println!("{text}");
        for miss in &misses {
            eprintln!("goal missed: {miss}");
        }
    } else {
        print!("{}", table::render(&cases, &misses));
    }
    if !output.status.success() {
        eprintln!("the card broke its word: see FAULT above");
        return Ok(ExitCode::FAILURE);
    }
    let is_failed = misses.iter().any(|miss| miss.is_binding()) && !arguments.no_goals;
    Ok(if is_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The measuring program, in the profile that everything is built in, so that the Verilated card is compiled once.
fn cargo_bench() -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(workspace::root());
    command.args(["bench", "--profile", "dev", "--package", "writ-testbench", "--features", "rtl"]);
    command.args(["--bench", "gateware"]);
    command
}
