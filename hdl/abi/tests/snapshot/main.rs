//! The printed contract. Any change of it shows up here, and has to be made on purpose.
//!
//! `tests/snapshot/abi.txt` holds the whole ABI as text: constants, numbers, layouts, registers, examples of keys, hashes, records and
//! commands. `REGISTERS.md` and `registers.json` are the register reference for people and programs. All three are printed by this
//! test and compared with the committed files; `WRIT_UPDATE_SNAPSHOT=1 cargo test -p writ-abi --test snapshot` writes them.

mod examples;
mod print;
mod sources;

use std::path::{Path, PathBuf};
use writ_abi::{ABI_MAJOR, ABI_MINOR, registers};

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What to do about a difference.
fn advice(path: &str, committed: &str, printed: &str) -> String {
    let position = committed.lines().zip(printed.lines()).position(|(old, new)| old != new);
    let line = position.unwrap_or(committed.lines().count().min(printed.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
    format!(
        "the ABI is not what {path} says, first in line {}:\n  committed: {}\n  printed:   {}\n\
         If this is meant: bump ABI_MAJOR in hdl/abi/src/lib.rs if a host built before would misread the card, ABI_MINOR if something was only added \
         (now {ABI_MAJOR}.{ABI_MINOR}; a version that no release has carried yet may change in place), say so in CHANGELOG.md, then run\n  \
         WRIT_UPDATE_SNAPSHOT=1 cargo test -p writ-abi --test snapshot\nand commit the files with the change.",
        line + 1,
        show(committed),
        show(printed),
    )
}

fn compare(path: &str, printed: &str) {
    let file = in_crate(path);
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    if std::env::var("WRIT_UPDATE_SNAPSHOT").is_ok_and(|value| value == "1") {
        assert!(!in_ci, "WRIT_UPDATE_SNAPSHOT is set in CI, where nothing may be updated");
        std::fs::write(&file, printed).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(committed == printed, "{}", advice(path, &committed, printed));
}

#[test]
fn abi_is_what_was_committed() {
    compare("tests/snapshot/abi.txt", &print::abi());
}

#[test]
fn register_reference_is_what_was_committed() {
    let mut markdown = String::new();
    registers::write_markdown(&mut markdown).expect("a string takes everything");
    compare("REGISTERS.md", &markdown);
    let mut json = String::new();
    registers::write_json(&mut json).expect("a string takes everything");
    compare("registers.json", &json);
}

#[test]
fn register_reference_is_json_and_complete() {
    let mut text = String::new();
    registers::write_json(&mut text).expect("a string takes everything");
    let json: serde_json::Value = serde_json::from_str(&text).expect("the reference is JSON");
    assert_eq!(json["abi"], format!("{ABI_MAJOR}.{ABI_MINOR}"));
    let blocks = json["blocks"].as_array().expect("blocks");
    assert_eq!(blocks.len(), registers::BLOCKS.len());
    let fields = |register: &serde_json::Value| register["fields"].as_array().map_or(0, Vec::len);
    for (block, printed) in registers::BLOCKS.iter().zip(blocks) {
        let printed = printed["registers"].as_array().expect("registers");
        assert_eq!(printed.len(), block.registers.len());
        for (register, printed) in block.registers.iter().zip(printed) {
            assert_eq!(printed["name"], register.name);
            assert_eq!(printed["address"], block.offset + register.offset);
            assert_eq!(fields(printed), register.fields.len());
        }
    }
    assert_eq!(json["counters"].as_array().map(Vec::len), Some(registers::COUNTERS.len()));
}

#[test]
fn advice_shows_the_first_difference() {
    let text = advice("FILE", "same\nold\n", "same\nnew\n");
    for part in
        ["FILE", "line 2", "committed: old", "printed:   new", "ABI_MAJOR", "ABI_MINOR", "WRIT_UPDATE_SNAPSHOT=1"]
    {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(advice("FILE", "same\n", "same\nmore\n").contains("printed:   more"));
}
