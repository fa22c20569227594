//! The card behind TLPs and its driver, in one thread, with every clock under control.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use writ_abi::command::{Command, Row};
use writ_abi::time::{NOT_AFTER_NEVER, TimeQuality};
use writ_abi::{MatchIndex, PortSide, Scope, Table, hash, key};
use writ_driver::memory::HostMemory;
use writ_driver::{
    Bar, BringUp, Card, CommandChannel, Event, Flow, Irq, Irqs, LookupSettings, Parts, RecordRing, RingMemory,
    RingSizes, Wake,
};
use writ_sim::card::{Arrival, IngressFrame, SimCard};
use writ_sim::pcie::{BusCounts, BusSettings, RootCounts};
use writ_sim::rtl::TlpCard;

use crate::failure::Failure;
use crate::source;

/// Nanoseconds of a clock of the core: 322.265625 MHz.
pub(crate) const CORE_CLOCK_NS: f64 = 512.0 / 165.0;
/// Of a clock of the hard block: 250 MHz.
pub(crate) const BUS_CLOCK_NS: u64 = 4;
/// Packets from here match.
pub(crate) const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const TARGET_INDEX: u32 = 1;
const TIMEOUT: Duration = Duration::from_secs(120);
/// Four times what the card can write between two looks at the ring, so that it is never full.
const RECORD_LINES: u32 = 1 << 16;
/// Some time in 2023.
const EPOCH_NS: u64 = 1_700_000_000_000_000_000;

/// The card, shared with its driver.
#[derive(Clone)]
struct Shared(Arc<Mutex<TlpCard>>);

impl Shared {
    fn card(&self) -> MutexGuard<'_, TlpCard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bar for Shared {
    fn read32(&self, offset: u32) -> u32 {
        self.card().read32(offset)
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

/// What went over the bus so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) bus: BusCounts,
    pub(crate) root: RootCounts,
}

/// A card that is armed, with one row.
pub(crate) struct Rig {
    shared: Shared,
    driver: Card,
    pub(crate) commands: CommandChannel,
    ring: RecordRing,
    next_number: u64,
}

impl Rig {
    pub(crate) fn new(settings: BusSettings) -> Result<Self, Failure> {
        let sizes = RingSizes { record_lines: [RECORD_LINES, 0, 0, 0], commands: 1024 };
        let memory = HostMemory::new(sizes.memory_bytes()).map_err(Failure::Memory)?;
        let shared = Shared(Arc::new(Mutex::new(TlpCard::started(settings, memory.card()))));
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
        Ok(Self { shared, driver, commands, ring, next_number: 0 })
    }

    pub(crate) fn clocks(&self) -> u64 {
        self.shared.card().clocks()
    }

    pub(crate) fn run(&self, clocks: u64) {
        self.shared.card().run(clocks);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        let card = self.shared.card();
        Traffic { bus: card.bus_counts(), root: card.root_counts() }
    }

    /// Puts a frame on the wire and gives its number.
    pub(crate) fn push(&mut self, port: PortSide, earliest_clock: u64, frame_bytes: usize, is_matched: bool) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let bytes = source::frame(frame_bytes, is_matched, number);
        self.shared.card().push(IngressFrame { number, port, earliest_clock, bytes, damaged: false });
        number
    }

    /// Frames that came in since the last call. What left is thrown away: the wire is no concern here.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        let (mut arrivals, mut egress) = (Vec::new(), Vec::new());
        let mut card = self.shared.card();
        card.take_arrivals(&mut arrivals);
        card.take_egress(&mut egress);
        arrivals
    }

    /// Takes the records that the host can see, checked, and gives the numbers of their frames.
    pub(crate) fn records(&mut self) -> Result<Vec<u64>, Failure> {
        let (mut numbers, mut is_bad) = (Vec::new(), false);
        self.ring.poll(u32::MAX, |event| {
            match event {
                Event::Packet(packet) => match source::number(packet.payload) {
                    Some(number) => numbers.push(number),
                    None => is_bad = true,
                },
                // More was offered than the bus carries: the gap says so.
                Event::Gap(_) => {}
                Event::Lost { .. } => is_bad = true,
            }
            Flow::Taken
        })?;
        if is_bad {
            return Err(Failure::Setup("records without a gap are missing, or one that nobody sent came".into()));
        }
        Ok(numbers)
    }

    /// Runs until nothing is under way any more.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        for _ in 0..4000 {
            self.run(256);
            let records = self.records()?;
            self.arrivals();
            let is_idle = self.shared.card().queued() == 0 && self.driver.status()?.records_idle;
            if records.is_empty() && is_idle && self.records()?.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::Endless("the card's work"))
    }
}

/// The write of the target's row: the whole frame, for ever, to ring 0.
fn target_row() -> Result<Command, Failure> {
    let key = key::address_key(TARGET.into());
    let match_index = MatchIndex::new(TARGET_INDEX).ok_or_else(|| Failure::Setup("no such match index".into()))?;
    let mut content =
        Row { key: [0; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after: NOT_AFTER_NEVER, ring: 0 };
    content.key[..key.len()].copy_from_slice(&key);
    let place = hash::rows(&key, Table::Address.rows_per_way())[0];
    Ok(Command::write_row(0, Table::Address, 0, place, &content))
}
