//! Verilator's opinion of the whole card: no warning of any kind, and no circular logic.

#[path = "differential/verilator.rs"]
mod verilator;

use std::path::Path;
use std::process::Command;
use writ_hdl::top::{TOP_NAME, emit_top};

#[test]
fn the_card_has_no_warnings() {
    let Some(root) = verilator::root() else { return };
    let emitted = emit_top().expect("the card can be emitted");
    // The one waiver in the text, with its reason beside it: all modules are in one file.
    assert_eq!(emitted.verilog.matches("lint_off").count(), 1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lint");
    std::fs::create_dir_all(&folder).expect("folder");
    std::fs::write(folder.join("card.sv"), &emitted.verilog).expect("text");
    // Circular logic shows only when the model is made, not with --lint-only.
    for mode in [&["--lint-only"][..], &["--cc", "--Mdir", "model"]] {
        let output = Command::new(root.join("bin/verilator_bin"))
            .env("VERILATOR_ROOT", &root)
            .args(mode)
            .args(["-Wall", "--top-module", TOP_NAME, "card.sv"])
            .current_dir(&folder)
            .output()
            .expect("Verilator starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("%Warning"), "{text}");
    }
}
