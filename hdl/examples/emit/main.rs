//! Prints emitted Verilog for the tools around the gateware: `cargo run -p writ-hdl --example emit -- card`.
//!
//! - `card`: the card.
//! - `pcie`: the card with its adapter to the PCIe hard block.
//! - `blocks DIR`: the card in the pieces in which its size is measured, a file each; prints a line for each: name, instances, BLAKE3
//!   of the text.
//! - `proofs DIR NAME...`: blocks for the proofs in `hdl/formal`, a file each. A name is a place in the card (`card.lookup.exact`) or one
//!   of the blocks that `catalogue` makes smaller. Behind the text stand names for the parts of its signals ([`views`]).

mod catalogue;
mod views;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use writ_hdl::{pcie, top};

/// Blocks are values, and wide ones are large ones.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    let work = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run);
    let outcome = match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => Err(format!("no thread to work on: {error}")),
    };
    match outcome.and_then(|text| std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["card"] => top::emit_top().map(|emitted| emitted.verilog).map_err(|error| error.to_string()),
        ["pcie"] => pcie::emit_pcie_top().map(|emitted| emitted.verilog).map_err(|error| error.to_string()),
        ["blocks", folder] => blocks(Path::new(folder)),
        ["proofs", folder, ref names @ ..] => {
            for (name, text) in names.iter().zip(catalogue::proofs(names)?) {
                write(&Path::new(folder).join(format!("{name}.sv")), &text)?;
            }
            Ok(String::new())
        }
        _ => Err("usage: emit card | emit pcie | emit blocks DIR | emit proofs DIR NAME...".to_owned()),
    }
}

fn blocks(folder: &Path) -> Result<String, String> {
    let emitted = top::emit_top().map_err(|error| error.to_string())?;
    let mut lines = String::new();
    for block in emitted.blocks() {
        write(&folder.join(format!("{}.sv", block.name)), &block.verilog)?;
        lines.push_str(&format!("{}\t{}\t{}\n", block.name, block.instances, block.blake3));
    }
    Ok(lines)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
