//! Rows of the whole daemon: packets a second of processor time.

use std::fmt::Write as _;

use writ_testbench::binaries::{CardFeature, build_command};
use writ_testbench::traffic::load::FrameSizes;

use super::{Part, REPORT};
use crate::bench::program::{Program, number, value, word};
use crate::bench::report::Row;
use crate::failure::Failure;
use crate::run::quietly;
use crate::workspace;

const PROGRAM: Program = Program { report: REPORT, package: "writ-testbench", bench: "handover", features: None };

const ENCODE: &str = "encode_packets_per_cpu_s";
const CHAIN: &str = "chain_packets_per_cpu_s";
const CHAIN_TLS: &str = "chain_tls_packets_per_cpu_s";
/// Goals for content: name, frame bytes, packets a second of processor time.
const GOALS: [(&str, u64, f64); 5] =
    [(ENCODE, 60, 8e6), (ENCODE, 508, 3e6), (CHAIN_TLS, 60, 3.3e6), (CHAIN_TLS, 508, 1.5e6), (CHAIN_TLS, 1500, 0.5e6)];

/// Options of the chain.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Frame sizes in bytes without FCS, and `imix`
    #[arg(long = "size", value_name = "BYTES|imix", value_delimiter = ',', default_values = ["60", "508", "1500", "imix"])]
    sizes: Vec<FrameSizes>,
    /// Tasks in force, on each of which falls the same share of the packets
    #[arg(long, value_name = "TASKS", value_delimiter = ',', default_values_t = [1, 1000],
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    tasks: Vec<u16>,
    /// Ways: hi3 and x3 carry content, hi2 and x2 headers through the journal; with `-plain` behind it without TLS
    #[arg(long = "way", value_name = "WAY", value_delimiter = ',', default_values = ["x3", "x3-plain", "hi3", "hi3-plain", "x2", "hi2"],
        value_parser = ["x2", "x3", "hi2", "hi3", "x2-plain", "x3-plain", "hi2-plain", "hi3-plain"])]
    ways: Vec<String>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=3600))]
    seconds: u16,
}

pub(super) fn run(options: &Options) -> Result<Part, Failure> {
    quietly("building the programs", &mut build_command(&workspace::cargo(), CardFeature::None))?;
    PROGRAM.build("building the benchmark", None)?;
    let programs = workspace::target().join("debug");
    let words = [
        &*programs.to_string_lossy(),
        &options.seconds.to_string(),
        &list(&options.tasks),
        &list(&options.sizes),
        &options.ways.join(","),
    ];
    let rows = PROGRAM.run(&words, None)?;
    Ok(Part { table: render(&rows), misses: misses(&rows), failures: Vec::new(), rows })
}

fn list<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(T::to_string).collect();
    values.join(",")
}

fn way(row: &Row) -> (String, bool) {
    let is_tls = row.params.get("tls").and_then(serde_json::Value::as_bool).unwrap_or_default();
    (word(row, "interface").to_owned(), is_tls)
}

fn bytes(row: &Row) -> String {
    row.params.get("bytes").map(|bytes| bytes.to_string().trim_matches('"').to_owned()).unwrap_or_default()
}

/// Goals that are missed, each with what was found.
fn misses(rows: &[Row]) -> Vec<String> {
    let miss = |row: &Row| {
        let (interface, _) = way(row);
        let goal = GOALS.iter().find(|(name, bytes, _)| row.name == *name && number(row, "bytes") == *bytes)?;
        let is_content = interface.ends_with('3');
        (is_content && value(row) < goal.2).then(|| {
            let tasks = number(row, "tasks");
            format!("{interface}, {} bytes, {tasks} tasks: {} {:.2e}, not {:.1e}", goal.1, row.name, value(row), goal.2)
        })
    };
    rows.iter().filter_map(miss).collect()
}

/// One line a case.
fn render(rows: &[Row]) -> String {
    let mut out = format!(
        "{:<4} {:>4} {:>6} {:>6} {:>11} {:>11} {:>11} {:>9} {:>9} {:>9} {:>6} {:>9} {:>8}\n",
        "way",
        "TLS",
        "bytes",
        "tasks",
        "encode M/s",
        "deliver M/s",
        "chain M/s",
        "Gb/s",
        "wall M/s",
        "wall Gb/s",
        "CPUs",
        "PDU bytes",
        "RSS MiB"
    );
    for key in rows.iter().filter(|row| row.name == ENCODE) {
        let find =
            |name: &str| rows.iter().find(|row| row.name == name && row.params == key.params).map_or(f64::NAN, value);
        let (interface, is_tls) = way(key);
        let chain = if is_tls { CHAIN_TLS } else { CHAIN };
        let _ = writeln!(
            out,
            "{interface:<4} {:>4} {:>6} {:>6} {:>11.2} {:>11.2} {:>11.2} {:>9.2} {:>9.2} {:>9.2} {:>6.2} {:>9.0} {:>8.0}",
            if is_tls { "1.3" } else { "-" },
            bytes(key),
            number(key, "tasks"),
            value(key) / 1e6,
            find("deliver_packets_per_cpu_s") / 1e6,
            find(chain) / 1e6,
            find("chain_gbit_per_cpu_s"),
            find("chain_packets_per_wall_s") / 1e6,
            find("chain_gbit_per_wall_s"),
            find("cpus"),
            find("pdu_bytes"),
            find("resident_bytes") / f64::from(1 << 20),
        );
    }
    out.push_str(NOTES);
    out
}

const NOTES: &str = "
way         what the packets go through: x3 and hi3 content, x2 and hi2 headers, which are journalled and synced before they are sent
encode      M packets a second of processor time of `writd`'s ring thread: record checked and read in place, shared out, encoded into the arena
deliver     the same of all its other threads: journal, TLS, sockets, confirmations, control; with what loopback does in their place
chain       the same of the whole process; Gb/s: of frames, without FCS
wall        by the clock, with card and receivers on the same processors
bytes       of a frame, without FCS; the records are made at memory speed and every packet arrives
RSS         resident memory of `writd`: arena of 128 MiB and rings of 16 MiB are in it once they were touched
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Report;

    fn rows() -> Vec<Row> {
        let row = |name: &str, bytes: &str, value: f64| {
            format!(
                r#"{{"name":"{name}","params":{{"interface":"x3","tls":true,"bytes":{bytes},"tasks":7}},"value":{value},"unit":"x"}}"#
            )
        };
        let all = [
            row(ENCODE, "60", 7.9e6),
            row(CHAIN_TLS, "60", 3.4e6),
            row(ENCODE, "508", 3.1e6),
            row(CHAIN_TLS, "508", 1.4e6),
            row(ENCODE, r#""imix""#, 1.0),
            row(CHAIN_TLS, r#""imix""#, 2e6),
        ];
        let text = format!(r#"{{"bench":"handover","rows":[{}]}}"#, all.join(","));
        Report::read("handover", text.as_bytes()).expect("a report").rows
    }

    #[test]
    fn goals_are_those_of_their_size() {
        let misses = misses(&rows());
        assert_eq!(misses.len(), 2, "{misses:?}");
        assert!(misses[0].contains("60 bytes") && misses[0].contains(ENCODE), "{misses:?}");
        assert!(misses[1].contains("508 bytes") && misses[1].contains(CHAIN_TLS), "{misses:?}");
    }

    #[test]
    fn one_line_a_case() {
        let table = render(&rows());
        let lines: Vec<Vec<&str>> =
            table.lines().skip(1).take(3).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..5], ["x3", "1.3", "60", "7", "7.90"]);
        assert_eq!((lines[1][6], lines[2][2]), ("1.40", "imix"));
    }
}
