//! What RQ carries when it is always ready and more is offered than it can carry.

use serde_json::{Value, json};
use writ_sim::pcie::{BusSettings, Credits};
use writ_testbench::traffic::load::FrameSizes;

use crate::card::{Rig, Traffic};
use crate::failure::Failure;
use crate::row;
use crate::source::{Load, Pace, Source};

/// Maximum payload sizes that the card knows.
const MAX_PAYLOADS: [u32; 3] = [128, 256, 512];
/// Bytes of a line of host memory.
const LINE_BYTES: u32 = 64;
/// Bytes of a beat of RQ.
const BEAT_BYTES: f64 = 64.0;
/// 16 lanes of 8 GT/s, of 130 bits 128.
const GEN3_X16_GBIT_PER_S: f64 = 16.0 * 8.0 * 128.0 / 130.0;
/// Start, header of four words, sequence number, check sequence.
const FRAMING_BYTES: f64 = 24.0;
/// What acknowledgements, credits and skips leave, about.
const FOR_TLPS: f64 = 0.975;
/// Core clocks until the card's FIFOs are full.
const WARM_UP_CLOCKS: u64 = 4096;
/// Core clocks between two looks at the ring: fewer than it takes to fill it.
const SLICE_CLOCKS: u64 = 256;
/// What goes out with an index line that is not of records: the line, and the interrupt's word.
const INDEX_BYTES: f64 = 64.0 + 4.0;

/// Rows of every size at every maximum payload size, each over so many core clocks.
pub(crate) fn measure(sizes: &[FrameSizes], clocks: u64) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    for max_payload_bytes in MAX_PAYLOADS {
        let mut rig = Rig::new(always_ready(max_payload_bytes))?;
        for &frame_bytes in sizes {
            let load = Load { sizes: frame_bytes, matched_percent: 100, pace: Pace::Line };
            let (before, after) = stretch(&mut rig, load, clocks)?;
            let found = Found::between(&before, &after);
            let limit = framing_limit(max_payload_bytes);
            let (payload, beats) = (found.payload, found.beats);
            eprintln!(
                "MPS {max_payload_bytes}, {frame_bytes} bytes: {payload:.2} of {limit:.1} bytes a clock, {beats:.3} beats"
            );
            let params = || json!({ "max_payload_bytes": max_payload_bytes, "frame_bytes": frame_bytes });
            rows.push(row("rq_efficiency", params(), found.payload / limit, "of the framing limit"));
            rows.push(row("rq_payload_bytes_per_clock", params(), found.payload, "bytes/clock"));
            rows.push(row("rq_record_bytes_per_clock", params(), found.records, "bytes/clock"));
            rows.push(row("rq_beats_per_clock", params(), found.beats, "beats/clock"));
            rows.push(row("rq_payload_bytes_per_write", params(), found.per_write, "bytes"));
            rig.settle()?;
        }
        let params = json!({ "max_payload_bytes": max_payload_bytes, "link": "Gen3 x16" });
        rows.push(row("link_payload_gbit_per_s", params, link_limit_gbit_per_s(max_payload_bytes), "Gbit/s"));
    }
    Ok(rows)
}

/// RQ is ready in every clock: the hard block has room for everything, the link no limit, the host credits for all.
fn always_ready(max_payload_bytes: u32) -> BusSettings {
    BusSettings {
        max_payload_bytes,
        credits: Credits { posted_headers: 1 << 20, posted_data: 1 << 24, non_posted_headers: 1 << 10 },
        hard_block_tlps: 1 << 16,
        link_bytes_per_clock: 0,
        ..BusSettings::default()
    }
}

/// Payload that fits a clock if every write has the maximum payload size: with straddle it takes, its descriptor included, whole halves of beats.
fn framing_limit(max_payload_bytes: u32) -> f64 {
    let halves = 2 * (max_payload_bytes / LINE_BYTES) + 1;
    BEAT_BYTES * 2.0 * f64::from(max_payload_bytes) / (BEAT_BYTES * f64::from(halves))
}

/// Payload that a Gen3 x16 link carries in writes of the maximum payload size.
fn link_limit_gbit_per_s(max_payload_bytes: u32) -> f64 {
    let payload = f64::from(max_payload_bytes);
    GEN3_X16_GBIT_PER_S * payload / (payload + FRAMING_BYTES) * FOR_TLPS
}

/// What the bus had carried at the beginning and at the end of so many clocks under load.
fn stretch(rig: &mut Rig, load: Load, clocks: u64) -> Result<(Traffic, Traffic), Failure> {
    let mut source = Source::new(load, rig.clocks() + SLICE_CLOCKS);
    let mut run = |rig: &mut Rig, clocks: u64| {
        let end = rig.clocks() + clocks;
        while rig.clocks() < end {
            source.fill(rig);
            rig.run(SLICE_CLOCKS);
            rig.arrivals();
            rig.records()?;
        }
        Ok::<_, Failure>(rig.traffic())
    };
    let before = run(rig, WARM_UP_CLOCKS)?;
    let after = run(rig, clocks)?;
    if after.bus.rq_waits > before.bus.rq_waits {
        return Err(Failure::Setup("RQ was not always ready".to_owned()));
    }
    Ok((before, after))
}

/// Per clock of the hard block.
struct Found {
    /// Bytes of payload: records, index lines, interrupt messages.
    payload: f64,
    /// Those of records alone. For each message an index line and itself are taken off.
    records: f64,
    /// Beats.
    beats: f64,
    /// Payload of a write on average, in bytes.
    per_write: f64,
}

impl Found {
    fn between(before: &Traffic, after: &Traffic) -> Self {
        let clocks = (after.bus.clocks - before.bus.clocks).max(1) as f64;
        let bytes = (after.bus.write_bytes - before.bus.write_bytes) as f64;
        let writes = (after.bus.writes - before.bus.writes).max(1) as f64;
        let messages = (after.root.messages - before.root.messages) as f64;
        Self {
            payload: bytes / clocks,
            records: (bytes - messages * INDEX_BYTES) / clocks,
            beats: (after.bus.rq_beats - before.bus.rq_beats) as f64 / clocks,
            per_write: bytes / writes,
        }
    }
}
