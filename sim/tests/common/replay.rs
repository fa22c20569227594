//! Tells the golden model what happened inside the gateware, in order, and compares what both make of it.

use super::scenario::Scenario;
use std::collections::{BTreeMap, VecDeque};
use writ_abi::PortSide;
use writ_abi::command::{Command, Completion, Opcode, Status};
use writ_abi::limits::{FRAME_BYTES_MAX, RECORD_RINGS};
use writ_abi::record::{DropCause, Hit};
use writ_abi::registers::Counter;
use writ_abi::time::TimeQuality;
use writ_driver::Completed;
use writ_sim::card::{Arrival, IngressFrame};
use writ_sim::model::record::{self, Missing};
use writ_sim::model::tables::{CardState, Conditions, Frame, Looked, Tables};
use writ_sim::rtl::Tap;

/// Clocks in which a reset has certainly taken effect everywhere, and in which nothing of after it has been seen yet: a wire's tap is closed for
/// longer.
const RESET_CLOCKS: u64 = 12;

/// A command as it was submitted, and how it completed.
#[derive(Clone, Copy)]
pub(crate) struct Done {
    pub(crate) command: Command,
    pub(crate) completed: Completed,
    /// CONTROL.ARMED at the time.
    pub(crate) armed: bool,
    /// Nothing was under way any more: drop counters have counted everything.
    pub(crate) at_rest: bool,
}

/// What the model expects the card to have done since its last reset.
#[derive(Default)]
pub(crate) struct Expected {
    /// Records of each ring in order, without skips.
    pub(crate) records: [Vec<Vec<u8>>; RECORD_RINGS],
    pub(crate) counters: BTreeMap<Counter, u64>,
    pub(crate) completions: Vec<Completion>,
    /// How many outcomes were drops.
    pub(crate) dropped: u64,
}

/// A record that is due.
struct Due {
    ring: u8,
    hits: Vec<Hit>,
    frame: std::rc::Rc<Hitting>,
}

struct Hitting {
    bytes: Vec<u8>,
    port: PortSide,
    looked: Looked,
    conditions: Conditions,
}

/// What is known of one ring.
#[derive(Default)]
struct Ring {
    next_sequence: u32,
    missing: Option<Missing>,
}

/// Frames of one port on their way through the card.
#[derive(Default)]
struct Port {
    /// Not stamped yet, with the stamps as the harness saw them.
    arriving: VecDeque<(IngressFrame, u64)>,
    /// Stamped since the last reset, waiting for their window.
    stamped: VecDeque<(IngressFrame, u64)>,
    /// With a window, waiting for their lookup.
    windowed: VecDeque<(IngressFrame, u64)>,
    /// Frames that came around a reset may never be seen: the next stamp says where the card goes on.
    resyncs: bool,
}

pub(crate) struct Replay<'a> {
    scenario: &'a Scenario,
    ports: [Port; 2],
    tables: Tables,
    expected: Expected,
    looked_up: [u64; 2],
    commands: VecDeque<Done>,
    /// Records in the order of their verdicts, waiting for their outcome.
    due: VecDeque<Due>,
    rings: [Ring; RECORD_RINGS],
    /// The last command was a `Settle` that was done. No row has a mark any more, so the state of the batch, which may fall a few clocks after the
    /// completion's counts were taken, changes no lookup's result before the next command takes effect.
    has_settled: bool,
    /// Clock of the reset that is taking effect.
    reset_at: Option<u64>,
}

impl<'a> Replay<'a> {
    /// `sent`: every frame that was played, by number.
    pub(crate) fn new(scenario: &'a Scenario, sent: &[IngressFrame], arrivals: &[Arrival]) -> Self {
        let mut ports = [Port::default(), Port::default()];
        for arrival in arrivals {
            let frame = sent[arrival.number as usize].clone();
            assert_eq!(frame.port, arrival.port);
            ports[arrival.port as usize].arriving.push_back((frame, arrival.stamp_ns));
        }
        Self {
            scenario,
            ports,
            tables: Tables::new(),
            expected: Expected::default(),
            looked_up: [0; 2],
            commands: VecDeque::new(),
            due: VecDeque::new(),
            rings: Default::default(),
            has_settled: false,
            reset_at: None,
        }
    }

    /// Goes through all taps. `segments`: the commands between two resets. Returns what is expected of each segment.
    pub(crate) fn run(mut self, taps: &[(u64, Tap)], segments: &[Vec<Done>]) -> Vec<Expected> {
        let mut segments = segments.iter();
        let mut all = Vec::new();
        self.commands.extend(segments.next().into_iter().flatten());
        for (clock, tap) in taps {
            if *tap == Tap::Reset {
                all.push(self.reset(*clock));
                self.commands.extend(segments.next().into_iter().flatten());
            } else if !self.is_of_before(*clock) {
                self.take(tap);
            }
        }
        self.commit();
        assert_eq!(self.commands.len(), 0, "a command that never took effect");
        assert_eq!(self.due.len(), 0, "a record that was due and never had an outcome");
        let waiting = |port: &Port| port.stamped.len() + port.windowed.len() + port.arriving.len();
        for port in &self.ports {
            assert!(port.resyncs || waiting(port) == 0, "a frame without lookup");
        }
        all.push(self.expected);
        all
    }

    /// The card is reset: what was under way is gone. Commands had all completed.
    fn reset(&mut self, clock: u64) -> Expected {
        self.commit();
        assert_eq!(self.commands.len(), 0, "a command that never took effect");
        for port in &mut self.ports {
            port.stamped.clear();
            port.windowed.clear();
            port.resyncs = true;
        }
        self.tables = Tables::new();
        self.looked_up = [0; 2];
        self.has_settled = false;
        self.due.clear();
        self.rings = Default::default();
        self.reset_at = Some(clock);
        std::mem::take(&mut self.expected)
    }

    /// Whether a tap speaks of a frame that the reset has not thrown out yet.
    fn is_of_before(&self, clock: u64) -> bool {
        self.reset_at.is_some_and(|reset_at| clock <= reset_at + RESET_CLOCKS)
    }

    fn take(&mut self, tap: &Tap) {
        match *tap {
            Tap::Stamp { port, stamp_ns, .. } => self.stamp(port, stamp_ns),
            Tap::Window { port, dropped } => self.window(port, dropped),
            Tap::Lookup { port, stamp_ns, quality, armed, expiry_floor, committed } => {
                self.look_up(port, &self.conditions(stamp_ns, quality, armed, expiry_floor), committed);
            }
            Tap::Outcome { ring, dropped, gap } => self.outcome(ring, dropped, gap),
            Tap::Gap { ring } => self.gap(ring),
            // Damaged frames with hits take no number: the model leaves them out by itself.
            Tap::Damaged | Tap::Reset => {}
        }
    }

    fn conditions(&self, stamp_ns: u64, quality: TimeQuality, armed: bool, expiry_floor: u64) -> Conditions {
        let (prefix_bits, own_tunnels) = (self.scenario.prefix_bits.unwrap_or(0), self.scenario.own_tunnels);
        Conditions { stamp_ns, quality, armed, expiry_floor, prefix_bits, own_tunnels }
    }

    fn count(&mut self, counter: Counter, amount: u64) {
        *self.expected.counters.entry(counter).or_default() += amount;
    }

    fn stamp(&mut self, port: PortSide, tapped: u64) {
        let port = &mut self.ports[port as usize];
        while let Some((frame, stamp_ns)) = port.arriving.pop_front() {
            if stamp_ns == tapped {
                port.resyncs = false;
                port.stamped.push_back((frame, stamp_ns));
                return;
            }
            assert!(port.resyncs, "the stamp is {tapped}, and the card's time at the first beat was {stamp_ns}");
        }
        panic!("a stamp without a frame");
    }

    fn window(&mut self, port: PortSide, dropped: bool) {
        let frame = self.ports[port as usize].stamped.pop_front().expect("a window without a stamp");
        if dropped {
            self.count(Counter::Drop(DropCause::WindowFifo as u8), 1);
            self.count(Counter::WindowFifoA, u64::from(port == PortSide::A));
        } else {
            self.ports[port as usize].windowed.push_back(frame);
        }
    }

    /// Executes the commands that took effect before the next lookup.
    fn commit(&mut self) {
        while let Some(Done { command, completed, armed, at_rest }) = self.commands.front() {
            let completion = completed.completion;
            let at = completed.frames_looked_up();
            if at != self.looked_up {
                let passed = at[0] < self.looked_up[0] || at[1] < self.looked_up[1];
                assert!(!passed, "no moment has the counts {at:?}, now at {:?}", self.looked_up);
                return;
            }
            let executed = self.tables.execute(command, CardState { tables_ready: true, armed: *armed });
            self.has_settled = command.opcode == Opcode::Settle as u8 && executed.status == Status::Done;
            let mut expected = completion;
            expected.status = executed.status as u8;
            expected.opcode = command.opcode;
            expected.row_state = executed.row_state as u8;
            expected.row = executed.row;
            if *at_rest {
                expected.drop_packets = executed.drops.packets.into();
                expected.drop_bytes = executed.drops.bytes.into();
            }
            expected.reserved = 0;
            expected.reserved2 = [0; 16];
            self.expected.completions.push(expected);
            self.commands.pop_front();
        }
    }

    fn look_up(&mut self, port: PortSide, conditions: &Conditions, committed: bool) {
        self.commit();
        let windowed = &mut self.ports[port as usize].windowed;
        let (frame, stamp_ns) = windowed.pop_front().expect("a lookup without a window");
        assert_eq!(stamp_ns, conditions.stamp_ns, "the stamp travels with the frame");
        let expected = self.tables.is_committed() || self.has_settled && committed;
        assert_eq!(committed, expected, "the state of the batch, frame {}", frame.number);
        self.looked_up[port as usize] += 1;
        let view = Frame { port, bytes: &frame.bytes, damaged: frame.damaged };
        let looked = self.tables.look_up(&view, conditions);
        self.count([Counter::FramesLookedUpA, Counter::FramesLookedUpB][port as usize], 1);
        self.count(Counter::Class(looked.parsed.class as u8), 1);
        self.count(Counter::ExpiredHits, looked.expired);
        self.count(Counter::MultiHits, looked.multi);
        self.count(Counter::DamagedReads, looked.damaged);
        self.count(Counter::SuppressedTime, u64::from(looked.suppressed));
        if looked.hits.is_empty() {
            return;
        }
        self.count(Counter::VerdictsHit, 1);
        if frame.damaged {
            self.count(Counter::FlaggedHits, 1);
            return;
        }
        self.count(Counter::FramesHit, 1);
        let rings = looked.rings();
        let frame = std::rc::Rc::new(Hitting { bytes: frame.bytes, port, looked, conditions: *conditions });
        self.due.extend(rings.into_iter().map(|(ring, hits)| Due { ring, hits, frame: std::rc::Rc::clone(&frame) }));
    }

    fn outcome(&mut self, ring: u8, dropped: Option<u8>, gap: bool) {
        let Due { ring: expected_ring, hits, frame } =
            self.due.pop_front().expect("an outcome of a record that is not due in the model");
        assert_eq!(ring, expected_ring, "records are due frame by frame, in a frame ring by ring");
        self.count(Counter::RecordsDue, 1);
        let Hitting { bytes, port, looked, conditions } = &*frame;
        let view = Frame { port: *port, bytes, damaged: false };
        let state = &mut self.rings[usize::from(ring)];
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        let oversize = bytes.len() > FRAME_BYTES_MAX;
        match dropped {
            None => {
                assert!(!oversize, "an oversize frame is never copied");
                assert_eq!(gap, state.missing.is_some(), "missing numbers are named before the next packet record");
                if gap {
                    self.gap(ring);
                }
                let record = record::packet(&view, looked, &hits, conditions, sequence);
                self.expected.records[usize::from(ring)].push(record);
                self.count(Counter::Records, 1);
            }
            Some(bits) => {
                assert_eq!(oversize, bits == DropCause::Oversize as u8, "cause {bits}");
                let cause = [DropCause::CopyFifo, DropCause::RecordFifo, DropCause::Oversize][usize::from(bits)];
                state.missing = Some(Missing::merge(state.missing, sequence, conditions.stamp_ns, cause));
                self.tables.count_drop(&hits, view.original_bytes());
                self.count(Counter::Drop(bits), 1);
                self.expected.dropped += 1;
            }
        }
    }

    fn gap(&mut self, ring: u8) {
        let missing = self.rings[usize::from(ring)].missing.take().expect("a gap record without a missing number");
        self.expected.records[usize::from(ring)].push(missing.record());
        self.count(Counter::GapRecords, 1);
    }
}
