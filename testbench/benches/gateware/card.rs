//! The card, its driver, and the processor time that running it takes.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use writ_abi::command::{Command, Row};
use writ_abi::time::{NOT_AFTER_NEVER, TimeQuality};
use writ_abi::{MatchIndex, PortSide, Scope, Table, hash, key};
use writ_driver::memory::HostMemory;
use writ_driver::{
    Bar, BringUp, Card, CommandChannel, Counters, Event, Flow, Irq, Irqs, LookupSettings, Parts, RecordRing,
    RingMemory, RingSizes, Wake,
};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, SimCard};
use writ_sim::rtl::{RtlCard, Tap};
use writ_testbench::check::loss::record_lines;
use writ_testbench::check::ring_side::RingPlace;
use writ_testbench::traffic::line;

use crate::decision::{self, Timing};
use crate::failure::Failure;
use crate::source;

/// Packets from here match.
pub(crate) const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// What its row returns.
pub(crate) const TARGET_INDEX: u32 = 1;
/// The way that its row stands in.
pub(crate) const TARGET_WAY: u8 = 0;
const TIMEOUT: Duration = Duration::from_secs(60);
/// More than arrive between two looks at the ring.
const RECORD_LINES: u32 = 1 << 14;
/// Some time in 2023.
const EPOCH_NS: u64 = 1_700_000_000_000_000_000;

/// The card, shared with its driver.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<RtlCard>>);

impl Shared {
    pub(crate) fn card(&self) -> MutexGuard<'_, RtlCard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bar for Shared {
    fn read32(&self, offset: u32) -> u32 {
        let mut card = self.card();
        let value = card.read32(offset);
        // Whoever polls a register lets time pass.
        card.run(16);
        value
    }

    fn write32(&self, offset: u32, value: u32) {
        self.card().write32(offset, value);
    }
}

impl Irq for Shared {
    fn wait(&mut self, _timeout: Duration) -> Wake {
        self.card().run(256);
        Wake::TimedOut
    }
}

/// What came out of the card since the last look.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) egress: Vec<EgressFrame>,
    pub(crate) taps: Vec<(u64, Tap)>,
}

/// A card that is armed, with one row.
pub(crate) struct Rig {
    pub(crate) shared: Shared,
    pub(crate) driver: Card,
    pub(crate) commands: CommandChannel,
    pub(crate) ring: RecordRing,
    /// Number of the next frame.
    pub(crate) next_number: u64,
    /// Where the ring's next record goes.
    pub(crate) place: RingPlace,
    /// How long it takes when it is idle.
    pub(crate) timing: Timing,
}

impl Rig {
    pub(crate) fn new() -> Result<Self, Failure> {
        let sizes = RingSizes { record_lines: [RECORD_LINES, 0, 0, 0], commands: 1024 };
        let memory = HostMemory::new(sizes.memory_bytes()).map_err(Failure::Memory)?;
        let shared = Shared(Arc::new(Mutex::new(RtlCard::new(memory.card()))));
        let rings = RingMemory::allocate(&memory, &sizes)?;
        let irqs = Irqs::each(|| Box::new(shared.clone()));
        let how = BringUp {
            now_ns: EPOCH_NS,
            quality: TimeQuality::Free,
            lookup: LookupSettings::default(),
            ready_timeout: TIMEOUT,
        };
        let Parts { card: driver, mut commands, rings } = Card::bring_up(Arc::new(shared.clone()), rings, irqs, &how)?;
        let ring = rings.into_iter().next().ok_or_else(|| Failure::Setup("the card came up without a ring".into()))?;
        commands.execute(&[target_row()?], TIMEOUT)?;
        driver.arm()?;
        shared.card().trace(true);
        let mut rig = Self {
            shared,
            driver,
            commands,
            ring,
            next_number: 0,
            place: RingPlace::new(RECORD_LINES.into()),
            timing: Timing::default(),
        };
        rig.timing.verdict_clocks = rig.probe(60, |entered, _, decided| decided - entered)?;
        rig.timing.end_clocks = rig.probe(9600, |_, ended, decided| decided - ended)?;
        Ok(rig)
    }

    /// Sends matching frames of a size through the idle card, one by one, on either port and at several clocks: some span between the entry of its keys,
    /// its last beat and its record's number is always the same.
    fn probe(&mut self, frame_bytes: usize, span: fn(u64, u64, u64) -> u64) -> Result<u64, Failure> {
        let mut found = None;
        for round in 0..8 {
            let port = PortSide::ALL[round % 2];
            let number = self.next_number;
            self.next_number += 1;
            let bytes = source::frame(frame_bytes, true, number);
            let beats = line::beats(bytes.len());
            let earliest_clock = self.clocks() + 100 + round as u64 * 37;
            self.shared.card().push(IngressFrame { number, port, earliest_clock, bytes, damaged: false });
            let mut seen = Seen::default();
            self.run(2000);
            self.look(&mut seen);
            self.settle()?;
            let clocks = decision::entered_and_decided(&seen.taps)
                .zip(seen.arrivals.first())
                .map(|((entered, decided), arrival)| span(entered, arrival.clock + beats - 1, decided))
                .ok_or_else(|| Failure::Setup("a matching frame had no lookup, or no record".into()))?;
            if found.is_some_and(|found| found != clocks) {
                return Err(Failure::Setup(format!("an idle card decides after {found:?} clocks, and after {clocks}")));
            }
            found = Some(clocks);
        }
        found.ok_or_else(|| Failure::Setup("no probe".into()))
    }

    pub(crate) fn clocks(&self) -> u64 {
        self.shared.card().clocks()
    }

    /// Runs, and says how much of this thread's processor time that took.
    pub(crate) fn run(&self, clocks: u64) -> Duration {
        let mut card = self.shared.card();
        let before = thread_time();
        card.run(clocks);
        thread_time().saturating_sub(before)
    }

    /// Takes what came out.
    pub(crate) fn look(&self, seen: &mut Seen) {
        let mut card = self.shared.card();
        card.take_arrivals(&mut seen.arrivals);
        card.take_egress(&mut seen.egress);
        card.take_taps(&mut seen.taps);
    }

    /// Counters as of now.
    pub(crate) fn counters(&self) -> Result<Counters, Failure> {
        Ok(self.driver.counters()?)
    }

    /// Packets and bytes dropped so far for the target.
    pub(crate) fn target_drops(&mut self) -> Result<(u64, u64), Failure> {
        let done = self.commands.execute(&[Command::drops(0, index(TARGET_INDEX)?, false)], TIMEOUT)?;
        let completion = done.first().map(|done| done.completion);
        let completion = completion.ok_or_else(|| Failure::Setup("no completion".into()))?;
        Ok((completion.drop_packets.get(), completion.drop_bytes.get()))
    }

    /// Runs until nothing is under way any more, without a look at what comes out.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        for _ in 0..4000 {
            self.run(256);
            let records = self.discard()?;
            let is_idle = records == 0 && self.shared.card().queued() == 0 && self.driver.status()?.records_idle;
            if is_idle && self.discard()? == 0 {
                return Ok(());
            }
        }
        Err(Failure::Endless("the card's work"))
    }

    /// Takes the records that are there, only to know where the next one goes.
    fn discard(&mut self) -> Result<u32, Failure> {
        let place = &mut self.place;
        let progress = self.ring.poll(u32::MAX, |event| {
            match event {
                Event::Packet(packet) => place.advance(record_lines(packet.payload.len() as u16)),
                Event::Gap(_) => place.advance(1),
                Event::Lost { .. } => {}
            }
            Flow::Taken
        })?;
        Ok(progress.records)
    }
}

/// Processor time of this thread: other programs on the machine do not count.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// A match index.
pub(crate) fn index(value: u32) -> Result<MatchIndex, Failure> {
    MatchIndex::new(value).ok_or_else(|| Failure::Setup(format!("match index {value} does not exist")))
}

/// A write of a row that allows the whole frame, for ever, to ring 0.
pub(crate) fn row(table: Table, way: u8, key: &[u8], match_index: MatchIndex) -> Command {
    let place = hash::rows(key, table.rows_per_way())[usize::from(way)];
    let mut content =
        Row { key: [0; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after: NOT_AFTER_NEVER, ring: 0 };
    content.key[..key.len()].copy_from_slice(key);
    Command::write_row(0, table, way, place, &content)
}

/// The write of the target's row.
pub(crate) fn target_row() -> Result<Command, Failure> {
    Ok(row(Table::Address, TARGET_WAY, &key::address_key(TARGET.into()), index(TARGET_INDEX)?))
}
