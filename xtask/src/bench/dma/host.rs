//! Rows of the host: the driver's record ring, filled and then emptied by one core; its command ring, with the golden model at the other end.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Part, list};
use crate::bench::program::{Program, number, value};
use crate::bench::report::Row;
use crate::failure::Failure;

const RECORDS: &str = "ring_consumer_records_per_s";
const BYTES: &str = "ring_consumer_bytes_per_s";
const COMMANDS: &str = "command_ring_commands_per_s";
const MEMCPY: &str = "memcpy_bytes_per_s";
/// A frame of 64 bytes with its FCS, and the records of it that one core should take with every check.
const SMALL_FRAME_BYTES: u64 = 60;
const RECORDS_PER_S: f64 = 20e6;
/// From this size on one core should take so many bytes.
const LARGE_FRAME_BYTES: u64 = 1518;
const BYTES_PER_S: f64 = 8e9;
/// Rings are whole lines of 64 bytes.
const LINES_PER_MIB: u32 = 1 << 14;

/// Options of the host's rows.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Sizes of the ring in MiB, powers of two; 16 is what `writd` takes, 256 is more than a cache holds
    #[arg(long = "ring", value_name = "MIB", value_delimiter = ',', default_values_t = [16, 256], value_parser = ring_mib)]
    rings: Vec<u32>,
    /// Times that each ring is filled and emptied; the median counts
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
}

fn ring_mib(text: &str) -> Result<u32, String> {
    let mib: u32 = text.parse().map_err(|error| format!("{error}"))?;
    if mib.is_power_of_two() && mib <= 1024 {
        Ok(mib)
    } else {
        Err("a power of two from 1 to 1024 is wanted".to_owned())
    }
}

/// Builds and runs the two measuring programs: the record ring's, which knows no card, and the command ring's, which needs one.
pub(super) fn run(sizes: &[u16], options: &Options) -> Result<Part, Failure> {
    let record_ring = Program { report: "dma", package: "writ-driver", bench: "record_ring", features: None };
    let command_ring = Program { report: "dma", package: "writ-sim", bench: "command_ring", features: None };
    for program in [&record_ring, &command_ring] {
        program.build("building driver, card and benchmarks", None)?;
    }
    let rings: Vec<u32> = options.rings.iter().map(|mib| mib * LINES_PER_MIB).collect();
    let rounds = options.rounds.to_string();
    let mut rows = record_ring.run(&[&list(sizes), &list(&rings), &rounds], None)?;
    rows.extend(command_ring.run(&[&rounds], None)?);
    Ok(Part { table: render(&rows), misses: misses(&rows), rows })
}

fn is_checked(row: &Row) -> bool {
    row.params.get("payload_crc").and_then(Value::as_bool).unwrap_or_default()
}

/// Goals that are missed, each with what was found. They hold for records with every check.
fn misses(rows: &[Row]) -> Vec<String> {
    let miss = |row: &Row| {
        let goal = match (row.name.as_str(), number(row, "frame_bytes")) {
            (RECORDS, SMALL_FRAME_BYTES) => RECORDS_PER_S,
            (BYTES, LARGE_FRAME_BYTES..) => BYTES_PER_S,
            _ => return None,
        };
        let (frame, ring) = (number(row, "frame_bytes"), number(row, "ring_bytes") >> 20);
        (is_checked(row) && value(row) < goal)
            .then(|| format!("{frame} bytes, ring of {ring} MiB: {} {:.3e}, not {goal:.0e}", row.name, value(row)))
    };
    rows.iter().filter_map(miss).collect()
}

/// One line for each frame size and ring.
fn render(rows: &[Row]) -> String {
    let mut out = format!(
        "{:>6} {:>9} {:>14} {:>9} {:>14} {:>9} {:>9} {:>9}\n",
        "bytes", "ring MiB", "M records/s", "GB/s", "no CRC: M/s", "GB/s", "memcpy", "to block"
    );
    for key in rows.iter().filter(|row| row.name == RECORDS && is_checked(row)) {
        let (frame, ring) = (number(key, "frame_bytes"), number(key, "ring_bytes"));
        let same = |row: &&Row| number(row, "frame_bytes") == frame && number(row, "ring_bytes") == ring;
        let find = |name: &str, wanted: &dyn Fn(&Row) -> bool| {
            rows.iter().filter(same).find(|row| row.name == name && wanted(row)).map_or(f64::NAN, value)
        };
        let consumer = |name, checked| find(name, &|row| is_checked(row) == checked);
        let memcpy = |is_ring| find(MEMCPY, &|row| (number(row, "into_bytes") == ring) == is_ring) / 1e9;
        let _ = writeln!(
            out,
            "{frame:>6} {:>9} {:>14.1} {:>9.2} {:>14.1} {:>9.2} {:>9.2} {:>9.2}",
            ring >> 20,
            consumer(RECORDS, true) / 1e6,
            consumer(BYTES, true) / 1e9,
            consumer(RECORDS, false) / 1e6,
            consumer(BYTES, false) / 1e9,
            memcpy(true),
            memcpy(false),
        );
    }
    out.push('\n');
    for row in rows.iter().filter(|row| row.name == COMMANDS) {
        let _ = writeln!(
            out,
            "commands    {:>5} at a time: {:.3} M a second through the command ring of the golden model",
            number(row, "batch_commands"),
            value(row) / 1e6
        );
    }
    out.push_str(NOTES);
    out
}

const NOTES: &str = "
bytes       of a frame, without FCS; GB/s count whole records: header, payload, padding
records/s   `RecordRing::poll` on a ring that was filled before, by processor time of one core, median of the rounds
no CRC      the payload is handed out and not read: its GB/s are bytes that are given back, not bytes that are looked at
commands    by the clock on the wall: two threads, and a wake-up of each a batch
memcpy      of as many bytes into a second ring, GB/s; `to block`: into a block of 256 KiB that is used again and again
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Report;

    fn row(name: &str, frame: u64, crc: bool, value: f64) -> String {
        format!(
            r#"{{"name":"{name}","params":{{"frame_bytes":{frame},"payload_crc":{crc},"ring_bytes":16777216}},"value":{value},"unit":"x"}}"#
        )
    }

    fn rows(rows: &[String]) -> Vec<Row> {
        let text = format!(r#"{{"bench":"dma","rows":[{}]}}"#, rows.join(","));
        Report::read("dma", text.as_bytes()).expect("a report").rows
    }

    #[test]
    fn goals_are_of_checked_records() {
        let good = [row(RECORDS, 60, true, 20e6), row(RECORDS, 60, false, 1.0), row(BYTES, 60, true, 1.0)];
        assert_eq!(misses(&rows(&good)), [""; 0]);
        let bad = [row(RECORDS, 60, true, 19e6), row(BYTES, 1518, true, 7e9), row(BYTES, 9600, true, 7e9)];
        let missed = misses(&rows(&bad));
        assert_eq!(missed.len(), 3);
        assert!(missed[0].contains("60 bytes, ring of 16 MiB"), "{}", missed[0]);
    }

    #[test]
    fn one_line_a_size() {
        let all = [row(RECORDS, 60, true, 2e6), row(RECORDS, 60, false, 3e6), row(BYTES, 60, true, 4e9)];
        let table = render(&rows(&all));
        let line = table.lines().nth(1).expect("a line");
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[..5], ["60", "16", "2.0", "4.00", "3.0"]);
    }

    #[test]
    fn rings_are_powers_of_two() {
        assert_eq!(ring_mib("16"), Ok(16));
        assert!(["0", "3", "2048", "x"].iter().all(|text| ring_mib(text).is_err()));
    }
}
