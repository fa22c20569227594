//! The program `writ-sim`, for tests of other packages: cargo builds it for those of this one alone. A file that they take in by its path.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The simulated card, built from these sources into the folder that `own` stands in, a program of the package that tests. The package is
/// one of `host`.
pub(crate) fn sim_binary(own: &str) -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // Where all programs were built already, nothing is: not with other features, over one that somebody runs.
        if let Some(folder) = std::env::var_os("WRIT_BINARIES") {
            return Path::new(&folder).join("writ-sim");
        }
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "writ-sim", "--bin", "writ-sim", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim/Cargo.toml"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "writ-sim does not build");
        Path::new(own).with_file_name("writ-sim")
    })
}
