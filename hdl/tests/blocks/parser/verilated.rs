//! The emitted parser alone as a program: one line of inputs a clock in, one line of outputs a clock out.

use super::{Answer, Input};
use rust_hdl::core::prelude::*;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use writ_hdl::parse::Parser;
use writ_hdl::parse::types::Parsed;

#[path = "../../differential/verilator.rs"]
mod verilator;

const MAIN: &str = r#"
#include "Vwrit_parser.h"
#include <cstdio>
#include <chrono>
double sc_time_stamp() { return 0; }
int main() {
    VerilatedContext context;
    Vwrit_parser parser{&context};
    unsigned char control[3];
    unsigned long clocks = 0;
    std::chrono::duration<double> inside{};
    while (std::fread(control, sizeof control, 1, stdin) == 1) {
        if (std::fread(parser.window.data(), sizeof parser.window, 1, stdin) != 1) return 1;
        auto begin = std::chrono::steady_clock::now();
        parser.reset = control[0];
        parser.valid = control[1];
        parser.port = control[2];
        parser.clock = 0;
        parser.eval();
        parser.clock = 1;
        parser.eval();
        inside += std::chrono::steady_clock::now() - begin;
        clocks += 1;
        unsigned char valid = parser.out_valid;
        std::fwrite(&valid, 1, 1, stdout);
        std::fwrite(parser.parsed.data(), sizeof parser.parsed, 1, stdout);
    }
    std::fprintf(stderr, "%.0f clocks/s\n", clocks / inside.count());
    return 0;
}
"#;

fn run(command: &mut Command) {
    let output = command.output().expect("command starts");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&text));
}

fn emitted() -> String {
    let work = || {
        let mut parser = Parser::default();
        parser.clock.connect();
        for input in [&mut parser.reset, &mut parser.valid, &mut parser.port] {
            input.connect();
        }
        parser.window.connect();
        parser.connect_all();
        writ_hdl::emit::emit(&parser, "writ_parser").expect("the parser can be emitted").verilog
    };
    // A parser as a value is large.
    std::thread::Builder::new().stack_size(256 << 20).spawn(work).expect("thread").join().expect("emits")
}

/// Builds the program, or takes the one that is there of the same text. Warnings of Verilator are errors.
fn build(root: &Path) -> PathBuf {
    let text = emitted();
    let hash = blake3::hash(format!("{text}{MAIN}{root:?}").as_bytes()).to_hex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parser-{}", &hash[..16]));
    let executable = folder.join("parser");
    if executable.exists() {
        return executable;
    }
    std::fs::create_dir_all(&folder).expect("folder");
    std::fs::write(folder.join("parser.sv"), text).expect("text");
    std::fs::write(folder.join("main.cpp"), MAIN).expect("text");
    run(Command::new(root.join("bin/verilator_bin"))
        .env("VERILATOR_ROOT", root)
        .args([
            "-Wall",
            "--cc",
            "-O3",
            "--top-module",
            "writ_parser",
            "--x-initial",
            "unique",
            "--Mdir",
            ".",
            "parser.sv",
        ])
        .current_dir(&folder));
    let entries = std::fs::read_dir(&folder).expect("folder").map(|entry| entry.expect("entry").path());
    let mut sources: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "cpp")).collect();
    sources.extend(["verilated.cpp", "verilated_threads.cpp"].map(|name| root.join("include").join(name)));
    run(Command::new("c++")
        .args(["-std=c++20", "-O1", "-pthread", "-o", "building", "-I."])
        .arg(format!("-I{}", root.join("include").display()))
        .arg(format!("-I{}", root.join("include/vltstd").display()))
        .args(sources)
        .current_dir(&folder));
    std::fs::rename(folder.join("building"), &executable).expect("rename");
    executable
}

/// The bits of one line of inputs: control bytes, and the window as the C++ model holds it.
fn line(input: &Input) -> Vec<u8> {
    let mut line = vec![u8::from(input.reset), u8::from(input.valid), u8::from(input.mark % 2 == 1)];
    line.extend_from_slice(&input.padded);
    // Length 8 bits, quality 2, stamp 64, start 12.
    let rest = input.window.len() as u128 | 1 << 8 | u128::from(input.mark) << 10 | u128::from(input.mark % 4096) << 74;
    line.extend_from_slice(&rest.to_le_bytes()[..12]);
    line
}

/// `parsed` as the C++ model holds it.
const PARSED_BYTES: usize = Parsed::BITS.div_ceil(32) * 4;

/// What the Verilated parser answers to each clock, in order; `false`: there is no Verilator.
pub(super) fn answers(inputs: impl Iterator<Item = Input> + Send, take: impl FnMut(Option<Answer>)) -> bool {
    // Tests run at the same time; one of them builds.
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(executable) = PROGRAM.get_or_init(|| verilator::root().map(|root| build(&root))) else { return false };
    let mut child =
        Command::new(executable).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the model starts");
    let mut to = BufWriter::new(child.stdin.take().expect("piped"));
    let from = BufReader::new(child.stdout.take().expect("piped"));
    std::thread::scope(move |scope| {
        scope.spawn(move || {
            for input in inputs {
                // The model has gone: a failed check closed its output, or it failed, which its exit status says.
                if to.write_all(&line(&input)).is_err() {
                    return;
                }
            }
        });
        // In here, so that a failed check closes the model's output before the writer is waited for.
        let (mut from, mut take) = (from, take);
        let mut answer = [0; 1 + PARSED_BYTES];
        while from.read_exact(&mut answer).is_ok() {
            take((answer[0] == 1).then(|| Answer::from_bytes(&answer[1..])));
        }
    });
    assert!(child.wait().expect("the model ends").success());
    true
}
