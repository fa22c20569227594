//! The programs that scenarios start, as cargo builds them.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Paths of the programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The daemon.
    pub writd: PathBuf,
    /// The operator's tool.
    pub writ: PathBuf,
    /// What owns a card that is not the daemon's.
    pub writ_cardd: PathBuf,
    /// The simulated card as a process.
    pub writ_sim: PathBuf,
}

/// The cargo features that put a card into the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardFeature {
    /// None: the golden model is always there.
    None,
    /// The Verilated gateware, in the daemon.
    Rtl,
    /// The Verilated gateware behind PCIe transactions, in a process of its own.
    Pcie,
}

impl Binaries {
    /// For tests: the programs in the folder that `WRIT_BINARIES` names (`cargo xtask test` sets it); otherwise built now, once, by the same
    /// cargo in the same profile.
    ///
    /// # Errors
    /// What cargo said, if the build failed.
    pub fn for_tests() -> Result<&'static Self, String> {
        static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
        let in_folder = |folder: &Path| Self::in_folder(folder).map_err(|error| error.to_string());
        FOUND
            .get_or_init(|| match env::var_os("WRIT_BINARIES") {
                Some(folder) => in_folder(Path::new(&folder)),
                None => {
                    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
                    let mut command = build_command(&cargo, CardFeature::None);
                    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
                    let output = command.output().map_err(|error| error.to_string())?;
                    if !output.status.success() {
                        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
                    }
                    in_folder(&target_folder().join("debug"))
                }
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The programs in the folder that cargo builds into.
    ///
    /// # Errors
    /// If one of them is not there.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let [writd, writ, writ_cardd, writ_sim] =
            ["writd", "writ", "writ-cardd", "writ-sim"].map(|name| folder.join(name));
        let found = Self { writd, writ, writ_cardd, writ_sim };
        for program in [&found.writd, &found.writ, &found.writ_cardd, &found.writ_sim] {
            if !program.is_file() {
                let text = format!("{}: not there; cargo builds it", program.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            }
        }
        Ok(found)
    }
}

/// The cargo command that builds all programs.
pub fn build_command(cargo: &OsStr, card: CardFeature) -> Command {
    let mut command = Command::new(cargo);
    command.current_dir(workspace_root()).arg("build").args([
        "--package",
        "writ-daemon",
        "--package",
        "writ-cli",
        "--package",
        "writ-sim",
    ]);
    match card {
        CardFeature::None => {}
        CardFeature::Rtl => {
            command.args(["--features", "writ-daemon/rtl"]);
        }
        CardFeature::Pcie => {
            command.args(["--features", "writ-sim/rtl-pcie"]);
        }
    }
    command
}

/// Root of the workspace: the parent of this crate's folder.
pub fn workspace_root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_path_buf()
}

/// Cargo's target folder.
pub fn target_folder() -> PathBuf {
    let root = workspace_root();
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
