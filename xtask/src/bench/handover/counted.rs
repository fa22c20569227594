//! Rows of the encoder alone, by Valgrind's count: instructions and allocations for each packet.
//!
//! Where Valgrind is not installed nothing is measured, and that is said.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Map, Number, Value, json};

use super::{Part, REPORT};
use crate::bench::program::Program;
use crate::bench::report::Row;
use crate::failure::Failure;
use crate::run::shown;
use crate::tools::on_path;

const PROGRAM: Program = Program { report: REPORT, package: "writ-daemon", bench: "encode", features: None };
/// The function whose instructions count, as Valgrind knows it.
const MEASURED: &str = "encode::drain";
/// Packets of the smallest frames that fill the program's ring once: it goes by whole rings.
const RING_PACKETS: u64 = 32_768;
/// Interface, frame bytes, most instructions for a packet. Some 5 % over what was found when it was written; whoever makes it dearer says why.
const BUDGETS: [(&str, u64, f64); 6] = [
    ("hi3", 60, 2490.0),
    ("hi3", 1500, 3410.0),
    ("x3", 60, 2450.0),
    ("x3", 1500, 3370.0),
    ("hi2", 60, 2450.0),
    ("x2", 60, 2600.0),
];

pub(super) fn run() -> Result<Option<Part>, Failure> {
    if !on_path("valgrind") {
        eprintln!(
            "skipped: valgrind is not installed; no instruction was counted\n  On Debian or Ubuntu, as root: apt-get install -y valgrind"
        );
        return Ok(None);
    }
    PROGRAM.build("building the benchmark of the encoder", None)?;
    let program = PROGRAM.executable()?;
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let mut table = format!(
        "{:<4} {:>6} {:>20} {:>8} {:>19}\n",
        "way", "bytes", "instructions/packet", "budget", "allocations/packet"
    );
    for (interface, bytes, budget) in BUDGETS {
        let counts = Counts::of(&program, interface, bytes)?;
        let _ = writeln!(
            table,
            "{interface:<4} {bytes:>6} {:>20.0} {budget:>8.0} {:>19.3}",
            counts.instructions, counts.allocations
        );
        if counts.instructions > budget {
            failures.push(format!(
                "{interface}, {bytes} bytes: {:.0} instructions for a packet, not {budget:.0}",
                counts.instructions
            ));
        }
        if counts.allocations > 0.0 {
            failures
                .push(format!("{interface}, {bytes} bytes: {} allocations for a packet, not 0", counts.allocations));
        }
        rows.push(row("encode_instructions_per_packet", interface, bytes, counts.instructions, "instructions"));
        rows.push(row("encode_allocations_per_packet", interface, bytes, counts.allocations, "allocations"));
    }
    table.push_str("\ninstructions and allocations from the record in the ring to the PDU in the arena, in the build that tests and demo use: with every check\n\n");
    Ok(Some(Part { rows, table, misses: Vec::new(), failures }))
}

fn row(name: &str, interface: &str, bytes: u64, value: f64, unit: &str) -> Row {
    let params = [("interface", json!(interface)), ("bytes", json!(bytes)), ("tasks", json!(1))];
    Row {
        name: name.to_owned(),
        params: params.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
        value: Number::from_f64((value * 1e3).round() / 1e3).unwrap_or_else(|| 0.into()),
        unit: unit.to_owned(),
    }
}

/// For one packet.
struct Counts {
    instructions: f64,
    allocations: f64,
}

impl Counts {
    /// What a ring more costs: what comes before the first packet is in neither.
    fn of(program: &str, interface: &str, bytes: u64) -> Result<Self, Failure> {
        // Records of bigger frames take more lines of the ring: a header and the frame, in lines of 64 bytes.
        let lines = 1 + bytes.div_ceil(64);
        let packets = RING_PACKETS * 2 / lines;
        let less = |tool: &[&str], mark| count(tool, program, interface, bytes, packets, mark);
        let more = |tool: &[&str], mark| count(tool, program, interface, bytes, 3 * packets, mark);
        let per_packet = |less: u64, more: u64| more.saturating_sub(less) as f64 / (2 * packets) as f64;
        let collect = format!("--toggle-collect={MEASURED}");
        let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null", &collect];
        let memcheck = ["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"];
        let (instructions, allocations) = ("Collected :", "total heap usage:");
        Ok(Self {
            instructions: per_packet(less(&callgrind, instructions)?, more(&callgrind, instructions)?),
            allocations: per_packet(less(&memcheck, allocations)?, more(&memcheck, allocations)?),
        })
    }
}

/// Runs the program under Valgrind; gives the number behind a mark of its report.
fn count(tool: &[&str], program: &str, interface: &str, bytes: u64, packets: u64, mark: &str) -> Result<u64, Failure> {
    let mut command = Command::new("valgrind");
    command.args(tool).arg(program).args([interface, &bytes.to_string(), &packets.to_string()]);
    let output = command.stdin(Stdio::null()).output().map_err(Failure::while_doing(shown(&command)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let found = number_behind(&said, mark).filter(|_| output.status.success());
    found.ok_or_else(|| Failure::new(format!("no count: {}\n  command: {}\n{said}", output.status, shown(&command))))
}

fn number_behind(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    rest.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_behind_their_mark() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 764290529\n";
        let memcheck = "==7==   total heap usage: 1,234 allocs, 1,230 frees, 9 bytes allocated\n";
        assert_eq!(number_behind(callgrind, "Collected :"), Some(764_290_529));
        assert_eq!(number_behind(memcheck, "total heap usage:"), Some(1234));
        assert_eq!(number_behind("error: x\n", "Collected :"), None);
    }
}
