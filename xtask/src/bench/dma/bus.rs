//! Rows of the bus: what the Verilated card puts on RQ when it is always ready, what its command ring reads.

use std::fmt::Write as _;

use super::{Part, list};
use crate::bench::program::{Program, number, value};
use crate::bench::report::Row;
use crate::failure::Failure;
use crate::tools::Tools;

const EFFICIENCY: &str = "rq_efficiency";
const PAYLOAD: &str = "rq_payload_bytes_per_clock";
const RECORDS: &str = "rq_record_bytes_per_clock";
const BEATS: &str = "rq_beats_per_clock";
const PER_WRITE: &str = "rq_payload_bytes_per_write";
const LINK: &str = "link_payload_gbit_per_s";
const COMMANDS: &str = "command_ring_commands_per_s";
const READ_BYTES: &str = "command_ring_read_bytes_per_clock";
/// Share of the framing limit that the card should reach.
const EFFICIENCY_MIN: f64 = 0.95;
/// Gigabits a second of a byte a clock: 250 MHz.
const GBIT_PER_S: f64 = 8.0 * 0.25;

/// Options of the bus' rows.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Core clocks of each load on the bus
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1000..=100_000_000))]
    clocks: u32,
}

/// The measuring program of this part and of the latencies.
pub(super) const PROGRAM: Program =
    Program { report: "dma", package: "writ-testbench", bench: "bus", features: Some("rtl-pcie") };

pub(super) fn run(sizes: &[u16], options: &Options, tools: &Tools) -> Result<Part, Failure> {
    PROGRAM.build("building gateware behind TLPs, card and benchmark", Some(tools))?;
    let rows = PROGRAM.run(&["bus", &list(sizes), &options.clocks.to_string()], Some(tools))?;
    Ok(Part { table: render(&rows), misses: misses(&rows), rows })
}

/// Goals that are missed, each with what was found.
fn misses(rows: &[Row]) -> Vec<String> {
    let is_missed = |row: &&Row| row.name == EFFICIENCY && value(row) < EFFICIENCY_MIN;
    let miss = |row: &Row| {
        let (mps, frame) = (number(row, "max_payload_bytes"), number(row, "frame_bytes"));
        format!("MPS {mps}, {frame} bytes: {EFFICIENCY} {:.3}, not {EFFICIENCY_MIN}", value(row))
    };
    rows.iter().filter(is_missed).map(miss).collect()
}

/// One line for each maximum payload size and frame size, one for each batch of commands.
fn render(rows: &[Row]) -> String {
    let mut out = format!(
        "\n{:>5} {:>6} {:>10} {:>9} {:>10} {:>10} {:>9} {:>10} {:>10}\n",
        "MPS", "bytes", "B/clock", "of limit", "records", "beats", "B/write", "RQ Gb/s", "link Gb/s"
    );
    for key in rows.iter().filter(|row| row.name == EFFICIENCY) {
        let (mps, frame) = (number(key, "max_payload_bytes"), number(key, "frame_bytes"));
        let find = |name: &str, frame: u64| {
            let is_it = |row: &&Row| number(row, "max_payload_bytes") == mps && number(row, "frame_bytes") == frame;
            rows.iter().filter(is_it).find(|row| row.name == name).map_or(f64::NAN, value)
        };
        let payload = find(PAYLOAD, frame);
        let _ = writeln!(
            out,
            "{mps:>5} {frame:>6} {payload:>10.2} {:>7.1} % {:>10.2} {:>10.3} {:>9.1} {:>10.1} {:>10.1}",
            value(key) * 100.0,
            find(RECORDS, frame),
            find(BEATS, frame),
            find(PER_WRITE, frame),
            payload * GBIT_PER_S,
            // Of a link, whatever the frames are.
            find(LINK, 0),
        );
    }
    out.push('\n');
    for row in rows.iter().filter(|row| row.name == COMMANDS) {
        let (batch, latency) = (number(row, "batch_commands"), number(row, "read_latency_ns"));
        let is_it = |other: &&Row| {
            other.name == READ_BYTES
                && number(other, "batch_commands") == batch
                && number(other, "read_latency_ns") == latency
        };
        let _ = writeln!(
            out,
            "commands    {batch:>5} at a time, reads of {latency} ns: {:.2} M a second, {:.2} bytes a clock",
            value(row) / 1e6,
            rows.iter().find(is_it).map_or(f64::NAN, value),
        );
    }
    out.push_str(NOTES);
    out
}

const NOTES: &str = "
B/clock     payload on RQ in a clock of 250 MHz, index lines and interrupt messages included, with RQ ready in every clock, all frames of two
            loaded ports copied and more offered than it carries; beats: of the most, 1 a clock
of limit    against writes of MPS bytes alone, with straddle: 51.2, 56.9, 60.2 bytes a clock
records     the same without index lines and messages
link Gb/s   payload that a Gen3 x16 link carries at this MPS, about: below RQ's it is the link that decides
commands    read back over the bus, by card time, from the doorbell to the last completion seen; reads: what host and link add
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Report;

    fn rows(rows: &[(&str, &str, f64)]) -> Vec<Row> {
        let rows: Vec<String> = rows
            .iter()
            .map(|(name, params, value)| {
                format!(r#"{{"name":"{name}","params":{{{params}}},"value":{value:?},"unit":"x"}}"#)
            })
            .collect();
        let text = format!(r#"{{"bench":"dma","rows":[{}]}}"#, rows.join(","));
        Report::read("dma", text.as_bytes()).expect("a report").rows
    }

    const SMALL: &str = r#""max_payload_bytes":128,"frame_bytes":60"#;
    const LARGE: &str = r#""max_payload_bytes":512,"frame_bytes":60"#;

    #[test]
    fn the_goal_is_of_payload_against_framing() {
        assert_eq!(misses(&rows(&[(EFFICIENCY, SMALL, 0.95), (RECORDS, SMALL, 1.0)])), [""; 0]);
        let missed = misses(&rows(&[(EFFICIENCY, SMALL, 0.96), (EFFICIENCY, LARGE, 0.94)]));
        assert_eq!(missed, ["MPS 512, 60 bytes: rq_efficiency 0.940, not 0.95"]);
    }

    #[test]
    fn one_line_a_load_with_its_link() {
        let table = render(&rows(&[
            (EFFICIENCY, SMALL, 0.5),
            (PAYLOAD, SMALL, 25.6),
            (RECORDS, SMALL, 24.0),
            (BEATS, SMALL, 0.75),
            (PER_WRITE, SMALL, 96.0),
            (PAYLOAD, LARGE, 60.0),
            (LINK, r#""max_payload_bytes":128"#, 103.5),
        ]));
        let line = table.lines().nth(2).expect("a line");
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["128", "60", "25.60", "50.0", "%", "24.00", "0.750", "96.0", "51.2", "103.5"]);
    }

    #[test]
    fn commands_find_the_bytes_of_their_own_bus() {
        let (far, near) =
            (r#""batch_commands":32,"read_latency_ns":480"#, r#""batch_commands":32,"read_latency_ns":96"#);
        let all = [(COMMANDS, far, 1e6), (READ_BYTES, near, 2.0), (COMMANDS, near, 2e6), (READ_BYTES, far, 1.0)];
        let table = render(&rows(&all));
        assert!(table.contains("reads of 480 ns: 1.00 M a second, 1.00 bytes"), "{table}");
        assert!(table.contains("reads of 96 ns: 2.00 M a second, 2.00 bytes"), "{table}");
    }
}
