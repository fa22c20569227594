//! Finds Verilator.

use std::path::{Path, PathBuf};

/// Where Verilator is; `None`: nowhere, and this is not CI.
pub(crate) fn root() -> Option<PathBuf> {
    let fetched = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/verilator");
    let root = std::env::var_os("WRIT_VERILATOR_ROOT").map_or_else(fetched, PathBuf::from);
    if root.join("bin/verilator_bin").exists() {
        return Some(root);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no Verilator in {}: set WRIT_VERILATOR_ROOT",
        root.display()
    );
    println!("skipped: no Verilator in {} (set WRIT_VERILATOR_ROOT, or run `cargo xtask test` once)", root.display());
    None
}
