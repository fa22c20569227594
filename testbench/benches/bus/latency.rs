//! From the end of a frame on the wire to the clock in which the host can see its record.

use std::collections::HashMap;

use serde_json::{Value, json};
use writ_sim::pcie::BusSettings;
use writ_testbench::traffic::line;
use writ_testbench::traffic::load::{FrameSizes, Mix};

use crate::card::{BUS_CLOCK_NS, CORE_CLOCK_NS, Rig};
use crate::failure::Failure;
use crate::row;
use crate::source::{Load, Pace, Source};

/// Core clocks between two looks at the ring: a latency is rounded up to them.
const STEP_CLOCKS: u64 = 1;
/// Clocks between two frames when the card is idle: longer than a record takes, and never the same against the clock of the hard block.
const IDLE_CLOCKS: u64 = 801;
/// Clocks of load before the first frame that counts.
const WARM_UP_CLOCKS: u64 = 4096;
/// Records keep the order in which their frames end, to within so many clocks.
const ORDER_CLOCKS: u64 = 512;
/// Clocks that a load may take.
const CLOCKS_MAX: u64 = 1 << 26;

const IMIX: FrameSizes = FrameSizes::Mix(Mix::Imix);

/// Loads, each with its name, and whether all of it is copied.
const LOADS: [(&str, Load); 5] = [
    ("idle", Load { sizes: FrameSizes::Fixed(60), matched_percent: 100, pace: Pace::Every(IDLE_CLOCKS) }),
    ("idle", Load { sizes: FrameSizes::Fixed(1518), matched_percent: 100, pace: Pace::Every(IDLE_CLOCKS) }),
    ("line rate", Load { sizes: IMIX, matched_percent: 1, pace: Pace::Line }),
    ("line rate", Load { sizes: IMIX, matched_percent: 10, pace: Pace::Line }),
    ("line rate", Load { sizes: IMIX, matched_percent: 100, pace: Pace::Line }),
];

/// Rows of every load, each over so many matched frames.
pub(crate) fn measure(frames: u64) -> Result<Vec<Value>, Failure> {
    let mut rig = Rig::new(BusSettings::default())?;
    let mut rows = Vec::new();
    for (name, load) in LOADS {
        let (mut latencies, dropped) = distribution(&mut rig, load, frames)?;
        rig.settle()?;
        latencies.sort_unstable();
        let Some(last) = latencies.len().checked_sub(1) else { return Err(Failure::Endless("a record's way")) };
        let statistics = [("min", 0), ("median", last / 2), ("p99", last * 99 / 100), ("max", last)];
        for (statistic, at) in statistics {
            let nanoseconds = latencies[at] as f64 * CORE_CLOCK_NS;
            let params = json!({
                "load": name,
                "frame_bytes": load.sizes,
                "matched_percent": load.matched_percent,
                "statistic": statistic,
                "frames": latencies.len(),
                "dropped": dropped,
                "resolution_ns": (STEP_CLOCKS as f64 * CORE_CLOCK_NS * 10.0).round() / 10.0,
                "bus_latency_ns": BusSettings::default().latency_clocks * BUS_CLOCK_NS,
            });
            rows.push(row("record_latency_ns", params, nanoseconds.round(), "ns"));
        }
        let range = [latencies[0], latencies[last]];
        eprintln!(
            "{name}, {} bytes, {} % matched: {range:?} clocks, {dropped} dropped",
            load.sizes, load.matched_percent
        );
    }
    Ok(rows)
}

/// Latencies of as many records in core clocks, and how many of the frames offered meanwhile were dropped.
fn distribution(rig: &mut Rig, load: Load, frames: u64) -> Result<(Vec<u64>, usize), Failure> {
    let first_clock = rig.clocks();
    let mut source = Source::new(load, first_clock + STEP_CLOCKS);
    let mut wire_bytes: HashMap<u64, usize> = HashMap::new();
    // The clock behind the last beat of each matched frame whose record has not come.
    let mut ended: HashMap<u64, u64> = HashMap::new();
    let (mut latencies, mut newest) = (Vec::new(), 0);
    let counts_from = if load.pace == Pace::Line { first_clock + WARM_UP_CLOCKS } else { first_clock };
    while (latencies.len() as u64) < frames {
        wire_bytes.extend(source.fill(rig).into_iter().map(|sent| (sent.number, sent.wire_bytes)));
        rig.run(STEP_CLOCKS);
        let now = rig.clocks();
        for arrival in rig.arrivals() {
            if let Some(bytes) = wire_bytes.remove(&arrival.number) {
                ended.insert(arrival.number, arrival.clock + line::beats(bytes));
            }
        }
        for number in rig.records()? {
            let Some(end) = ended.remove(&number).filter(|end| *end >= counts_from) else { continue };
            newest = newest.max(end);
            latencies.push(now.saturating_sub(end));
        }
        if now - first_clock > CLOCKS_MAX {
            return Err(Failure::Endless("the way of a load's records"));
        }
    }
    let dropped =
        ended.values().filter(|end| (counts_from..newest.saturating_sub(ORDER_CLOCKS)).contains(*end)).count();
    Ok((latencies, dropped))
}
