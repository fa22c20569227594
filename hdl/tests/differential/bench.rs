//! Builds many emitted designs into one Verilator model and runs it against their references.

use num_bigint::BigUint;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use writ_hdl::emit::{Direction, Emitted, Port};

/// A small reproducible random source (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.word() >> 11) as usize % bound
    }

    pub(crate) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A value of `width` bits, often one at an edge of the range.
    pub(crate) fn value(&mut self, width: usize) -> BigUint {
        let all = (BigUint::from(1_u8) << width) - 1_u8;
        match self.below(10) {
            0 => BigUint::ZERO,
            1 => all,
            2 => BigUint::from(1_u8) << self.below(width),
            3 => &all ^ (BigUint::from(1_u8) << self.below(width)),
            4 => BigUint::from(self.below(8)) & all,
            _ => {
                let words = (0..width.div_ceil(32)).map(|_| (self.word() >> 16) as u32).collect();
                BigUint::new(words) & all
            }
        }
    }
}

/// What a design has to do: RustHDL's simulator, or an interpreter made of its operations.
pub(crate) trait Reference {
    /// Sets the data inputs, in the order of the design's ports, while the clock is low, and gives the outputs.
    fn low(&mut self, inputs: &[BigUint]) -> Vec<BigUint>;
    /// Raises clocks and gives the outputs.
    fn high(&mut self, edges: Edges) -> Vec<BigUint>;
}

/// Which of the two clocks rise. A design's first clock is the first one.
pub(crate) type Edges = [bool; 2];

/// Chooses the value of an input port.
pub(crate) type Stimulus = fn(&mut Random, &Port) -> BigUint;

/// A design and its reference.
pub(crate) struct Case {
    pub emitted: Emitted,
    pub reference: Box<dyn Reference>,
    pub stimulus: Stimulus,
    /// Inputs of the first clocks, before random ones.
    pub directed: Vec<Vec<BigUint>>,
    /// What a failure shows besides the Verilog.
    pub description: String,
}

impl Case {
    fn ports(&self, direction: Direction) -> impl Iterator<Item = &Port> {
        self.emitted.ports.iter().filter(move |port| port.direction == direction && !port.is_clock)
    }
}

/// Any value, edges preferred; a port called `reset` is rarely high.
pub(crate) fn any(random: &mut Random, port: &Port) -> BigUint {
    if port.name == "reset" { u8::from(random.one_in(60)).into() } else { random.value(port.width) }
}

fn run(command: &mut Command) {
    let output = command.output().expect("command starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn total(cases: &[Case], direction: Direction) -> usize {
    cases.iter().flat_map(|case| case.ports(direction)).map(|port| port.width).sum()
}

/// All designs side by side: their inputs in one vector, their outputs in another.
fn bench_module(cases: &[Case]) -> String {
    let inputs = total(cases, Direction::Input);
    let outputs = total(cases, Direction::Output);
    // At least 65 bits, so that both are arrays in the C++.
    let mut text = format!(
        "\nmodule bench (input logic clock, input logic clock_2, input logic [{}:0] stimulus, output logic [{}:0] response);\n",
        inputs + 64,
        outputs + 64
    );
    let mut input = 0;
    // Every output has a signal of its own: parts of `response` that designs share make Verilator see loops in it.
    let mut parts = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let mut connections = Vec::new();
        let mut clocks = ["clock", "clock_2"].into_iter();
        for port in &case.emitted.ports {
            let name = &port.name;
            if port.is_clock {
                let clock = clocks.next().expect("at most two clocks");
                connections.push(format!(".{name}({clock})"));
            } else if port.direction == Direction::Input {
                connections.push(format!(".{name}(stimulus[{}:{input}])", input + port.width - 1));
                input += port.width;
            } else {
                let wire = format!("case_{index}_{name}");
                let _ = writeln!(text, "    logic [{}:0] {wire};", port.width - 1);
                connections.push(format!(".{name}({wire})"));
                parts.push(wire);
            }
        }
        let _ = writeln!(text, "    {} case_{index} ({});", case.emitted.top, connections.join(", "));
    }
    parts.reverse();
    let _ = writeln!(text, "    assign response = {{65'h0, {}}};", parts.join(", "));
    let _ = writeln!(text, "    wire unused = &{{1'b0, clock, clock_2, stimulus[{}:{input}]}};", input + 64);
    text.push_str("endmodule\n");
    text
}

const MAIN: &str = r#"
#include "Vbench.h"
#include <cstdio>
double sc_time_stamp() { return 0; }
int main() {
    VerilatedContext context;
    Vbench bench{&context};
    for (;;) {
        bench.clock = 0;
        bench.clock_2 = 0;
        if (std::fread(bench.stimulus.data(), sizeof bench.stimulus, 1, stdin) != 1) return 0;
        const int edges = std::getchar();
        for (int level = 0; level < 2; ++level) {
            bench.clock = level & edges;
            bench.clock_2 = level & edges >> 1;
            bench.eval();
            std::fwrite(bench.response.data(), sizeof bench.response, 1, stdout);
        }
    }
}
"#;

/// Comparisons that the values of the random designs decide, once Verilator has propagated constants, are no fault of the text.
const WAIVERS: [&str; 2] = ["-Wno-UNSIGNED", "-Wno-CMPCONST"];

fn verilate(root: &Path, folder: &Path, into: &str, flags: &[&str]) {
    run(Command::new(root.join("bin/verilator_bin"))
        .env("VERILATOR_ROOT", root)
        .arg("-Wall")
        .args(WAIVERS)
        .args(flags)
        .args(["--cc", "--top-module", "bench", "--x-initial", "unique", "--Mdir", into, "bench.sv"])
        .current_dir(folder));
}

/// Builds the model, or takes the one that is there of the same text. Warnings of Verilator are errors.
fn build(root: &Path, cases: &[Case]) -> PathBuf {
    let mut text = String::new();
    for case in cases {
        text.push_str(&case.emitted.verilog);
    }
    text.push_str(&bench_module(cases));
    let hash = blake3::hash(format!("{text}{MAIN}{root:?}").as_bytes()).to_hex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{}", &hash[..16]));
    let executable = folder.join("bench");
    if executable.exists() {
        return executable;
    }
    std::fs::create_dir_all(&folder).expect("folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("file");
    write("bench.sv", &text);
    write("main.cpp", MAIN);
    // Circular logic is looked for in the text as it is; Verilator's own rewriting (dfg) takes parts of `response` for equal
    // signals, which makes circles that are not there.
    verilate(root, &folder, "strict", &["-fno-dfg"]);
    verilate(root, &folder, ".", &["-Wno-UNOPTFLAT"]);
    let entries = std::fs::read_dir(&folder).expect("folder");
    let mut sources: Vec<PathBuf> = entries
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "cpp"))
        .collect();
    sources.extend(["verilated.cpp", "verilated_threads.cpp"].map(|name| root.join("include").join(name)));
    run(Command::new("c++")
        .args(["-std=c++20", "-O0", "-pthread", "-o", "building", "-I."])
        .arg(format!("-I{}", root.join("include").display()))
        .arg(format!("-I{}", root.join("include/vltstd").display()))
        .args(sources)
        .current_dir(&folder));
    std::fs::rename(folder.join("building"), &executable).expect("rename");
    executable
}

fn slice(bytes: &[u8], offset: usize, width: usize) -> BigUint {
    let from = offset / 8;
    let until = (offset + width).div_ceil(8);
    let shifted = BigUint::from_bytes_le(&bytes[from..until]) >> (offset % 8);
    shifted & ((BigUint::from(1_u8) << width) - 1_u8)
}

fn bytes_of(bits: usize) -> usize {
    (bits + 65).div_ceil(32) * 4
}

fn put(bytes: &mut [u8], offset: usize, value: &BigUint) {
    for bit in 0..value.bits() {
        if value.bit(bit) {
            let at = offset + bit as usize;
            bytes[at / 8] |= 1 << (at % 8);
        }
    }
}

/// Runs all cases for `clocks` clocks and compares every output before and after each rising edge. `edges` says which clocks rise.
pub(crate) fn compare(mut cases: Vec<Case>, clocks: usize, seed: u64, edges: fn(&mut Random) -> Edges) {
    let Some(root) = crate::verilator::root() else { return };
    let executable = build(&root, &cases);
    let mut random = Random::new(seed);
    let mut stimuli: Vec<(Vec<Vec<BigUint>>, Edges)> = Vec::new();
    let mut file = Vec::new();
    for clock in 0..clocks {
        let mut vector = vec![0; bytes_of(total(&cases, Direction::Input))];
        let mut offset = 0;
        let mut of_clock = Vec::new();
        for case in &cases {
            let mut of_case = Vec::new();
            for (position, port) in case.ports(Direction::Input).enumerate() {
                let value = match case.directed.get(clock) {
                    Some(inputs) => inputs[position].clone(),
                    None => (case.stimulus)(&mut random, port),
                };
                put(&mut vector, offset, &value);
                offset += port.width;
                of_case.push(value);
            }
            of_clock.push(of_case);
        }
        let edges = edges(&mut random);
        stimuli.push((of_clock, edges));
        file.extend(vector);
        file.push(u8::from(edges[0]) | u8::from(edges[1]) << 1);
    }
    let folder = executable.parent().expect("folder");
    let (input, output) = (folder.join(format!("in-{seed}")), folder.join(format!("out-{seed}")));
    std::fs::write(&input, file).expect("stimuli");
    let status = Command::new(&executable)
        .stdin(std::fs::File::open(&input).expect("stimuli"))
        .stdout(std::fs::File::create(&output).expect("responses"))
        .status();
    assert!(status.expect("model starts").success());
    let responses = std::fs::read(&output).expect("responses");
    let size = bytes_of(total(&cases, Direction::Output));
    assert_eq!(responses.len(), 2 * clocks * size, "the model answers every vector");
    for (clock, (of_clock, edges)) in stimuli.iter().enumerate() {
        let halves = [&responses[2 * clock * size..], &responses[(2 * clock + 1) * size..]];
        let mut offset = 0;
        for (case, inputs) in cases.iter_mut().zip(of_clock) {
            let widths: Vec<usize> = case.ports(Direction::Output).map(|port| port.width).collect();
            let low = case.reference.low(inputs);
            let expected = [low, case.reference.high(*edges)];
            for (position, width) in widths.into_iter().enumerate() {
                for half in 0..2 {
                    let got = slice(halves[half], offset, width);
                    assert_eq!(
                        expected[half][position],
                        got,
                        "{}: output {position}, clock {clock} {}: reference (left) and Verilator differ\ninputs {inputs:x?}\n{}\n{}",
                        case.emitted.top,
                        ["low", "high"][half],
                        case.description,
                        case.emitted.verilog
                    );
                }
                offset += width;
            }
        }
    }
}
