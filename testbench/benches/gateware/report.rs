//! What was measured, as rows.

use serde_json::{Value, json};
use writ_abi::record::DropCause;

use crate::case::{Case, Found};

/// Names of the drop causes in rows.
const CAUSES: [(DropCause, &str); DropCause::ALL.len()] = [
    (DropCause::CopyFifo, "copy_fifo"),
    (DropCause::RecordFifo, "record_fifo"),
    (DropCause::Oversize, "oversize"),
    (DropCause::WireError, "wire_error"),
    (DropCause::WindowFifo, "window_fifo"),
];

/// The one object.
pub(crate) fn json(measured: &[(Case, Found)]) -> Value {
    let rows: Vec<Value> = measured.iter().flat_map(|(case, found)| rows(case, found)).collect();
    json!({ "bench": "gateware", "rows": rows })
}

fn rows(case: &Case, found: &Found) -> Vec<Value> {
    let params = || {
        json!({
            "frame_bytes": case.frame_bytes,
            "matched_percent": case.matched_percent,
            "commands_per_s": case.commands_per_s,
        })
    };
    let mut rows = Vec::new();
    let mut row = |name: &str, params: Value, value: Value, unit: &str| {
        rows.push(json!({ "name": name, "params": params, "value": value, "unit": unit }));
    };
    row("beats_per_clock", params(), json!(found.beats_per_clock), "beats/clock");
    row("frames_per_clock", params(), json!(found.frames_per_clock), "frames/clock");
    row("wire_latency_clocks_min", params(), json!(found.wire_clocks.0), "clocks");
    row("wire_latency_clocks_max", params(), json!(found.wire_clocks.1), "clocks");
    row("mac_fifo_latency_clocks_max", params(), json!(writ_sim::rtl::mac_fifo_latency_clocks_max()), "clocks");
    row("decision_latency_clocks_min", params(), json!(found.decision_clocks.0), "clocks");
    row("decision_latency_clocks_max", params(), json!(found.decision_clocks.1), "clocks");
    row("drops", params(), json!(found.drops.iter().sum::<u64>()), "frames");
    row("drops_expected", params(), json!(found.drops_expected.iter().sum::<u64>()), "frames");
    for (cause, name) in CAUSES {
        for (row_name, drops) in [("drops_by_cause", found.drops), ("drops_expected_by_cause", found.drops_expected)] {
            let mut params = params();
            params["cause"] = json!(name);
            row(row_name, params, json!(drops[cause as usize]), "frames");
        }
    }
    row("ring_lines_per_clock", params(), json!(found.lines_per_clock), "lines/clock");
    row("table_commands_per_s", params(), json!(found.commands_per_s), "commands/s");
    row("clocks_per_s", params(), json!(found.clocks_per_s), "clocks/s");
    row("frames_per_s", params(), json!(found.frames_per_s), "frames/s");
    rows
}
