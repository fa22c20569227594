//! The files of a run, and its summary.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use serde::Serialize;

use super::Finished;
use crate::capture::{LinkType, PcapngWriter};
use crate::check::Identity;
use crate::traffic::Side;
use crate::truth::{Target, utc_from_tai_ns};

/// `summary.json`, and what `--json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// `model` or `rtl`.
    pub card: String,
    /// One for each order.
    pub tasks: Vec<TaskSummary>,
    /// Target packets that the card does not find yet.
    pub unsupported_encapsulation: Vec<UnsupportedSummary>,
    /// The wires.
    pub wire: WireSummary,
    /// The audit log.
    pub audit: AuditSummary,
    /// The simulator.
    pub sim: SimSummary,
    /// What became of it.
    pub verdict: Outcome,
    /// The verdict is good.
    pub ok: bool,
}

/// What became of a run, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every order selected something, and nothing is wrong.
    Good,
    /// Nothing is wrong, but there is an order that selected nothing: perhaps its target is mistyped, and nothing is shown by it.
    NothingSelected,
    /// Something is wrong.
    NotGood,
}

impl Outcome {
    fn new(is_good: bool, tasks: &[TaskSummary]) -> Self {
        match (is_good, tasks.iter().any(|task| task.selected == 0)) {
            (false, _) => Self::NotGood,
            (true, true) => Self::NothingSelected,
            (true, false) => Self::Good,
        }
    }
}

/// How an order was carried out.
#[derive(Debug, Clone, Serialize)]
pub struct TaskSummary {
    /// The agency.
    pub destination: String,
    /// Its identifier there.
    pub liid: String,
    /// The task.
    pub xid: String,
    /// How much of each packet.
    pub scope: String,
    /// Packets that it selects by the ground truth.
    pub selected: u64,
    /// Of these, received.
    pub delivered: u64,
    /// Of these, not received.
    pub lost: u64,
    /// Packets received that it does not select.
    pub over_collected: u64,
    /// From the moment its rows were in force to the stamp of its first packet; `null` if it has none.
    pub first_selected_after_arm_ns: Option<u64>,
}

/// A target packet that the card does not find yet.
#[derive(Debug, Clone, Serialize)]
pub struct UnsupportedSummary {
    /// Its frame, from 0, in the order of playing.
    pub frame: usize,
    /// The layers that hide it.
    pub layers: String,
    /// The agency.
    pub destination: String,
    /// The order.
    pub liid: String,
}

/// The wires.
#[derive(Debug, Clone, Serialize)]
pub struct WireSummary {
    /// Frames played.
    pub frames_in: u64,
    /// Frames that left.
    pub frames_out: u64,
    /// Every frame left once, on the other port, in order, unchanged.
    pub identical: bool,
    /// Clocks through the card, at least.
    pub latency_cycles_min: u64,
    /// At most.
    pub latency_cycles_max: u64,
}

/// The audit log.
#[derive(Debug, Clone, Serialize)]
pub struct AuditSummary {
    /// Its records.
    pub records: u64,
    /// Of them, signed checkpoints.
    pub checkpoints: u64,
    /// The chain and all signatures are good.
    pub verified: bool,
}

/// The simulator.
#[derive(Debug, Clone, Serialize)]
pub struct SimSummary {
    /// Clocks run.
    pub clocks: u64,
    /// Clocks in a second of running.
    pub clocks_per_s: f64,
}

impl Summary {
    /// The summary of a finished run.
    pub fn new(run: &Finished) -> Self {
        let mut tasks = Vec::new();
        let mut unsupported = Vec::new();
        for ((order, task), armed_ns) in run.orders.iter().zip(&run.verdict.tasks).zip(&run.armed_ns) {
            tasks.push(TaskSummary {
                destination: order.destination.clone(),
                liid: order.liid.clone(),
                xid: order.xid.to_string(),
                scope: order.selector.scope.name().to_owned(),
                selected: task.selected,
                delivered: task.delivered,
                lost: task.lost,
                over_collected: task.over_collected,
                first_selected_after_arm_ns: task
                    .first_selected_ns
                    .zip(*armed_ns)
                    .map(|(first_ns, armed_ns)| first_ns.saturating_sub(armed_ns)),
            });
            unsupported.extend(task.unsupported.iter().map(|hidden| UnsupportedSummary {
                frame: hidden.frame,
                layers: hidden.layers.clone(),
                destination: order.destination.clone(),
                liid: order.liid.clone(),
            }));
        }
        let verdict = Outcome::new(run.is_good(), &tasks);
        Self {
            card: run.backend.name().to_owned(),
            tasks,
            unsupported_encapsulation: unsupported,
            wire: WireSummary {
                frames_in: run.wire.frames_in,
                frames_out: run.wire.frames_out,
                identical: run.wire.is_identical(),
                latency_cycles_min: run.wire.latency_cycles_min,
                latency_cycles_max: run.wire.latency_cycles_max,
            },
            audit: AuditSummary {
                records: run.audit.records,
                checkpoints: run.audit.checkpoints,
                verified: run.audit.verified,
            },
            sim: SimSummary { clocks: run.statistics.clocks, clocks_per_s: run.statistics.clocks_per_s().round() },
            verdict,
            ok: verdict == Outcome::Good,
        }
    }

    /// The orders that selected nothing, by their place among the tasks, and how many packets of each the capture has that the card does not find yet.
    pub fn selected_nothing(&self) -> impl Iterator<Item = (usize, usize)> {
        let hidden = |task: &TaskSummary| {
            self.unsupported_encapsulation
                .iter()
                .filter(|packet| (&packet.destination, &packet.liid) == (&task.destination, &task.liid))
                .count()
        };
        let empty = self.tasks.iter().enumerate().filter(|(_, task)| task.selected == 0);
        empty.map(move |(index, task)| (index, hidden(task)))
    }
}

/// Writes the files of a run into `folder`: PDUs as received, delivered packets, what left the card, audit log, summary.
///
/// # Errors
/// If a file cannot be written.
pub fn write_outputs(run: &Finished, audit_log: &Path, folder: &Path) -> io::Result<Summary> {
    write_received(run, folder)?;
    write_delivered(run, folder)?;
    for (side, name) in [(Side::A, "wire-a.pcapng"), (Side::B, "wire-b.pcapng")] {
        let mut out = pcapng(&folder.join(name), LinkType::Ethernet)?;
        for left in run.wire.left.iter().filter(|left| left.side == side) {
            out.packet(utc_from_tai_ns(left.time_ns), &left.data)?;
        }
        out.finish()?;
    }
    std::fs::copy(audit_log, folder.join("audit.log"))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", audit_log.display())))?;
    let summary = Summary::new(run);
    let mut text = serde_json::to_string_pretty(&summary)?;
    text.push('\n');
    std::fs::write(folder.join("summary.json"), text)?;
    Ok(summary)
}

fn pcapng(path: &Path, link_type: LinkType) -> io::Result<PcapngWriter<BufWriter<File>>> {
    PcapngWriter::new(BufWriter::new(File::create(path)?), link_type)
}

/// `hi2-DESTINATION-LIID.bin`, `hi3-...`, `x2-XID.bin`, `x3-XID.bin`: PDUs exactly as they came, duplicates too.
fn write_received(run: &Finished, folder: &Path) -> io::Result<()> {
    let mut files: BTreeMap<String, BufWriter<File>> = BTreeMap::new();
    for inbox in &run.inboxes {
        for pdu in &inbox.pdus {
            let interface = pdu.interface.name();
            let name = match &pdu.identity {
                Identity::Liid(liid) => format!("{interface}-{}-{}.bin", inbox.destination, percent_encoded(liid)),
                Identity::Xid(xid) => format!("{interface}-{xid}.bin"),
            };
            if !files.contains_key(&name) {
                files.insert(name.clone(), BufWriter::new(File::create(folder.join(&name))?));
            }
            if let Some(file) = files.get_mut(&name) {
                file.write_all(&pdu.octets)?;
            }
        }
    }
    files.values_mut().try_for_each(|file| file.flush())
}

/// `delivered-DESTINATION-LIID.pcapng`: every packet once, in the order of its number.
fn write_delivered(run: &Finished, folder: &Path) -> io::Result<()> {
    for (order, task) in run.orders.iter().zip(&run.verdict.tasks) {
        let name = format!("delivered-{}-{}.pcapng", order.destination, percent_encoded(&order.liid));
        let is_frames = order.selector.targets.iter().any(Target::names_frames);
        let link_type = if is_frames { LinkType::Ethernet } else { LinkType::RawIp };
        let mut out = pcapng(&folder.join(name), link_type)?;
        for packet in &task.packets {
            out.packet(packet.utc_ns, &packet.octets)?;
        }
        out.finish()?;
    }
    Ok(())
}

/// A LIID as a part of a file name: everything but letters, digits, `-`, `_`, `.` and `~` becomes `%XX`.
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // These two name folders.
    if out == "." || out == ".." { out.replace('.', "%2E") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_selected_nothing_are_found() {
        let task = |liid: &str, selected| TaskSummary {
            destination: "agency-1".to_owned(),
            liid: liid.to_owned(),
            xid: String::new(),
            scope: "content".to_owned(),
            selected,
            delivered: selected,
            lost: 0,
            over_collected: 0,
            first_selected_after_arm_ns: None,
        };
        let hidden = UnsupportedSummary {
            frame: 7,
            layers: "mpls/ipv4".to_owned(),
            destination: "agency-1".to_owned(),
            liid: "hidden".to_owned(),
        };
        let tasks = vec![task("some", 3), task("none", 0), task("hidden", 0)];
        assert_eq!(Outcome::new(true, &tasks[..1]), Outcome::Good);
        assert_eq!(Outcome::new(true, &tasks[..2]), Outcome::NothingSelected);
        assert_eq!(Outcome::new(true, &tasks[2..]), Outcome::NothingSelected);
        assert_eq!(Outcome::new(false, &tasks), Outcome::NotGood);
        let summary = Summary {
            card: "model".to_owned(),
            tasks,
            unsupported_encapsulation: vec![hidden],
            wire: WireSummary {
                frames_in: 9,
                frames_out: 9,
                identical: true,
                latency_cycles_min: 4,
                latency_cycles_max: 4,
            },
            audit: AuditSummary { records: 9, checkpoints: 1, verified: true },
            sim: SimSummary { clocks: 1, clocks_per_s: 1.0 },
            verdict: Outcome::NothingSelected,
            ok: false,
        };
        assert_eq!(summary.selected_nothing().collect::<Vec<_>>(), [(1, 0), (2, 1)]);
    }

    #[test]
    fn liids_become_safe_file_names() {
        assert_eq!(percent_encoded("WRIT/2026/001"), "WRIT%2F2026%2F001");
        assert_eq!(percent_encoded("a-b_c.d~e"), "a-b_c.d~e");
        assert_eq!(percent_encoded(".."), "%2E%2E");
        assert_eq!(percent_encoded("100%"), "100%25");
        assert_eq!(percent_encoded("*\" \n"), "%2A%22%20%0A");
    }
}
