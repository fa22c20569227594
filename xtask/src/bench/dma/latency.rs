//! Rows of time: from a frame on the wire to its record in host memory, from the operator's command to an armed card.

use std::fmt::Write as _;

use serde_json::Value;

use writ_testbench::binaries::{CardFeature, build_command};

use super::Part;
use super::bus;
use crate::bench::program::{Program, number, value, word};
use crate::bench::report::Row;
use crate::failure::Failure;
use crate::run::quietly;
use crate::tools::Tools;
use crate::workspace;

const RECORD: &str = "record_latency_ns";
const ACTIVATION: &str = "activation_latency_ms";
const ROUND_TRIP: &str = "operator_round_trip_ms";
/// What is shown of a distribution, in this order.
const STATISTICS: [&str; 4] = ["min", "median", "p99", "max"];

/// Options of the latencies.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Records whose latency counts, of each load
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    frames: u32,
    /// Tasks that are activated one after the other
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    activations: u16,
}

pub(super) fn run(options: &Options, tools: &Tools) -> Result<Part, Failure> {
    let activation = Program { report: "dma", package: "writ-testbench", bench: "activation", features: None };
    bus::PROGRAM.build("building gateware behind TLPs, card and benchmark", Some(tools))?;
    activation.build("building the benchmark of activations", None)?;
    quietly("building the programs", &mut build_command(&workspace::cargo(), CardFeature::None))?;
    let mut rows = bus::PROGRAM.run(&["latency", &options.frames.to_string()], Some(tools))?;
    let programs = workspace::target().join("debug");
    let words = [&*programs.to_string_lossy(), &options.activations.to_string()];
    rows.extend(activation.run(&words, None)?);
    // What they depend on, host and disk, has no goal.
    Ok(Part { table: render(&rows), misses: Vec::new(), rows })
}

/// One line a distribution.
fn render(rows: &[Row]) -> String {
    let mut out = format!(
        "\n{:<30} {:>6} {:>9} {:>10} {:>10} {:>10} {:>10} {:>9}\n",
        "latency", "bytes", "matched", "min", "median", "p99", "max", "dropped"
    );
    // The first statistic of a distribution stands for it.
    for key in rows.iter().filter(|row| word(row, "statistic") == STATISTICS[0]) {
        let is_record = key.name == RECORD;
        let name = match key.name.as_str() {
            RECORD => format!("record, {}, ns", word(key, "load")),
            ACTIVATION | ROUND_TRIP => format!("{}, ms", word(key, "command")),
            _ => continue,
        };
        let (bytes, matched) = (shown(key, "frame_bytes"), shown(key, "matched_percent"));
        let _ = write!(out, "{name:<30} {bytes:>6} {:>9}", if is_record { matched + " %" } else { matched });
        for statistic in STATISTICS {
            let found = rows.iter().find(|row| is_same(row, key) && word(row, "statistic") == statistic);
            let digits = if is_record { 0 } else { 1 };
            let _ = write!(out, " {:>10.digits$}", found.map_or(f64::NAN, value));
        }
        if is_record {
            let (dropped, records) = (number(key, "dropped"), number(key, "frames"));
            let share = 100.0 * dropped as f64 / (dropped + records).max(1) as f64;
            let _ = write!(out, " {share:>7.1} %");
        }
        out.push('\n');
    }
    out.push_str(NOTES);
    out
}

/// Whether two rows are of one distribution.
fn is_same(one: &Row, other: &Row) -> bool {
    let is_same = |name: &str| one.params.get(name) == other.params.get(name);
    one.name == other.name && ["load", "frame_bytes", "matched_percent", "command"].into_iter().all(is_same)
}

/// A param as people read it; empty if there is none.
fn shown(row: &Row, name: &str) -> String {
    match row.params.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

const NOTES: &str = "
record      from the last beat of a frame to the clock in which the host's memory has its record and the index that covers it, by card time, to one
            clock of 3.1 ns; 160 ns of it are the link; line rate: both ports, frames of the Internet mix; dropped: of the matched frames, because
            more was offered than the link carries
writ ...    by the clock on the wall, from the start of the process to its end; `task activate` answers when the card has confirmed every row (armed),
            with `writd`, its disk and the golden model behind it; `status` is what process and socket alone take
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Report;

    #[test]
    fn one_line_a_distribution() {
        let row = |name: &str, params: &str, statistic: &str, value: u32| {
            format!(r#"{{"name":"{name}","params":{{{params},"statistic":"{statistic}"}},"value":{value},"unit":"x"}}"#)
        };
        let idle = r#""load":"idle","frame_bytes":60,"matched_percent":100,"frames":75,"dropped":25"#;
        let mix = r#""load":"line rate","frame_bytes":"imix","matched_percent":10,"frames":10,"dropped":0"#;
        let command = r#""command":"writ status""#;
        let mut all = Vec::new();
        for (at, statistic) in (0..).zip(STATISTICS) {
            all.push(row(RECORD, idle, statistic, 100 + at));
            all.push(row(RECORD, mix, statistic, 200 + at));
            all.push(row(ROUND_TRIP, command, statistic, 5 + at));
        }
        let text = format!(r#"{{"bench":"dma","rows":[{}]}}"#, all.join(","));
        let table = render(&Report::read("dma", text.as_bytes()).expect("a report").rows);
        let lines: Vec<Vec<&str>> = table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        let idle = ["record,", "idle,", "ns", "60", "100", "%", "100", "101", "102", "103", "25.0", "%"];
        assert_eq!(lines[0], idle);
        assert_eq!(lines[1][4..7], ["imix", "10", "%"]);
        assert_eq!(lines[2], ["writ", "status,", "ms", "5.0", "6.0", "7.0", "8.0"]);
    }
}
