//! Playing a plan through the simulated wires, and what became of every frame.

use writ_abi::PortSide;
use writ_sim::wire::{Client, PlayFrame, Seen, Statistics};

use crate::play::{Plan, check_sequence};
use crate::rig::RigError;
use crate::traffic::Side;

/// A frame that left the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which frame of the plan.
    pub frame: usize,
    /// Port that it left on.
    pub side: Side,
    /// Clock in which its first beat left.
    pub clock: u64,
    /// Card time of that clock, TAI ns: the ingress stamp and the clocks since.
    pub time_ns: u64,
    /// The frame as it left, without its check sequence.
    pub data: Vec<u8>,
}

/// The wires of a run.
#[derive(Debug, Clone, Default)]
pub struct WireReport {
    /// Frames played.
    pub frames_in: u64,
    /// Frames that left.
    pub frames_out: u64,
    /// Frames that came later than planned.
    pub late: u64,
    /// Clocks that a frame takes through the card, at least.
    pub latency_cycles_min: u64,
    /// At most.
    pub latency_cycles_max: u64,
    /// What left, in the order in which it left.
    pub left: Vec<Left>,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

impl WireReport {
    /// Every frame left once, on the other port, in order, unchanged.
    pub fn is_identical(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds what only the simulator knows.
    pub(super) fn with_statistics(mut self, statistics: &Statistics) -> Self {
        self.latency_cycles_min = statistics.latency_clocks_min.unwrap_or_default();
        self.latency_cycles_max = statistics.latency_clocks_max.unwrap_or_default();
        if statistics.dma_faults > 0 {
            self.problems.push(format!("the card reached outside of its memory {} times", statistics.dma_faults));
        }
        self
    }
}

/// What a play gave.
#[derive(Debug, Clone)]
pub struct Played {
    /// Ingress stamp of every frame of the plan, TAI ns.
    pub stamps: Vec<u64>,
    /// The wires.
    pub report: WireReport,
}

const PROBLEMS_MAX: usize = 12;
/// Nanoseconds of a core clock: 512/165.
const CLOCK_NS: (u64, u64) = (512, 165);

fn port(side: Side) -> PortSide {
    match side {
        Side::A => PortSide::A,
        Side::B => PortSide::B,
    }
}

fn side(port: PortSide) -> Side {
    match port {
        PortSide::A => Side::A,
        PortSide::B => Side::B,
    }
}

/// Plays all frames, the first at card time `first_ns`, and checks that each leaves as it came. `progress` gets frames out and frames in all.
///
/// # Errors
/// [`RigError::Wire`] if the simulator cannot be spoken to.
pub fn play(
    wire: &mut Client,
    plan: &Plan,
    first_ns: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Played, RigError> {
    let all = plan.frames.len() as u64;
    let mut log = Log { plan, arrivals: vec![None; plan.frames.len()], report: WireReport::default() };
    let frames = plan
        .frames
        .iter()
        .map(|frame| PlayFrame::new(port(frame.side), first_ns + frame.offset_ns, frame.data.as_slice()));
    let summary = wire
        .play(frames, |seen| {
            log.take(seen);
            progress(log.report.frames_out, all);
        })
        .map_err(|error| RigError::Wire(error.to_string()))?;
    log.report.frames_in = summary.frames;
    log.report.late = summary.late;
    Ok(log.close())
}

struct Log<'a> {
    plan: &'a Plan,
    /// Clock and stamp of each frame's arrival.
    arrivals: Vec<Option<(u64, u64)>>,
    report: WireReport,
}

impl Log<'_> {
    fn problem(&mut self, text: String) {
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(text);
        }
    }

    fn take(&mut self, seen: Seen) {
        match seen {
            Seen::Arrived { number, clock, stamp_ns, .. } => match self.arrivals.get_mut(number as usize) {
                Some(slot @ None) => *slot = Some((clock, stamp_ns)),
                _ => self.problem(format!("frame {number} arrived twice, or was never played")),
            },
            Seen::Left { number, port, egress_clock, bytes, .. } => {
                self.report.frames_out += 1;
                self.leave(number as usize, side(port), egress_clock, bytes);
            }
        }
    }

    fn leave(&mut self, frame: usize, side: Side, clock: u64, mut bytes: Vec<u8>) {
        let (Some(planned), Some(Some((arrived, stamp_ns)))) = (self.plan.frames.get(frame), self.arrivals.get(frame))
        else {
            self.problem(format!("frame {frame} left without having arrived"));
            return;
        };
        let time_ns = stamp_ns + clock.saturating_sub(*arrived) * CLOCK_NS.0 / CLOCK_NS.1;
        let sequence = bytes.split_off(bytes.len().saturating_sub(4));
        if side != planned.side.other() {
            self.problem(format!("frame {frame} left on the port that it came in on"));
        }
        if bytes != planned.data || sequence != check_sequence(&planned.data) {
            self.problem(format!("frame {frame} left changed"));
        }
        self.report.left.push(Left { frame, side, clock, time_ns, data: bytes });
    }

    fn close(mut self) -> Played {
        let missing = self.plan.frames.len() as u64 - self.report.frames_out.min(self.plan.frames.len() as u64);
        if missing > 0 {
            self.problem(format!("{missing} frames did not leave the card"));
        }
        for side in [Side::A, Side::B] {
            let order: Vec<usize> =
                self.report.left.iter().filter(|left| left.side == side).map(|left| left.frame).collect();
            if !order.is_sorted() {
                self.problem(format!("frames left port {side:?} in another order than they came in"));
            }
        }
        self.report.left.sort_by_key(|left| left.clock);
        let unseen = self.arrivals.iter().filter(|arrival| arrival.is_none()).count();
        if unseen > 0 {
            self.problem(format!("{unseen} frames have no stamp"));
        }
        let stamps = self.arrivals.iter().map(|arrival| arrival.map_or(0, |(_, stamp_ns)| stamp_ns)).collect();
        Played { stamps, report: self.report }
    }
}
