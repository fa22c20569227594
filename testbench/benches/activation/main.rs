//! Measures how long it takes from `writ task activate` until the card is armed for the task. `cargo xtask bench dma` starts it.
//!
//! Takes the folder of the programs and how many tasks to activate. `writd` runs with the golden model, `writ` as a process for each command, as an
//! operator has it. The time is that of the clock on the wall, from the start of the process to its end: `writ` answers when the card has confirmed all rows
//! of the task, and says since when they are in force. Prints one JSON object on stdout.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use writ_testbench::binaries::{Binaries, target_folder};
use writ_testbench::check::Delivery;
use writ_testbench::rig::{Backend, Confirmation, Rig, RigPlan, order};
use writ_testbench::traffic;
use writ_testbench::truth::{Scope, Target, tai_from_utc_ns};

const MEDIATION: &str = "mdf-1";
/// The tasks end long after the measurement: a day.
const TERM_NS: u64 = 86_400_000_000_000;

fn main() -> ExitCode {
    match run() {
        Ok(rows) => {
            println!("{}", json!({ "bench": "dma", "rows": rows }));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn run() -> Result<Vec<Value>, String> {
    // Cargo says `--bench` to every benchmark.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [programs, count] = &words[..] else { return Err("the programs' folder and a number are wanted".to_owned()) };
    let count: u16 = count.parse().map_err(text)?;
    let binaries = Binaries::in_folder(Path::new(programs)).map_err(text)?;
    let folder = Folder::new()?;
    let epoch_ns = tai_from_utc_ns(traffic::FIRST_TIME_NS);
    let plan = RigPlan::new(&folder.0, binaries, Backend::Model, epoch_ns).mediation_function(MEDIATION);
    let mut rig = Rig::set_up(plan).map_err(text)?;
    rig.start_with_destinations(Confirmation::Barrier).map_err(text)?;
    let (mut activations, mut questions) = (Vec::new(), Vec::new());
    for number in 0..count {
        let started = Instant::now();
        rig.status().map_err(text)?;
        questions.push(milliseconds(started));
        activations.push(activate(&rig, number, epoch_ns)?);
    }
    rig.stop().map_err(text)?;
    let mut rows = rows("activation_latency_ms", "writ task activate", activations);
    rows.extend(self::rows("operator_round_trip_ms", "writ status", questions));
    Ok(rows)
}

/// Activates a task on an address of its own; gives how long that took.
fn activate(rig: &Rig, number: u16, epoch_ns: u64) -> Result<f64, String> {
    let [high, low] = number.to_be_bytes();
    let target = Target::Address(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)));
    let liid = format!("BENCH-{number}");
    let activation = order(MEDIATION, &liid, target, Scope::Content, Delivery::X, epoch_ns + TERM_NS);
    let started = Instant::now();
    let task = rig.activate(&activation).map_err(text)?;
    let took_ms = milliseconds(started);
    if task.armed.is_none() {
        return Err(format!("task {number} was answered for before the card was armed"));
    }
    Ok(took_ms)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn rows(name: &str, command: &str, mut times: Vec<f64>) -> Vec<Value> {
    times.sort_by(f64::total_cmp);
    let Some(last) = times.len().checked_sub(1) else { return Vec::new() };
    eprintln!("{command}: {:.1} to {:.1} ms", times[0], times[last]);
    [("min", 0), ("median", last / 2), ("p99", last * 99 / 100), ("max", last)]
        .map(|(statistic, at)| {
            let params =
                json!({ "command": command, "card": "model", "statistic": statistic, "commands": times.len() });
            json!({ "name": name, "params": params, "value": (times[at] * 1e3).round() / 1e3, "unit": "ms" })
        })
        .to_vec()
}

/// The rig's folder; removed when it was good.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = target_folder().join("bench-activation");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left stays for the next run, which removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
