//! The programs that scenarios start: `writd` and `writ`, as cargo builds them.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Paths of the two programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The daemon.
    pub writd: PathBuf,
    /// The operator's tool.
    pub writ: PathBuf,
}

impl Binaries {
    /// For tests: the programs that `WRIT_BIN_WRITD` and `WRIT_BIN_WRIT` name (`cargo xtask test` sets them); otherwise built now, once,
    /// by the same cargo in the same profile.
    ///
    /// # Errors
    /// What cargo said, if the build failed.
    pub fn for_tests() -> Result<&'static Self, String> {
        static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
        FOUND
            .get_or_init(|| match (env::var_os("WRIT_BIN_WRITD"), env::var_os("WRIT_BIN_WRIT")) {
                (Some(writd), Some(writ)) => Ok(Self { writd: writd.into(), writ: writ.into() }),
                _ => {
                    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
                    let mut command = build_command(&cargo, false);
                    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
                    let output = command.output().map_err(|error| error.to_string())?;
                    if !output.status.success() {
                        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
                    }
                    Self::in_folder(&target_folder().join("debug")).map_err(|error| error.to_string())
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
        let found = Self { writd: folder.join("writd"), writ: folder.join("writ") };
        for program in [&found.writd, &found.writ] {
            if !program.is_file() {
                let text = format!("{}: not there; cargo builds it", program.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            }
        }
        Ok(found)
    }
}

/// The cargo command that builds both programs; with `rtl` the daemon can drive the Verilated card.
pub fn build_command(cargo: &OsStr, rtl: bool) -> Command {
    let mut command = Command::new(cargo);
    command.current_dir(workspace_root()).args(["build", "--package", "writ-daemon", "--package", "writ-cli"]);
    if rtl {
        command.args(["--features", "writ-daemon/rtl"]);
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
