//! Tells the golden model what happened inside the gateware, in order, and compares what both make of it.

use std::collections::{BTreeMap, VecDeque};
use writ_abi::PortSide;
use writ_abi::command::{Command, Completion};
use writ_abi::limits::FRAME_BYTES_MAX;
use writ_abi::record::DropCause;
use writ_abi::registers::Counter;
use writ_driver::Completed;
use writ_sim::card::{Arrival, IngressFrame};
use writ_sim::model::record::{self, Missing};
use writ_sim::model::tables::{Conditions, Frame, Looked, Tables};
use writ_sim::rtl::Tap;

/// What the model expects the card to have done.
#[derive(Default)]
pub(crate) struct Expected {
    /// Records in order, without skips.
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) counters: BTreeMap<Counter, u64>,
    pub(crate) completions: Vec<Completion>,
    /// How many outcomes were drops, by cause.
    pub(crate) dropped: u64,
}

struct Numbered {
    bytes: Vec<u8>,
    port: PortSide,
    looked: Looked,
    conditions: Conditions,
}

pub(crate) struct Replay {
    pub(crate) tables: Tables,
    expected: Expected,
    /// Frames by port in order of arrival, with their stamps as the harness saw them.
    arrived: [VecDeque<(IngressFrame, u64)>; 2],
    /// Those with a window, waiting for their lookup.
    windowed: [VecDeque<(IngressFrame, u64)>; 2],
    looked_up: [u64; 2],
    commands: VecDeque<(Command, Completion)>,
    /// Frames with hits in the order of their lookups, waiting for their outcome.
    numbered: VecDeque<Numbered>,
    next_sequence: u32,
    missing: Option<Missing>,
    stamps: [VecDeque<u64>; 2],
}

impl Replay {
    /// `sent`: every frame that was played, by number; `commands`: every command with its completion, in order.
    pub(crate) fn new(sent: &[IngressFrame], arrivals: &[Arrival], commands: &[(Command, Completed)]) -> Self {
        let mut arrived = [VecDeque::new(), VecDeque::new()];
        for arrival in arrivals {
            let frame = sent[arrival.number as usize].clone();
            assert_eq!(frame.port, arrival.port);
            arrived[arrival.port as usize].push_back((frame, arrival.stamp_ns));
        }
        Self {
            tables: Tables::new(),
            expected: Expected::default(),
            arrived,
            windowed: [VecDeque::new(), VecDeque::new()],
            looked_up: [0; 2],
            commands: commands.iter().map(|(command, done)| (*command, done.completion)).collect(),
            numbered: VecDeque::new(),
            next_sequence: 0,
            missing: None,
            stamps: [VecDeque::new(), VecDeque::new()],
        }
    }

    pub(crate) fn run(mut self, taps: &[Tap]) -> (Tables, Expected) {
        for tap in taps {
            match *tap {
                Tap::Stamp { port, stamp_ns, .. } => self.stamps[port as usize].push_back(stamp_ns),
                Tap::Window { port, dropped } => self.window(port, dropped),
                Tap::Lookup { port, stamp_ns, quality, armed, expiry_floor } => {
                    self.look_up(port, &Conditions { stamp_ns, quality, armed, expiry_floor });
                }
                Tap::Outcome { dropped, gap } => self.outcome(dropped, gap),
                Tap::Gap => self.gap(),
                // Damaged frames with hits take no number: the model leaves them out by itself.
                Tap::Damaged => {}
            }
        }
        self.commit();
        assert_eq!(self.commands.len(), 0, "a command that never took effect");
        assert_eq!(self.numbered.len(), 0, "a frame with hits that never had an outcome");
        assert!(self.arrived.iter().chain(&self.windowed).all(VecDeque::is_empty), "a frame without lookup");
        (self.tables, self.expected)
    }

    fn count(&mut self, counter: Counter, amount: u64) {
        *self.expected.counters.entry(counter).or_default() += amount;
    }

    fn window(&mut self, port: PortSide, dropped: bool) {
        let (frame, stamp_ns) = self.arrived[port as usize].pop_front().expect("a window without a frame");
        let tapped = self.stamps[port as usize].pop_front().expect("a window without a stamp");
        assert_eq!(tapped, stamp_ns, "the stamp is the card's time at the first beat");
        if dropped {
            self.count(Counter::Drop(DropCause::WindowFifo as u8), 1);
        } else {
            self.windowed[port as usize].push_back((frame, stamp_ns));
        }
    }

    /// Executes the commands that took effect before the next lookup.
    fn commit(&mut self) {
        while let Some((command, completion)) = self.commands.front() {
            let at = completion.frames_looked_up.map(|count| count.get());
            if at != self.looked_up {
                let passed = at[0] < self.looked_up[0] || at[1] < self.looked_up[1];
                assert!(!passed, "no moment has the counts {at:?}, now at {:?}", self.looked_up);
                return;
            }
            let executed = self.tables.execute(command, true);
            let mut expected = *completion;
            expected.status = executed.status as u8;
            expected.opcode = command.opcode;
            expected.row_valid = u8::from(executed.row_valid);
            expected.row = executed.row;
            expected.drop_packets = executed.drops.packets.into();
            expected.drop_bytes = executed.drops.bytes.into();
            expected.reserved = 0;
            expected.reserved2 = [0; 16];
            self.expected.completions.push(expected);
            self.commands.pop_front();
        }
    }

    fn look_up(&mut self, port: PortSide, conditions: &Conditions) {
        self.commit();
        let (frame, stamp_ns) = self.windowed[port as usize].pop_front().expect("a lookup without a window");
        assert_eq!(stamp_ns, conditions.stamp_ns, "the stamp travels with the frame");
        self.looked_up[port as usize] += 1;
        let view = Frame { port, bytes: &frame.bytes, damaged: frame.damaged };
        let looked = self.tables.look_up(&view, conditions);
        self.count([Counter::FramesLookedUpA, Counter::FramesLookedUpB][port as usize], 1);
        self.count(Counter::Class(looked.parsed.class as u8), 1);
        self.count(Counter::ExpiredHits, looked.expired);
        self.count(Counter::SuppressedTime, u64::from(looked.suppressed));
        if !frame.damaged && !looked.hits.is_empty() {
            self.count(Counter::FramesHit, 1);
            self.numbered.push_back(Numbered { bytes: frame.bytes, port, looked, conditions: *conditions });
        }
    }

    fn outcome(&mut self, dropped: Option<u8>, gap: bool) {
        let Numbered { bytes, port, looked, conditions } =
            self.numbered.pop_front().expect("an outcome of a frame that does not hit in the model");
        let frame = Frame { port, bytes: &bytes, damaged: false };
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let oversize = bytes.len() > FRAME_BYTES_MAX;
        match dropped {
            None => {
                assert!(!oversize, "an oversize frame is never copied");
                assert_eq!(gap, self.missing.is_some(), "missing numbers are named before the next packet record");
                if gap {
                    self.gap();
                }
                self.expected.records.push(record::packet(&frame, &looked, &conditions, sequence));
                self.count(Counter::Records, 1);
            }
            Some(bits) => {
                assert_eq!(oversize, bits == DropCause::Oversize as u8, "cause {bits}");
                let cause = [DropCause::CopyFifo, DropCause::RecordFifo, DropCause::Oversize][usize::from(bits)];
                self.tables.count_drop(&looked.hits, frame.original_bytes());
                self.missing = Some(Missing::merge(self.missing, sequence, conditions.stamp_ns, cause));
                self.count(Counter::Drop(bits), 1);
                self.expected.dropped += 1;
            }
        }
    }

    fn gap(&mut self) {
        let missing = self.missing.take().expect("a gap record without a missing number");
        self.expected.records.push(missing.record());
        self.count(Counter::GapRecords, 1);
    }
}
