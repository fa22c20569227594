//! Verilator's opinion of the whole card, and of the blocks around it: no warning of any kind, and no circular logic.

#[path = "differential/verilator.rs"]
mod verilator;

use rust_hdl::core::prelude::*;
use std::path::Path;
use std::process::Command;
use writ_hdl::axis::{SelfTest, TapBranch, WidthDown, WirePath};
use writ_hdl::emit::{Emitted, emit};
use writ_hdl::pcie::{PCIE_TOP_NAME, PcieAdapter, emit_pcie_top};
use writ_hdl::time::SteeredClock;
use writ_hdl::top::{TOP_NAME, emit_top};
use writ_hdl::vendor::MacFifo;

fn lint(emitted: &Emitted) {
    let Some(root) = verilator::root() else { return };
    // The one waiver in the text, with its reason beside it: all modules are in one file.
    assert_eq!(emitted.verilog.matches("lint_off").count(), 1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lint-{}", emitted.top));
    std::fs::create_dir_all(&folder).expect("folder");
    std::fs::write(folder.join("card.sv"), &emitted.verilog).expect("text");
    // Circular logic shows only when the model is made, not with --lint-only.
    for mode in [&["--lint-only"][..], &["--cc", "--Mdir", "model"]] {
        let output = Command::new(root.join("bin/verilator_bin"))
            .env("VERILATOR_ROOT", &root)
            .args(mode)
            .args(["-Wall", "--top-module", &emitted.top, "card.sv"])
            .current_dir(&folder)
            .output()
            .expect("Verilator starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("%Warning"), "{text}");
    }
}

#[test]
fn the_card_has_no_warnings() {
    let emitted = emit_top().expect("the card can be emitted");
    assert_eq!(emitted.top, TOP_NAME);
    lint(&emitted);
}

#[test]
fn the_card_behind_its_hard_block_has_no_warnings() {
    let emitted = emit_pcie_top().expect("the card can be emitted");
    assert_eq!(emitted.top, PCIE_TOP_NAME);
    lint(&emitted);
}

#[test]
fn blocks_between_clocks_have_no_warnings() {
    fn check<B: Block>(mut block: B, name: &str) {
        block.connect_all();
        lint(&emit(&block, name).unwrap_or_else(|error| panic!("{error}")));
    }
    check(TapBranch::<512, 1>::default(), "tap_branch");
    check(TapBranch::<64, 8>::default(), "tap_branch_narrow");
    check(WirePath::<64>::default(), "wire_path_narrow");
    check(MacFifo::default(), "mac_fifo");
    check(WidthDown::default(), "width_down");
    check(SelfTest::new(0), "self_test");
    check(SteeredClock::default(), "steered_clock");
    check(PcieAdapter::default(), "pcie_adapter");
}
