//! `cargo xtask equivalence`: random scenarios on gateware and golden model, compared record by record; as many as one likes.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::Failure;
use crate::run::shown;
use crate::{tools, workspace};

/// Options of `equivalence`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Random frames to play
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    frames: u64,
    /// Seed of the first scenario [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// Play this saved scenario and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["frames", "seed"])]
    case: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = Command::new(workspace::cargo());
    command.args(["test", "--package", "writ-sim", "--features", "rtl", "--test", "equivalence", "--", "--nocapture"]);
    if let Some(case) = &arguments.case {
        let case = std::fs::canonicalize(case).map_err(Failure::while_doing(case.display()))?;
        command.arg("saved_cases").env("WRIT_EQUIVALENCE_CASE", case);
    } else {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let seed = arguments.seed.unwrap_or(now);
        eprintln!("{} frames from seed {seed}", arguments.frames);
        command.arg("random::").env("WRIT_EQUIVALENCE_FRAMES", arguments.frames.to_string());
        command.env("WRIT_EQUIVALENCE_SEED", seed.to_string());
    }
    tools::prepare()?.provide(&mut command);
    command.current_dir(workspace::root()).stdin(Stdio::null());
    let status = command.status().map_err(Failure::while_doing(shown(&command)))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
