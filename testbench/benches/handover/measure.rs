//! One case, and what it came to.

use std::fmt;
use std::time::Instant;

use etherparse::PacketBuilder;
use serde_json::{Value, json};
use writ_abi::crc;
use writ_testbench::traffic::load::FrameSizes;

use crate::process::Cost;
use crate::setup::{Path, target};

/// Frames after which the sizes of a mix begin again.
const MIX_FRAMES: u64 = 12;
/// Ethernet, IPv4, UDP.
const HEADER_BYTES: u16 = 42;
/// The threads of `writd` that take records and encode; all others deliver.
const RING_THREAD: &str = "writd-ring";

/// What is measured together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) way: Path,
    pub(crate) tasks: u16,
    /// Sizes of frames without check sequence.
    pub(crate) bytes: FrameSizes,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, frames: {}, tasks: {}", self.way, self.bytes, self.tasks)
    }
}

impl Case {
    /// A round of frames with FCS: every target sends, and every size occurs as often as it should.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let (tasks, round) = (u64::from(self.tasks), MIX_FRAMES);
        let count = tasks.next_multiple_of(round);
        (0..count).map(|at| frame((at % tasks) as u16, self.bytes.of(at))).collect()
    }

    /// Bytes of a frame.
    pub(crate) fn frame_bytes_mean(&self) -> f64 {
        (0..MIX_FRAMES).map(|at| f64::from(self.bytes.of(at))).sum::<f64>() / MIX_FRAMES as f64
    }
}

fn frame(task: u16, bytes: u16) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(target(task).octets(), [198, 51, 100, 7], 64)
        .udp(40_000, 50_000);
    let payload: Vec<u8> = (0..bytes - HEADER_BYTES).map(|at| (u32::from(at) * 131 / 8) as u8).collect();
    let mut frame = Vec::new();
    builder.write(&mut frame, &payload).unwrap_or_else(|error| unreachable!("a vector takes everything: {error}"));
    frame.extend(crc::ethernet_fcs(&frame).to_le_bytes());
    frame
}

/// How far everything was at one time.
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) pdus: u64,
    pub(crate) octets: u64,
    pub(crate) cost: Cost,
}

/// What a case came to.
pub(crate) struct Found {
    case: Case,
    packets: f64,
    octets: f64,
    wall_s: f64,
    ring_s: f64,
    all_s: f64,
    resident_bytes: u64,
    resident_bytes_max: u64,
}

impl Found {
    pub(crate) fn new(case: Case, before: &Sample, after: &Sample) -> Self {
        Self {
            case,
            packets: (after.pdus - before.pdus) as f64,
            octets: (after.octets - before.octets) as f64,
            wall_s: after.at.duration_since(before.at).as_secs_f64(),
            ring_s: after.cost.thread_s(&before.cost, RING_THREAD),
            all_s: after.cost.processor_s(&before.cost),
            resident_bytes: after.cost.resident_bytes,
            resident_bytes_max: after.cost.resident_bytes_max,
        }
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        let way = self.case.way;
        let chain = if way.tls { "chain_tls_packets_per_cpu_s" } else { "chain_packets_per_cpu_s" };
        let packet_bits = self.case.frame_bytes_mean() * 8.0;
        let rate = |seconds: f64| self.packets / seconds;
        let deliver_s = self.all_s - self.ring_s;
        let values = [
            ("encode_packets_per_cpu_s", rate(self.ring_s), "packets/s"),
            ("deliver_packets_per_cpu_s", rate(deliver_s), "packets/s"),
            (chain, rate(self.all_s), "packets/s"),
            ("chain_gbit_per_cpu_s", rate(self.all_s) * packet_bits / 1e9, "Gb/s"),
            ("chain_packets_per_wall_s", rate(self.wall_s), "packets/s"),
            ("chain_gbit_per_wall_s", rate(self.wall_s) * packet_bits / 1e9, "Gb/s"),
            ("pdu_bytes", self.octets / self.packets, "bytes"),
            ("cpus", self.all_s / self.wall_s, "cpus"),
            ("resident_bytes", self.resident_bytes as f64, "bytes"),
            ("resident_bytes_max", self.resident_bytes_max as f64, "bytes"),
        ];
        let params = json!({ "interface": way.interface.name(), "tls": way.tls, "bytes": self.case.bytes, "tasks": self.case.tasks });
        let row = |(name, value, unit): (&str, f64, &str)| {
            let value = if value.abs() >= 1000.0 { value.round() } else { (value * 1e3).round() / 1e3 };
            json!({ "name": name, "params": params, "value": value, "unit": unit })
        };
        values.map(row).to_vec()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, packets, .. } = self;
        write!(
            f,
            "{case}: {:.2} M packets per CPU second, of which encoding alone {:.2} M; {:.2} M/s on {:.2} processors, {} MiB",
            packets / self.all_s / 1e6,
            packets / self.ring_s / 1e6,
            packets / self.wall_s / 1e6,
            self.all_s / self.wall_s,
            self.resident_bytes >> 20
        )
    }
}
