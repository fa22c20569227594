//! The timed model: a whole card around the functional one.

use super::clock::Clock;
use super::commands::{CommandEngine, CommitPoint};
use super::counters::LiveCounters;
use super::record::{self, Missing};
use super::registers::RegisterFile;
use super::ring::{Bus, RecordPath};
use super::scrub::Scrubber;
use super::tables::{CardState, Conditions, Frame, Looked, Tables};
use super::timing::{SWEEP_CLOCKS, VERDICT_CLOCKS};
use super::wire::{Arriving, SelfTest, Wire};
use crate::card::{Arrival, EgressFrame, IngressFrame, Latency, SimCard};
use std::collections::VecDeque;
use writ_abi::PortSide;
use writ_abi::limits::{FRAME_BYTES_MAX, RECORD_RINGS};
use writ_abi::record::{DropCause, Hit};
use writ_abi::registers::{COUNTERS, Counter, clock, control, counters, lookup, rings, self_test};
use writ_abi::time::TimeQuality;
use writ_driver::memory::CardMemory;

/// A card that is nothing but the ABI's text.
pub struct ModelCard {
    clocks: u64,
    wires: [Wire; 2],
    arrivals: Vec<Arrival>,
    egress: Vec<EgressFrame>,
    bus: Bus,
    pps: bool,
    copy: CopySide,
}

/// Everything that CONTROL.RESET resets: the card without its wires.
struct CopySide {
    registers: RegisterFile,
    clock: Clock,
    now_hi_latched: u32,
    pps_latched: u64,
    self_tests: [SelfTest; 2],
    sweep_ends: u64,
    tables: Tables,
    counters: LiveCounters,
    snapshot: LiveCounters,
    /// Frames that wait for their verdict, in the order of their verdicts, with its clock.
    waiting: VecDeque<(u64, Arriving)>,
    /// By number.
    rings: [Ring; RECORD_RINGS],
    scrubber: Scrubber,
    commands: CommandEngine,
}

/// What belongs to one record ring.
struct Ring {
    next_sequence: u32,
    missing: Option<Missing>,
    path: RecordPath,
}

impl ModelCard {
    /// A card that was just reset.
    pub fn new(memory: CardMemory) -> Self {
        Self {
            clocks: 0,
            wires: PortSide::ALL.map(Wire::new),
            arrivals: Vec::new(),
            egress: Vec::new(),
            bus: Bus::new(memory),
            pps: false,
            copy: CopySide::new(0),
        }
    }

    /// The records that this frame (FCS included) would make if it came in now, with their rings, as record 0 of each: nothing is counted and nothing
    /// written.
    pub fn records_of(&self, port: PortSide, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let frame = Frame { port, bytes, damaged: false };
        let conditions = self.copy.conditions(self.copy.clock.now_ns(), self.copy.quality());
        let looked = self.copy.tables.look_up(&frame, &conditions);
        let record = |hits: &[Hit]| record::packet(&frame, &looked, hits, &conditions, 0);
        looked.rings().into_iter().map(|(ring, hits)| (ring, record(&hits))).collect()
    }

    fn tick(&mut self) {
        let now_ns = self.copy.clock.now_ns();
        let quality = self.copy.quality() as u32;
        for (wire, port) in self.wires.iter_mut().zip(PortSide::ALL) {
            if let Some(arriving) = wire.receive(self.clocks, now_ns, quality, &mut self.arrivals) {
                self.copy.frame_ended(port, arriving, self.clocks);
            }
            if !wire.is_busy() {
                self.copy.self_test(port, self.clocks);
            }
        }
        self.copy.tick(self.clocks, &mut self.bus);
        for wire in &mut self.wires {
            if let Some(frame) = wire.transmit(self.clocks) {
                let out = [Counter::FramesOutA, Counter::FramesOutB];
                self.copy.counters.add_for(frame.port, out, 1);
                self.egress.push(frame);
            }
        }
        self.skip(1);
    }

    /// Lets clocks pass in which nothing happens.
    fn skip(&mut self, clocks: u64) {
        self.clocks += clocks;
        self.copy.clock.advance(clocks);
    }

    fn next_event(&self) -> Option<u64> {
        let wires = self.wires.iter().filter_map(Wire::next_event);
        let idle = PortSide::ALL.into_iter().filter(|port| !self.wires[*port as usize].is_busy());
        let tests = idle.filter_map(|port| self.copy.self_tests[port as usize].next_event());
        wires.chain(tests).chain(self.copy.next_event()).min()
    }

    fn reset(&mut self) {
        self.copy = CopySide::new(self.clocks);
        for wire in &mut self.wires {
            wire.forget_current();
        }
    }
}

impl CopySide {
    fn new(clocks: u64) -> Self {
        Self {
            registers: RegisterFile::new(),
            clock: Clock::new(),
            now_hi_latched: 0,
            pps_latched: 0,
            self_tests: PortSide::ALL.map(SelfTest::new),
            sweep_ends: clocks + SWEEP_CLOCKS,
            tables: Tables::new(),
            counters: LiveCounters::ZERO,
            snapshot: LiveCounters::ZERO,
            waiting: VecDeque::new(),
            rings: std::array::from_fn(|ring| Ring {
                next_sequence: 0,
                missing: None,
                path: RecordPath::new(ring as u8),
            }),
            scrubber: Scrubber::new(clocks + SWEEP_CLOCKS),
            commands: CommandEngine::default(),
        }
    }

    fn frame_ended(&mut self, port: PortSide, arriving: Arriving, clocks: u64) {
        self.counters.add_for(port, [Counter::FramesInA, Counter::FramesInB], 1);
        let bytes = arriving.frame.bytes.len() as u64;
        self.counters.add_for(port, [Counter::BytesInA, Counter::BytesInB], bytes);
        if arriving.frame.damaged {
            self.counters.add(Counter::Drop(DropCause::WireError as u8), 1);
        }
        if arriving.seen {
            self.waiting.push_back((clocks + VERDICT_CLOCKS, arriving));
        }
    }

    /// The card's own frame, if one is due: a frame of the port that was never on the wire.
    fn self_test(&mut self, port: PortSide, clocks: u64) {
        let Some(bytes) = self.self_tests[port as usize].tick(clocks, &self.registers) else { return };
        self.counters.add_for(port, [Counter::SelfTestA, Counter::SelfTestB], 1);
        let arriving = Arriving::of_card(port, bytes, clocks, self.clock.now_ns(), self.quality() as u32);
        self.waiting.push_back((clocks + VERDICT_CLOCKS, arriving));
    }

    /// How far the time can be trusted now. A number without meaning is no trust.
    fn quality(&self) -> TimeQuality {
        let set = TimeQuality::from_bits(self.registers.field(clock::SET_AT, clock::QUALITY) as u8);
        set.filter(|_| !self.clock.is_doubted()).unwrap_or(TimeQuality::Unset)
    }

    fn tick(&mut self, clocks: u64, bus: &mut Bus) {
        let looked_up = [Counter::FramesLookedUpA, Counter::FramesLookedUpB];
        let point = CommitPoint {
            stamp_ns: self.clock.now_ns(),
            frames_looked_up: looked_up.map(|counter| self.counters.value(counter)),
            card: CardState { tables_ready: clocks >= self.sweep_ends, armed: self.is_armed() },
        };
        self.scrubber.catch_up(clocks, &self.tables, &mut self.counters);
        if self.commands.tick(clocks, &self.registers, &mut self.tables, &point, bus) {
            self.counters.add(Counter::Commands, 1);
        }
        while let Some((_, arriving)) = self.waiting.pop_front_if(|(clock, _)| *clock <= clocks) {
            self.verdict(&arriving);
        }
        for ring in 0..RECORD_RINGS {
            if self.rings[ring].path.is_empty() {
                // Nothing else waits: the missing numbers are named even though no packet follows them.
                self.push_gap(ring);
            }
            self.rings[ring].path.tick(clocks, &self.registers, bus);
        }
    }

    fn next_event(&self) -> Option<u64> {
        let rings = self.rings.iter().flat_map(|ring| {
            // The last record leaves the FIFO in the clock before the gap is made.
            let gap = ring.missing.filter(|_| ring.path.is_empty()).map(|_| 0);
            [ring.path.next_event(&self.registers), gap]
        });
        let verdict = self.waiting.front().map(|(clock, _)| *clock);
        rings.chain([verdict, self.commands.next_event(&self.registers)]).flatten().min()
    }

    /// What a frame of this stamp is looked up under.
    fn conditions(&self, stamp_ns: u64, quality: TimeQuality) -> Conditions {
        Conditions {
            stamp_ns,
            quality,
            armed: self.is_armed(),
            expiry_floor: self.clock.expiry_floor(),
            prefix_bits: self.registers.field(lookup::PREFIX_AT, lookup::PREFIX_BITS) as u8,
            own_tunnels: self.registers.field(lookup::OWN_TUNNELS_AT, lookup::OWN_TUNNELS),
        }
    }

    fn verdict(&mut self, arriving: &Arriving) {
        let IngressFrame { port, ref bytes, damaged, .. } = arriving.frame;
        let frame = Frame { port, bytes, damaged };
        // A number without meaning is no trust.
        let quality = TimeQuality::from_bits(arriving.quality as u8).unwrap_or(TimeQuality::Unset);
        let conditions = self.conditions(arriving.stamp_ns, quality);
        let looked = self.tables.look_up(&frame, &conditions);
        self.counters.add_for(port, [Counter::FramesLookedUpA, Counter::FramesLookedUpB], 1);
        self.counters.add(Counter::Class(looked.parsed.class as u8), 1);
        self.counters.add(Counter::ExpiredHits, looked.expired);
        self.counters.add(Counter::MultiHits, looked.multi);
        self.counters.add(Counter::DamagedReads, looked.damaged);
        self.counters.add(Counter::SuppressedTime, u64::from(looked.suppressed));
        if looked.hits.is_empty() {
            return;
        }
        self.counters.add(Counter::VerdictsHit, 1);
        if damaged {
            self.counters.add(Counter::FlaggedHits, 1);
            return;
        }
        self.counters.add(Counter::FramesHit, 1);
        for (ring, hits) in looked.rings() {
            self.record(usize::from(ring), &frame, &looked, &hits, &conditions);
        }
    }

    /// Makes the record of a frame for one ring, or drops it there.
    fn record(&mut self, ring: usize, frame: &Frame<'_>, looked: &Looked, hits: &[Hit], conditions: &Conditions) {
        self.counters.add(Counter::RecordsDue, 1);
        let sequence = self.rings[ring].next_sequence;
        self.rings[ring].next_sequence = sequence.wrapping_add(1);
        let lines = record::packet_lines(frame, looked, hits);
        match self.room_for(ring, frame, lines) {
            Ok(()) => {
                self.push_gap(ring);
                self.rings[ring].path.push(record::packet(frame, looked, hits, conditions, sequence));
                self.counters.add(Counter::Records, 1);
            }
            Err(cause) => {
                self.counters.add(Counter::Drop(cause as u8), 1);
                self.tables.count_drop(hits, frame.original_bytes());
                let missing = &mut self.rings[ring].missing;
                *missing = Some(Missing::merge(*missing, sequence, conditions.stamp_ns, cause));
            }
        }
    }

    fn is_armed(&self) -> bool {
        self.registers.field(control::CONTROL_AT, control::ARMED) == 1
    }

    fn room_for(&self, ring: usize, frame: &Frame<'_>, lines: usize) -> Result<(), DropCause> {
        if frame.bytes.len() > FRAME_BYTES_MAX {
            return Err(DropCause::Oversize);
        }
        let Ring { missing, path, .. } = &self.rings[ring];
        let was_full = missing.is_some_and(|missing| missing.names(DropCause::RecordFifo));
        let has_room = path.has_room(lines + usize::from(missing.is_some())) && (!was_full || path.takes_again());
        if has_room { Ok(()) } else { Err(DropCause::RecordFifo) }
    }

    fn push_gap(&mut self, ring: usize) {
        let ring = &mut self.rings[ring];
        if let Some(missing) = ring.missing.take() {
            ring.path.push(missing.record());
            self.counters.add(Counter::GapRecords, 1);
        }
    }

    fn status(&self, clocks: u64, a_frame_is_arriving: bool) -> u32 {
        let rings_idle = self.rings.iter().all(|ring| ring.missing.is_none() && ring.path.is_idle());
        let idle = !a_frame_is_arriving && self.waiting.is_empty() && rings_idle;
        control::TABLES_READY.place(u32::from(clocks >= self.sweep_ends))
            | control::RECORDS_IDLE.place(u32::from(idle))
            | control::COMMITTED.place(u32::from(self.tables.is_committed()))
    }

    fn write(&mut self, clocks: u64, offset: u32, value: u32) {
        let before = self.registers.value(offset);
        self.registers.store(offset, value);
        let after = self.registers.value(offset);
        match offset {
            control::CONTROL_AT => {
                if !self.is_armed() {
                    self.clock.disarmed();
                }
                if control::SNAPSHOT.extract(value) == 1 {
                    self.scrubber.catch_up(clocks, &self.tables, &mut self.counters);
                    self.snapshot = self.counters.clone();
                    // Everything else happens in one clock here.
                    for port in PortSide::ALL {
                        let waiting = self.waiting.iter().filter(|(_, arriving)| arriving.frame.port == port).count();
                        self.snapshot.add_for(port, [Counter::InFlightA, Counter::InFlightB], waiting as u64);
                    }
                }
            }
            clock::SET_AT if clock::APPLY.extract(value) == 1 && self.is_armed() => self.clock.doubt(),
            clock::SET_AT if clock::APPLY.extract(value) == 1 => {
                self.clock.step(self.registers.wide(clock::SET_LO_AT, clock::SET_HI_AT));
            }
            clock::SLEW_AT if clock::SLEW_START.extract(value) == 1 => {
                let unused = 32 - clock::SLEW_NS.width;
                let ns = (self.registers.field(clock::SLEW_AT, clock::SLEW_NS) << unused) as i32 >> unused;
                self.clock.slew(ns, self.registers.field(clock::SLEW_INTERVAL_AT, clock::SLEW_INTERVAL));
            }
            self_test::ENABLE_AT => {
                let ports = self_test::ENABLE_PORTS.extract(after);
                for (port, test) in self.self_tests.iter_mut().enumerate() {
                    test.enable(ports >> port & 1 == 1, clocks);
                }
            }
            clock::INCREMENT_NS_AT | clock::INCREMENT_FRACTION_AT => {
                let ns = self.registers.field(clock::INCREMENT_NS_AT, clock::INCREMENT_NS_FIELD);
                self.clock.set_increment(ns, self.registers.value(clock::INCREMENT_FRACTION_AT));
            }
            rings::ENABLE_AT => {
                let risen = after & !before;
                let records_risen = rings::ENABLE_RECORDS.extract(risen);
                for (number, ring) in self.rings.iter_mut().enumerate() {
                    if records_risen >> number & 1 == 1 {
                        ring.path.enable();
                    }
                }
                if rings::ENABLE_COMMANDS.extract(risen) == 1 {
                    self.commands.enable();
                }
            }
            _ => {}
        }
    }
}

impl SimCard for ModelCard {
    fn name(&self) -> &'static str {
        "model"
    }

    fn read32(&mut self, offset: u32) -> u32 {
        let counters_end = counters::OFFSET + 8 * COUNTERS.len() as u32;
        match offset {
            control::STATUS_AT => self.copy.status(self.clocks, self.wires.iter().any(Wire::is_busy)),
            clock::NOW_LO_AT => {
                let now_ns = self.copy.clock.now_ns();
                self.copy.now_hi_latched = (now_ns >> 32) as u32;
                now_ns as u32
            }
            clock::NOW_HI_AT => self.copy.now_hi_latched,
            clock::SLEW_LEFT_AT => clock::SLEW_LEFT_NS.place(self.copy.clock.slew_left_ns() as u32),
            clock::PPS_COUNT_AT => {
                let pulse = self.copy.clock.last_pulse();
                self.copy.pps_latched = pulse.ns;
                pulse.count
            }
            clock::PPS_LO_AT => self.copy.pps_latched as u32,
            clock::PPS_HI_AT => (self.copy.pps_latched >> 32) as u32,
            clock::STATE_AT => {
                clock::STATE_QUALITY.place(self.copy.quality() as u32)
                    | clock::STATE_REFUSED.place(u32::from(self.copy.clock.is_doubted()))
            }
            self_test::SENT_A_AT => self.copy.self_tests[0].sent(),
            self_test::SENT_B_AT => self.copy.self_tests[1].sent(),
            lookup::DAMAGE_AT => {
                let CopySide { scrubber, tables, counters, .. } = &mut self.copy;
                scrubber.catch_up(self.clocks, tables, counters);
                scrubber.damage()
            }
            counter if (counters::OFFSET..counters_end).contains(&counter) => {
                self.copy.snapshot.word((counter - counters::OFFSET) as usize / 4)
            }
            other => self.copy.registers.value(other),
        }
    }

    fn write32(&mut self, offset: u32, value: u32) {
        if offset == control::CONTROL_AT && control::RESET.extract(value) == 1 {
            self.reset();
        } else {
            self.copy.write(self.clocks, offset, value);
        }
    }

    fn run(&mut self, clocks: u64) {
        let end = self.clocks.saturating_add(clocks);
        while self.clocks < end {
            match self.next_event() {
                Some(event) if event <= self.clocks => self.tick(),
                event => self.skip(event.unwrap_or(end).min(end) - self.clocks),
            }
        }
    }

    fn clocks(&self) -> u64 {
        self.clocks
    }

    fn now_ns(&self) -> u64 {
        self.copy.clock.now_ns()
    }

    fn increment(&self) -> u64 {
        self.copy.clock.increment()
    }

    fn push(&mut self, frame: IngressFrame) {
        self.wires[frame.port as usize].push(frame);
    }

    fn queued(&self) -> usize {
        self.wires.iter().map(Wire::queued).sum()
    }

    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        out.append(&mut self.arrivals);
    }

    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        out.append(&mut self.egress);
    }

    fn latency(&self, port: PortSide) -> Option<Latency> {
        self.wires[port as usize].latency()
    }

    fn set_pps(&mut self, high: bool) {
        if high && !self.pps {
            self.copy.clock.pulse();
        }
        self.pps = high;
    }

    fn dma_lines(&self) -> u64 {
        self.bus.lines
    }

    fn dma_faults(&self) -> u64 {
        self.bus.faults
    }

    fn interrupts(&self) -> u64 {
        self.bus.interrupts
    }

    fn set_memory(&mut self, memory: CardMemory) {
        self.bus.set_memory(memory);
    }
}
