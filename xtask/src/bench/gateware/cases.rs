//! From rows to cases: what belongs to the same load stands together.

use serde_json::Value;

use super::mac_fifo;
use crate::bench::report::Row;
use crate::failure::Failure;

/// The numbers of one load.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// A number of bytes, or `imix`.
    pub(super) frame_bytes: String,
    pub(super) matched_percent: u64,
    pub(super) commands_per_s: u64,
    pub(super) beats_per_clock: f64,
    pub(super) frames_per_clock: f64,
    pub(super) wire_clocks: (f64, f64),
    pub(super) mac_fifo_clocks: f64,
    pub(super) decision_clocks: (f64, f64),
    pub(super) drops: f64,
    pub(super) drops_expected: f64,
    /// Cause, drops, drops expected.
    pub(super) by_cause: Vec<(String, f64, f64)>,
    pub(super) ring_lines_per_clock: f64,
    pub(super) table_commands_per_s: f64,
    pub(super) clocks_per_s: f64,
    pub(super) frames_per_s: f64,
}

impl Case {
    /// The load, in words.
    pub(super) fn name(&self) -> String {
        let Self { frame_bytes, matched_percent, commands_per_s, .. } = self;
        format!("{frame_bytes} bytes, {matched_percent} % matched, {commands_per_s} commands/s")
    }
}

/// What rows are told apart by: size, share, commands.
type Load = (String, u64, u64);

/// Puts rows together, in the order in which their loads come first.
///
/// # Errors
/// A row without its params, or a load without one of its rows.
pub(super) fn read(rows: &[Row]) -> Result<Vec<Case>, Failure> {
    let mut loads: Vec<Load> = Vec::new();
    for row in rows {
        let load = load(row)?;
        if !loads.contains(&load) {
            loads.push(load);
        }
    }
    loads.into_iter().map(|load| case(rows, load)).collect()
}

fn load(row: &Row) -> Result<Load, Failure> {
    let missing = |name: &str| Failure::new(format!("a row {} without {name}", row.name));
    let number = |name: &str| row.params.get(name).and_then(Value::as_u64).ok_or_else(|| missing(name));
    let frame_bytes = match row.params.get("frame_bytes") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(missing("frame_bytes")),
    };
    Ok((frame_bytes, number("matched_percent")?, number("commands_per_s")?))
}

fn case(rows: &[Row], wanted: Load) -> Result<Case, Failure> {
    let of_load = |row: &&Row| load(row).is_ok_and(|load| load == wanted);
    let rows: Vec<&Row> = rows.iter().filter(of_load).collect();
    let value = |name: &str| {
        let found = rows.iter().find(|row| row.name == name).and_then(|row| row.value.as_f64());
        found.ok_or_else(|| Failure::new(format!("no row {name} for {wanted:?}")))
    };
    let cause = |row: &Row| row.params.get("cause").and_then(Value::as_str).unwrap_or_default().to_owned();
    let by_cause = rows.iter().filter(|row| row.name == "drops_by_cause").map(|row| {
        let same = |other: &&&Row| other.name == "drops_expected_by_cause" && cause(other) == cause(row);
        let values = rows.iter().find(same).and_then(|other| Some((row.value.as_f64()?, other.value.as_f64()?)));
        let values = values.ok_or_else(|| Failure::new(format!("nothing expected by cause for {wanted:?}")))?;
        Ok((cause(row), values.0, values.1))
    });
    Ok(Case {
        beats_per_clock: value("beats_per_clock")?,
        frames_per_clock: value("frames_per_clock")?,
        wire_clocks: (value("wire_latency_clocks_min")?, value("wire_latency_clocks_max")?),
        mac_fifo_clocks: value(mac_fifo::NAME)?,
        decision_clocks: (value("decision_latency_clocks_min")?, value("decision_latency_clocks_max")?),
        drops: value("drops")?,
        drops_expected: value("drops_expected")?,
        by_cause: by_cause.collect::<Result<_, Failure>>()?,
        ring_lines_per_clock: value("ring_lines_per_clock")?,
        table_commands_per_s: value("table_commands_per_s")?,
        clocks_per_s: value("clocks_per_s")?,
        frames_per_s: value("frames_per_s")?,
        frame_bytes: wanted.0.clone(),
        matched_percent: wanted.1,
        commands_per_s: wanted.2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Report;

    fn row(name: &str, params: &str, value: f64) -> String {
        format!(r#"{{"name":"{name}","params":{{{params}}},"value":{value},"unit":"x"}}"#)
    }

    fn report(left_out: &str) -> Vec<Row> {
        let names = [
            "beats_per_clock",
            "frames_per_clock",
            "wire_latency_clocks_min",
            "wire_latency_clocks_max",
            "mac_fifo_latency_clocks_max",
            "decision_latency_clocks_min",
            "decision_latency_clocks_max",
            "drops",
            "drops_expected",
            "ring_lines_per_clock",
            "table_commands_per_s",
            "clocks_per_s",
            "frames_per_s",
        ];
        let mut rows = Vec::new();
        for load in [
            r#""frame_bytes":60,"matched_percent":1,"commands_per_s":0"#,
            r#""frame_bytes":"imix","matched_percent":1,"commands_per_s":0"#,
        ] {
            rows.extend(names.iter().filter(|name| **name != left_out).map(|name| row(name, load, 2.0)));
            let with_cause = format!(r#"{load},"cause":"copy_fifo""#);
            rows.push(row("drops_by_cause", &with_cause, 3.0));
            rows.push(row("drops_expected_by_cause", &with_cause, 4.0));
        }
        let text = format!(r#"{{"bench":"gateware","rows":[{}]}}"#, rows.join(","));
        Report::read("gateware", text.as_bytes()).expect("a report").rows
    }

    #[test]
    fn rows_come_together() {
        let cases = read(&report("")).expect("cases");
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].frame_bytes.as_str(), cases[1].frame_bytes.as_str()), ("60", "imix"));
        assert_eq!(cases[1].by_cause, [("copy_fifo".to_owned(), 3.0, 4.0)]);
    }

    #[test]
    fn a_row_that_is_missing_is_noticed() {
        for name in ["drops", "wire_latency_clocks_max"] {
            assert!(read(&report(name)).expect_err("a row is missing").to_string().contains(name));
        }
        assert!(Report::read("other", br#"{"bench":"gateware","rows":[]}"#).is_err());
        assert!(Report::read("gateware", br#"{"bench":"gateware","rows":[]}"#).is_err());
    }
}
