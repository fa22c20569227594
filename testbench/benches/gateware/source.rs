//! Frames, made as they are needed, and what became of them on the wire.

use std::collections::VecDeque;

use writ_abi::PortSide;
use writ_sim::card::{EgressFrame, IngressFrame, SimCard};
use writ_testbench::traffic::line::{self, Line};
use writ_testbench::traffic::load::{FrameSizes, is_matched};

use crate::card::Rig;
use crate::frame;

/// Frames are handed to the simulator when their clock is at most this far away.
const AHEAD_CLOCKS: u64 = 1024;
/// By how much port B's frames come later than port A's.
const PORT_B_OFFSET_BYTES: u64 = 37;

/// How densely frames come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As 100GbE carries them.
    Line,
    /// A beat in every clock.
    EveryClock,
}

/// A frame that is under way on the wire.
struct Sent {
    number: u64,
    bytes: Vec<u8>,
    is_matched: bool,
}

/// One port.
struct Port {
    line: Line,
    count: u64,
    sent_beats: u64,
    under_way: VecDeque<Sent>,
}

/// What was sent and what came back, of one port.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PortSums {
    /// Frames sent.
    pub(crate) frames: u64,
    /// Their bytes with FCS.
    pub(crate) bytes: u64,
    /// Beats of the frames that left the card as they came.
    pub(crate) good_beats: u64,
    /// Frames that left otherwise, or in another order.
    pub(crate) altered: u64,
    /// Clock of the first beat that came in.
    pub(crate) first_clock: Option<u64>,
    /// Clock behind the last beat that came in.
    pub(crate) end_clock: u64,
}

/// Makes the traffic of one case.
pub(crate) struct Source {
    sizes: FrameSizes,
    matched_percent: u8,
    pace: Pace,
    first_clock: u64,
    clocks: u64,
    ports: [Port; 2],
    pub(crate) sums: [PortSums; 2],
    /// Fewest and most clocks from a frame's first beat in to its first beat out.
    pub(crate) wire_clocks: Option<(u64, u64)>,
}

impl Source {
    /// Traffic for so many clocks from `first_clock` on.
    pub(crate) fn new(sizes: FrameSizes, matched_percent: u8, pace: Pace, first_clock: u64, clocks: u64) -> Self {
        let port = |offset_bytes| Port {
            line: Line::new(first_clock, offset_bytes),
            count: 0,
            sent_beats: 0,
            under_way: VecDeque::new(),
        };
        let (ports, sums) = ([port(0), port(PORT_B_OFFSET_BYTES)], [PortSums::default(); 2]);
        Self { sizes, matched_percent, pace, first_clock, clocks, ports, sums, wire_clocks: None }
    }

    /// Whether every frame was handed to the simulator.
    pub(crate) fn is_done(&self) -> bool {
        self.ports.iter().all(|port| self.taken(port) >= self.clocks)
    }

    /// Clocks that the frames of a port take.
    fn taken(&self, port: &Port) -> u64 {
        match self.pace {
            Pace::Line => port.line.clocks(),
            Pace::EveryClock => port.sent_beats,
        }
    }

    /// Hands the frames to the simulator whose time is near.
    pub(crate) fn fill(&mut self, rig: &mut Rig) {
        let until = (rig.clocks() + AHEAD_CLOCKS).saturating_sub(self.first_clock).min(self.clocks);
        for side in PortSide::ALL {
            while self.taken(&self.ports[side as usize]) < until {
                self.send(rig, side);
            }
        }
    }

    fn send(&mut self, rig: &mut Rig, side: PortSide) {
        let port = &mut self.ports[side as usize];
        let number = rig.next_number;
        rig.next_number += 1;
        let is_matched = is_matched(port.count, self.matched_percent);
        let bytes = frame(self.sizes.of(port.count).into(), is_matched, number);
        let earliest_clock = match self.pace {
            Pace::Line => port.line.place(bytes.len()),
            Pace::EveryClock => self.first_clock,
        };
        port.count += 1;
        port.sent_beats += line::beats(bytes.len());
        let sums = &mut self.sums[side as usize];
        sums.frames += 1;
        sums.bytes += bytes.len() as u64;
        port.under_way.push_back(Sent { number, bytes: bytes.clone(), is_matched });
        rig.shared.card().push(IngressFrame { number, port: side, earliest_clock, bytes, damaged: false });
    }

    /// The frame of a number that is under way: its length with FCS, and whether it matches.
    pub(crate) fn under_way(&self, side: PortSide, number: u64) -> Option<(usize, bool)> {
        let frames = &self.ports[side as usize].under_way;
        let at = frames.binary_search_by_key(&number, |sent| sent.number).ok()?;
        frames.get(at).map(|sent| (sent.bytes.len(), sent.is_matched))
    }

    /// A frame's first beat was on its port.
    pub(crate) fn arrived(&mut self, side: PortSide, clock: u64, wire_bytes: usize) {
        let sums = &mut self.sums[side as usize];
        sums.first_clock.get_or_insert(clock);
        sums.end_clock = clock + line::beats(wire_bytes);
    }

    /// A frame has left.
    pub(crate) fn left(&mut self, frame: &EgressFrame) {
        let came_in = PortSide::ALL[1 - frame.port as usize];
        let (port, sums) = (&mut self.ports[came_in as usize], &mut self.sums[came_in as usize]);
        let clocks = frame.egress_clock.saturating_sub(frame.ingress_clock);
        let (least, most) = self.wire_clocks.unwrap_or((clocks, clocks));
        self.wire_clocks = Some((least.min(clocks), most.max(clocks)));
        match port.under_way.pop_front() {
            Some(sent) if sent.number == frame.number && sent.bytes == frame.bytes && !frame.damaged => {
                sums.good_beats += line::beats(sent.bytes.len());
            }
            _ => sums.altered += 1,
        }
    }

    /// Frames that came in and never left.
    pub(crate) fn missing(&self) -> usize {
        self.ports.iter().map(|port| port.under_way.len()).sum()
    }
}

/// A frame with FCS, no two alike. `bytes`: without FCS, at least 60.
pub(crate) fn frame(bytes: usize, is_matched: bool, number: u64) -> Vec<u8> {
    frame::frame(bytes, is_matched, |payload| {
        for (at, chunk) in (0_u64..).zip(payload.chunks_mut(8)) {
            let bytes = (number ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    })
}
