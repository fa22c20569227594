//! `cargo xtask oracles`: decoders that others wrote read what a demo run delivered; `valgrind` looks at the driver's tests.

mod valgrind;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use writ_testbench::expectations;

use crate::failure::Failure;
use crate::run::{quietly, shown};
use crate::tools::{self, Tools, on_path};
use crate::{demo, workspace};

/// Options of `oracles`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// Folder of a demo run [default: a run on the golden model into target/oracles]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Oracles of something else.
#[derive(clap::Subcommand)]
enum Other {
    /// Run the driver's tests under Valgrind's memcheck; skipped where it is not installed
    Valgrind,
}

const SCHEMA: &str = "standards/handover/LI-PS-PDU-min.asn";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(Other::Valgrind) = arguments.other {
        return valgrind::run();
    }
    let schema = workspace::shared().join(SCHEMA);
    if !schema.is_file() {
        return Err(Failure::new(format!(
            "{}: not there; the oracles need the folder `shared` beside the workspace",
            schema.display()
        )));
    }
    let tools = tools::prepare()?;
    ensure_tshark()?;
    let folder = match &arguments.dir {
        Some(folder) => folder.clone(),
        None => {
            let folder = workspace::target().join("oracles");
            demo::run_for_oracles(&folder)?;
            folder
        }
    };
    let expectations = expectations::write(&folder).map_err(Failure::while_doing(folder.display()))?;
    eprintln!("{} streams, {} PDUs, as Writ's own decoders read them", expectations.streams, expectations.pdus);
    if expectations.x_pdus == 0 || expectations.hi_pdus == 0 {
        return Err(Failure::new(format!("{}: no X2/X3 or no HI2/HI3 streams to check", folder.display())));
    }
    let tshark = script(&tools, "tshark.py", &folder, None)?;
    let asn1 = script(&tools, "asn1.py", &folder, Some(&schema))?;
    Ok(if tshark && asn1 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ensure_tshark() -> Result<(), Failure> {
    const LINE: &str = "apt-get install -y tshark";
    if on_path("tshark") {
        return Ok(());
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !is_root {
        return Err(Failure::new(format!("tshark is needed and missing\n  On Debian or Ubuntu, as root: {LINE}")));
    }
    quietly("apt-get update", Command::new("apt-get").args(["update", "-qq"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "tshark"]).env("DEBIAN_FRONTEND", "noninteractive");
    quietly("installing tshark", &mut install)?;
    if on_path("tshark") { Ok(()) } else { Err(Failure::new("tshark is still missing after its installation")) }
}

/// Runs one of the scripts; whether it found everything as expected.
fn script(tools: &Tools, name: &str, folder: &Path, schema: Option<&Path>) -> Result<bool, Failure> {
    let path = workspace::root().join("testbench/oracles").join(name);
    let mut command = Command::new(tools.python());
    command.arg(&path).arg(folder).args(schema).stdin(Stdio::null());
    let status = command.status().map_err(Failure::while_doing(shown(&command)))?;
    if !status.success() {
        eprintln!("to repeat: {}", shown(&command));
    }
    Ok(status.success())
}
