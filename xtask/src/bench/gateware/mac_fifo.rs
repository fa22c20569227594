//! The FIFO in front of a transmitting MAC, which is not part of the simulated top: its own test measures it.
//!
//! That test puts the block between models of two lines at the limits of their clocks, 200 ppm apart, with alignment markers and jitter, and plays
//! frames of 64 to 9600 bytes through it. What matches, and what the tables do, does not reach that FIFO, so that one number holds for every load.

use std::process::{Command, Stdio};

use serde_json::Number;

use crate::bench::report::{Report, Row};
use crate::failure::Failure;
use crate::run::{quietly, shown};
use crate::workspace;

/// Name of the row.
pub(super) const NAME: &str = "mac_fifo_latency_clocks_max";
const TEST: &str = "mac_fifo::within_the_limits_the_transmitter_never_waits_and_nothing_is_lost";

/// Runs the block's test. Gives the most clocks that a beat was inside.
///
/// # Errors
/// If the test fails, or does not say what it has found.
pub(super) fn measure() -> Result<u64, Failure> {
    let mut build = cargo_test();
    build.arg("--no-run");
    quietly("building the MAC-side FIFO's test", &mut build)?;
    let mut test = cargo_test();
    test.args(["--quiet", "--", "--exact", TEST, "--nocapture"]).stdin(Stdio::null());
    let output = test.output().map_err(Failure::while_doing(shown(&test)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("the MAC-side FIFO's test fails\n  command: {}\n{text}{said}", shown(&test))));
    }
    read(&text).ok_or_else(|| {
        Failure::new(format!("the MAC-side FIFO's test does not say its latency\n  command: {}\n{text}", shown(&test)))
    })
}

/// Adds the row to every load of a report.
pub(super) fn add(report: &mut Report, clocks: u64) {
    let mut rows: Vec<Row> = Vec::new();
    for row in report.rows.iter().filter(|row| row.name == "wire_latency_clocks_max") {
        rows.push(Row {
            name: NAME.to_owned(),
            params: row.params.clone(),
            value: Number::from(clocks),
            unit: "clocks".to_owned(),
        });
    }
    report.rows.extend(rows);
}

/// Finds `latency 2 to 31 clocks`.
fn read(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("latency ")?;
    let mut words = rest.split_whitespace();
    let [_, to, most, clocks] = [words.next()?, words.next()?, words.next()?, words.next()?];
    (to == "to" && clocks.starts_with("clocks")).then(|| most.parse().ok())?
}

fn cargo_test() -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(workspace::root()).args(["test", "--package", "writ-hdl", "--test", "clocks"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_is_read() {
        assert_eq!(read("\nrunning 1 test\nlatency 2 to 31 clocks, at most 27 beats inside\n."), Some(31));
        for bad in ["", "latency", "latency 2 to 31", "latency 2 to many clocks", "latency 2 and 31 clocks"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_load_gets_the_row() {
        let row = |name: &str, bytes: u64| {
            format!(r#"{{"name":"{name}","params":{{"frame_bytes":{bytes}}},"value":4,"unit":"clocks"}}"#)
        };
        let rows = [row("drops", 60), row("wire_latency_clocks_max", 60), row("wire_latency_clocks_max", 61)];
        let text = format!(r#"{{"bench":"gateware","rows":[{}]}}"#, rows.join(","));
        let mut report = Report::read("gateware", text.as_bytes()).expect("a report");
        add(&mut report, 31);
        let added: Vec<_> = report.rows.iter().filter(|row| row.name == NAME).collect();
        assert_eq!(added.len(), 2);
        assert!(added[1].value.as_u64() == Some(31) && added[1].params["frame_bytes"] == 61);
    }
}
