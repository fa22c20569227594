//! The table for people.

use std::fmt::Write as _;

use super::cases::Case;
use super::goals::Miss;

const HEADINGS: [&str; 12] = [
    "bytes",
    "% hit",
    "M cmd/s",
    "beats/clk",
    "frames/clk",
    "wire clk",
    "decision clk",
    "drops",
    "expected",
    "lines/clk",
    "k clk/s",
    "k frames/s",
];

const NOTES: &str = "
bytes       without FCS; both ports at 100GbE line rate, in bursts: the MAC stands still for 8 of 1024 clocks and then catches up
beats/clk   of a second run that offers a beat in every clock on both ports: those that left as they came
decision    from a frame's last window beat to its verdict
drops       expected: none if the lines offered fit the record FIFO when one a clock is taken; else what a calculation of that FIFO says, to
            within 3 % and 16. Offered less accepted is exactly what the card counts, per cause and per match, or there is a FAULT
lines/clk   64-byte lines of all DMA; the simulated bus takes one a clock, 165 Gb/s, where PCIe Gen3 x16 takes about 111 Gb/s
k clk/s     by processor time of the one thread that simulates
";

/// Renders the table, with what is missed below it.
pub(super) fn render(cases: &[Case], misses: &[Miss]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(cases.iter().map(cells));
    let widths: [usize; HEADINGS.len()] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        let of_case = |miss: &&Miss| number > 0 && miss.case == number - 1;
        let mut mark = " ";
        for miss in misses.iter().filter(of_case) {
            mark = if miss.is_binding() || mark == "!" { "!" } else { "*" };
        }
        out.push_str(mark);
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(out, " {cell:>width$}");
        }
        out.push('\n');
    }
    out.push_str(NOTES);
    if let Some(case) = cases.first() {
        let _ = writeln!(
            out,
            "MAC FIFO    up to {} clocks more in front of a transmitting MAC: its block's own measurement, between lines 200 ppm apart",
            case.mac_fifo_clocks
        );
    }
    let binding = misses.iter().filter(|miss| miss.is_binding()).count();
    for miss in misses {
        let _ = writeln!(out, "{} {miss}", if miss.is_binding() { "!" } else { "*" });
    }
    let _ = writeln!(out, "{} cases, {binding} goals missed, {} of speed", cases.len(), misses.len() - binding);
    out
}

fn cells(case: &Case) -> [String; HEADINGS.len()] {
    let range = |(least, most): (f64, f64)| if least == most { format!("{least}") } else { format!("{least}-{most}") };
    [
        case.frame_bytes.clone(),
        case.matched_percent.to_string(),
        format!("{:.2}", case.table_commands_per_s / 1e6),
        // Not rounded up to the goal.
        format!("{:.4}", (case.beats_per_clock * 1e4).floor() / 1e4),
        format!("{:.4}", case.frames_per_clock),
        range(case.wire_clocks),
        range(case.decision_clocks),
        case.drops.to_string(),
        case.drops_expected.to_string(),
        format!("{:.3}", case.ring_lines_per_clock),
        format!("{:.0}", case.clocks_per_s / 1e3),
        format!("{:.0}", case.frames_per_s / 1e3),
    ]
}
