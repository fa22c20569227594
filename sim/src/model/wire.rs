//! Ports and wires of the model: one beat a clock, a constant number of clocks from one side to the other. And the frames that the card makes
//! itself, which are never on a wire.

use super::registers::RegisterFile;
use super::timing::WIRE_CLOCKS;
use crate::card::{Arrival, EgressFrame, FRAME_BYTES_MAX, IngressFrame, Latency};
use std::collections::VecDeque;
use writ_abi::PortSide;
use writ_abi::limits::LINE_BYTES;
use writ_abi::registers::self_test;

/// One port's receive side and the wire behind it.
pub(super) struct Wire {
    port: PortSide,
    queue: VecDeque<IngressFrame>,
    current: Option<Arriving>,
    /// Frames that are on the wire: clock of the last beat's departure.
    leaving: VecDeque<(u64, EgressFrame)>,
    frames_left: bool,
}

/// A frame of which the first beat was on the port.
pub(super) struct Arriving {
    pub(super) frame: IngressFrame,
    pub(super) stamp_ns: u64,
    pub(super) quality: u32,
    last_beat: u64,
    /// Its first beat came after the last reset: the copy side looks at it.
    pub(super) seen: bool,
}

impl Arriving {
    /// A frame that the card makes itself, in one beat.
    pub(super) fn of_card(port: PortSide, bytes: Vec<u8>, clock: u64, stamp_ns: u64, quality: u32) -> Self {
        let frame = IngressFrame { number: u64::MAX, port, earliest_clock: clock, bytes, damaged: false };
        Self { frame, stamp_ns, quality, last_beat: clock, seen: true }
    }
}

impl Wire {
    pub(super) fn new(port: PortSide) -> Self {
        Self { port, queue: VecDeque::new(), current: None, leaving: VecDeque::new(), frames_left: false }
    }

    pub(super) fn push(&mut self, frame: IngressFrame) {
        assert!(
            !frame.bytes.is_empty() && frame.bytes.len() <= FRAME_BYTES_MAX,
            "frame of {} bytes",
            frame.bytes.len()
        );
        self.queue.push_back(frame);
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len() + usize::from(self.current.is_some())
    }

    /// Whether a frame is partly in.
    pub(super) fn is_busy(&self) -> bool {
        self.current.is_some()
    }

    /// A reset of the copy side: it never sees the frame that is under way.
    pub(super) fn forget_current(&mut self) {
        if let Some(current) = &mut self.current {
            current.seen = false;
        }
    }

    /// Clock in which something happens next.
    pub(super) fn next_event(&self) -> Option<u64> {
        let arriving = match &self.current {
            Some(current) => Some(current.last_beat),
            None => self.queue.front().map(|frame| frame.earliest_clock),
        };
        let leaving = self.leaving.front().map(|(clock, _)| *clock);
        [arriving, leaving].into_iter().flatten().min()
    }

    /// One clock of the receive side; a frame whose last beat this is comes back.
    pub(super) fn receive(
        &mut self,
        clock: u64,
        now_ns: u64,
        quality: u32,
        arrivals: &mut Vec<Arrival>,
    ) -> Option<Arriving> {
        if self.current.is_none() {
            let frame = self.queue.pop_front_if(|frame| frame.earliest_clock <= clock)?;
            arrivals.push(Arrival { number: frame.number, port: self.port, clock, stamp_ns: now_ns });
            let beats = frame.bytes.len().div_ceil(LINE_BYTES) as u64;
            let egress = EgressFrame {
                number: frame.number,
                port: other(self.port),
                ingress_clock: clock,
                egress_clock: clock + WIRE_CLOCKS,
                bytes: frame.bytes.clone(),
                damaged: frame.damaged,
            };
            self.leaving.push_back((clock + beats - 1 + WIRE_CLOCKS, egress));
            self.current =
                Some(Arriving { frame, stamp_ns: now_ns, quality, last_beat: clock + beats - 1, seen: true });
        }
        self.current.take_if(|current| current.last_beat == clock)
    }

    /// One clock of the transmit side.
    pub(super) fn transmit(&mut self, clock: u64) -> Option<EgressFrame> {
        let (_, frame) = self.leaving.pop_front_if(|(last_beat, _)| *last_beat <= clock)?;
        self.frames_left = true;
        Some(frame)
    }

    pub(super) fn latency(&self) -> Option<Latency> {
        self.frames_left.then_some(Latency { clocks_min: WIRE_CLOCKS, clocks_max: WIRE_CLOCKS })
    }
}

/// Makes the card's own frames of one port.
pub(super) struct SelfTest {
    port: PortSide,
    sent: u32,
    /// Clock from which on a frame is due, while enabled.
    due: Option<u64>,
}

impl SelfTest {
    pub(super) fn new(port: PortSide) -> Self {
        Self { port, sent: 0, due: None }
    }

    pub(super) fn enable(&mut self, on: bool, clocks: u64) {
        match (on, self.due) {
            (true, None) => self.due = Some(clocks),
            (false, _) => self.due = None,
            _ => {}
        }
    }

    /// One clock in which the port is idle; the frame, if one is due.
    pub(super) fn tick(&mut self, clocks: u64, registers: &RegisterFile) -> Option<Vec<u8>> {
        let due = self.due.filter(|due| *due <= clocks)?;
        let period = u64::from(registers.value(self_test::PERIOD_AT)) + 1;
        // A frame that could not leave in time leaves once, later; the beat goes on.
        self.due = Some(due + ((clocks - due) / period + 1) * period);
        let token = registers.wide(self_test::TOKEN_LO_AT, self_test::TOKEN_HI_AT);
        let frame = writ_abi::self_test::frame(self.port as u8, token, self.sent);
        self.sent = self.sent.wrapping_add(1);
        Some(frame.to_vec())
    }

    /// Clock in which something happens next, if the port is idle then.
    pub(super) fn next_event(&self) -> Option<u64> {
        self.due
    }

    pub(super) fn sent(&self) -> u32 {
        self.sent
    }
}

/// The port at the other end of the wire.
pub(super) fn other(port: PortSide) -> PortSide {
    match port {
        PortSide::A => PortSide::B,
        PortSide::B => PortSide::A,
    }
}
