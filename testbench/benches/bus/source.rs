//! Frames, made as they are needed.

use writ_abi::PortSide;
use writ_testbench::traffic::line::Line;
use writ_testbench::traffic::load::{FCS_BYTES, FrameSizes, is_matched};

use crate::card::Rig;
use crate::frame;

/// Frames are handed to the simulator when their clock is at most this far away.
const AHEAD_CLOCKS: u64 = 512;
/// Of a frame's number, in front of its payload.
const NUMBER_BYTES: usize = 8;
/// By how much port B's frames come later than port A's.
const PORT_B_OFFSET_BYTES: u64 = 37;

/// How densely frames come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As 100GbE carries them, on both ports.
    Line,
    /// One every so many clocks, on the ports in turn: the card is idle when it comes.
    Every(u64),
}

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) sizes: FrameSizes,
    pub(crate) matched_percent: u8,
    pub(crate) pace: Pace,
}

/// A matched frame that was handed to the simulator.
pub(crate) struct Sent {
    pub(crate) number: u64,
    /// With FCS.
    pub(crate) wire_bytes: usize,
}

/// One port.
struct Port {
    line: Line,
    count: u64,
}

/// Makes the frames of a load.
pub(crate) struct Source {
    load: Load,
    first_clock: u64,
    ports: [Port; 2],
    /// Frames of both ports, for [`Pace::Every`].
    count: u64,
}

impl Source {
    pub(crate) fn new(load: Load, first_clock: u64) -> Self {
        let port = |offset_bytes| Port { line: Line::new(first_clock, offset_bytes), count: 0 };
        Self { load, first_clock, ports: [port(0), port(PORT_B_OFFSET_BYTES)], count: 0 }
    }

    /// Hands the frames to the simulator whose time is near; gives those that match.
    pub(crate) fn fill(&mut self, rig: &mut Rig) -> Vec<Sent> {
        let mut sent = Vec::new();
        let until = (rig.clocks() + AHEAD_CLOCKS).saturating_sub(self.first_clock);
        match self.load.pace {
            Pace::Line => {
                for side in PortSide::ALL {
                    while self.ports[side as usize].line.clocks() < until {
                        sent.extend(self.send(rig, side, None));
                    }
                }
            }
            Pace::Every(clocks) => {
                while self.count * clocks < until {
                    let side = PortSide::ALL[self.count as usize % 2];
                    sent.extend(self.send(rig, side, Some(self.first_clock + self.count * clocks)));
                    self.count += 1;
                }
            }
        }
        sent
    }

    fn send(&mut self, rig: &mut Rig, side: PortSide, clock: Option<u64>) -> Option<Sent> {
        let port = &mut self.ports[side as usize];
        let is_matched = is_matched(port.count, self.load.matched_percent);
        let bytes = usize::from(self.load.sizes.of(port.count));
        let wire_bytes = bytes + FCS_BYTES;
        let clock = clock.unwrap_or_else(|| port.line.place(wire_bytes));
        port.count += 1;
        let number = rig.push(side, clock, bytes, is_matched);
        is_matched.then_some(Sent { number, wire_bytes })
    }
}

/// A frame with FCS, its number in front of its payload. `bytes`: without FCS, at least 60.
pub(crate) fn frame(bytes: usize, is_matched: bool, number: u64) -> Vec<u8> {
    frame::frame(bytes, is_matched, |payload| {
        payload.fill(0x5a);
        payload[..NUMBER_BYTES].copy_from_slice(&number.to_be_bytes());
    })
}

/// The number of the frame that a record is a copy of.
pub(crate) fn number(record: &[u8]) -> Option<u64> {
    let (number, _) = record.get(frame::PAYLOAD_AT..)?.split_first_chunk::<NUMBER_BYTES>()?;
    Some(u64::from_be_bytes(*number))
}
