use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use writ_testbench::run::{Finished, Outcome, Summary};

const HEADINGS: [&str; 9] =
    ["destination", "LIID", "target", "scope", "over", "selected", "delivered", "lost", "over-collected"];

/// What the demo prints for people.
pub(crate) fn render(run: &Finished, summary: &Summary, folder: &Path) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for (order, task) in run.orders.iter().zip(&summary.tasks) {
        let targets: Vec<String> = order.selector.targets.iter().map(ToString::to_string).collect();
        rows.push([
            task.destination.clone(),
            task.liid.clone(),
            targets.join(" "),
            task.scope.clone(),
            order.delivery.name().to_owned(),
            task.selected.to_string(),
            task.delivered.to_string(),
            task.lost.to_string(),
            task.over_collected.to_string(),
        ]);
    }
    let mut out = aligned(&rows);
    let wire = &summary.wire;
    let identical = if wire.identical { "identical" } else { "NOT IDENTICAL" };
    let _ = writeln!(
        out,
        "\nwire      {} frames in, {} out, {identical}; {} to {} clocks through the card",
        wire.frames_in, wire.frames_out, wire.latency_cycles_min, wire.latency_cycles_max
    );
    let verified = if summary.audit.verified { "chain and signatures verified" } else { "DOES NOT VERIFY" };
    let audit = &summary.audit;
    let _ = writeln!(out, "audit     {} records, {} signed checkpoints: {verified}", audit.records, audit.checkpoints);
    let _ = writeln!(
        out,
        "card      {}: {} clocks, {:.0} thousand a second",
        summary.card,
        summary.sim.clocks,
        summary.sim.clocks_per_s / 1e3
    );
    unsupported(&mut out, summary);
    let _ = writeln!(out, "files     {}", folder.display());
    let verdict = match summary.verdict {
        Outcome::Good => "GOOD: everything selected was delivered, nothing else was, and the wire did not notice",
        Outcome::NothingSelected => "NOTHING SELECTED by a target, named below; beyond that nothing is wrong",
        Outcome::NotGood => "NOT GOOD: see the problems above",
    };
    let _ = writeln!(out, "verdict   {verdict}");
    out
}

fn unsupported(out: &mut String, summary: &Summary) {
    let hidden = &summary.unsupported_encapsulation;
    if hidden.is_empty() {
        return;
    }
    // A frame that hides targets of several orders is one packet.
    let mut by_layers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for packet in hidden {
        by_layers.entry(&packet.layers).or_default().insert(packet.frame);
    }
    let count: usize = by_layers.values().map(BTreeSet::len).sum();
    let packets = if count == 1 { "packet" } else { "packets" };
    let _ = writeln!(out, "unseen    {count} {packets} of targets that the card does not find, and what hides them:");
    for (layers, frames) in by_layers {
        const SHOWN: usize = 8;
        let shown: Vec<String> = frames.iter().take(SHOWN).map(usize::to_string).collect();
        let more = if frames.len() > SHOWN { format!(" and {} more", frames.len() - SHOWN) } else { String::new() };
        let _ = writeln!(out, "            {layers}: frame {}{more}", shown.join(", "));
    }
}

fn aligned(rows: &[[String; 9]]) -> String {
    /// Columns from here on hold numbers.
    const NUMBERS_FROM: usize = 5;
    let widths: Vec<usize> =
        (0..9).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ =
                if column < NUMBERS_FROM { write!(line, "{cell:<width$}  ") } else { write!(line, "{cell:>width$}  ") };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
