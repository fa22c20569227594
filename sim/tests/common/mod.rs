//! A card on a test bench: one thread, every clock under control.
#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writ_abi::command::{Command, Row};
use writ_abi::limits::WAYS;
use writ_abi::time::TimeQuality;
use writ_abi::{MatchIndex, PortSide, Scope, Table, crc, hash, key};
use writ_driver::memory::{CardMemory, HostMemory};
use writ_driver::{Bar, BringUp, Card, Completed, Event, Flow, Irq, Irqs, Parts, RingMemory, RingSizes, Wake};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, SimCard};

pub(crate) mod frames;
pub(crate) mod random;
#[cfg(feature = "rtl")]
pub(crate) mod replay;

/// Clocks that pass on the bench after each register access.
const ACCESS_CLOCKS: u64 = 40;
/// Some time in 2023, in whole expiry ticks.
pub(crate) const EPOCH_NS: u64 = (1_700_000_000_000_000_000 >> 20) << 20;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) type MakeCard = fn(CardMemory) -> Box<dyn SimCard>;

/// The card, shared between the test and its driver.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Box<dyn SimCard>>>);

impl Shared {
    pub(crate) fn card(&self) -> MutexGuard<'_, Box<dyn SimCard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bar for Shared {
    fn read32(&self, offset: u32) -> u32 {
        let mut card = self.card();
        let value = card.read32(offset);
        card.run(ACCESS_CLOCKS);
        value
    }

    fn write32(&self, offset: u32, value: u32) {
        let mut card = self.card();
        card.write32(offset, value);
        card.run(ACCESS_CLOCKS);
    }
}

/// Waiting for the card is letting it run.
struct RunIrq(Shared);

impl Irq for RunIrq {
    fn wait(&mut self, _timeout: Duration) -> Wake {
        self.0.card().run(200);
        Wake::TimedOut
    }
}

/// A card with a driver and its memory.
pub(crate) struct Bench {
    pub(crate) shared: Shared,
    pub(crate) memory: Arc<HostMemory>,
    pub(crate) parts: Parts,
}

/// A record, as bytes, with its kind told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    Packet { port: PortSide, sequence: u32, bytes: Vec<u8>, header: [u8; 64] },
    Gap { causes: u8, first: u32, last: u32 },
}

impl Bench {
    /// A card that was brought up, disarmed, at [`EPOCH_NS`].
    pub(crate) fn new(make: MakeCard) -> Self {
        Self::with(make, RingSizes { record_lines: 4096, commands: 64 }, TimeQuality::Free)
    }

    pub(crate) fn with(make: MakeCard, sizes: RingSizes, quality: TimeQuality) -> Self {
        let memory = HostMemory::new(sizes.memory_bytes()).expect("memory");
        let shared = Shared(Arc::new(Mutex::new(make(memory.card()))));
        let rings = RingMemory::allocate(&memory, &sizes).expect("ring memory");
        let parts = bring_up(&shared, rings, quality);
        Self { shared, memory, parts }
    }

    /// Brings the card up anew with the rings that it has.
    pub(crate) fn bring_up_again(self) -> Self {
        let Self { shared, memory, parts } = self;
        let rings = RingMemory::from_parts(parts.commands, parts.records);
        let parts = bring_up(&shared, rings, TimeQuality::Free);
        Self { shared, memory, parts }
    }

    pub(crate) fn run(&self, clocks: u64) {
        self.shared.card().run(clocks);
    }

    pub(crate) fn commands(&mut self, commands: &[Command]) -> Vec<Completed> {
        self.parts.commands.execute(commands, TIMEOUT).expect("commands are done")
    }

    /// Sends a command as it is and returns its completion, whatever it says.
    pub(crate) fn raw_command(&mut self, command: &Command) -> Completed {
        self.parts.commands.submit_unsealed(command).expect("room");
        let mut completed = Vec::new();
        self.parts.commands.wait_all(TIMEOUT, &mut completed).expect("completion");
        completed[0]
    }

    pub(crate) fn push(&self, number: u64, port: PortSide, frame: &[u8]) {
        self.push_at(number, port, frame, 0);
    }

    /// `frame` without FCS.
    pub(crate) fn push_at(&self, number: u64, port: PortSide, frame: &[u8], earliest_clock: u64) {
        let bytes = with_fcs(frame);
        self.shared.card().push(IngressFrame { number, port, earliest_clock, bytes, damaged: false });
    }

    /// Runs until nothing is queued and the card has had time to finish, but does not touch the rings.
    pub(crate) fn settle(&self) {
        for _ in 0..100_000 {
            self.run(64);
            if self.shared.card().queued() == 0 {
                self.run(4096);
                return;
            }
        }
        panic!("the wires never came to rest");
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        self.shared.card().take_arrivals(&mut arrivals);
        arrivals
    }

    pub(crate) fn egress(&self) -> Vec<EgressFrame> {
        let mut egress = Vec::new();
        self.shared.card().take_egress(&mut egress);
        egress
    }

    /// The records that are there.
    pub(crate) fn records_now(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        self.parts.records.poll(u32::MAX, |event| take(event, &mut got)).expect("good records");
        got
    }

    /// All records that are there or come while the card settles.
    pub(crate) fn records(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        for _ in 0..10_000 {
            let progress = self.parts.records.poll(64, |event| take(event, &mut got)).expect("good records");
            self.run(512);
            let idle = self.parts.card.status().expect("status").records_idle;
            if progress.records == 0 && idle && self.shared.card().queued() == 0 {
                let rest = self.parts.records.poll(u32::MAX, |event| take(event, &mut got)).expect("good records");
                if rest.records == 0 {
                    return got;
                }
            }
        }
        panic!("the records never end");
    }
}

fn take(event: Event<'_>, got: &mut Vec<Got>) -> Flow {
    got.push(match event {
        Event::Packet(packet) => Got::Packet {
            port: packet.port_side(),
            sequence: packet.header.record_sequence.get(),
            bytes: packet.payload.to_vec(),
            header: zerocopy::transmute!(*packet.header),
        },
        Event::Gap(gap) => {
            Got::Gap { causes: gap.causes, first: gap.first_sequence.get(), last: gap.last_sequence.get() }
        }
        Event::Lost { first_sequence, last_sequence } => panic!("lost {first_sequence} to {last_sequence}"),
    });
    Flow::Taken
}

fn bring_up(shared: &Shared, rings: RingMemory, quality: TimeQuality) -> Parts {
    let irq = || Box::new(RunIrq(shared.clone()));
    let irqs = Irqs { records: irq(), completions: irq() };
    let how = BringUp { now_ns: EPOCH_NS, quality, ready_timeout: TIMEOUT };
    Card::bring_up(Arc::new(shared.clone()), rings, irqs, &how).expect("the card comes up")
}

pub(crate) fn with_fcs(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes.extend(crc::ethernet_fcs(frame).to_le_bytes());
    bytes
}

/// A row of the address table for `address` in way `way`, live for a long time.
pub(crate) fn address_row(address: &str, way: usize, match_index: u32, scope: Scope) -> Command {
    address_row_until(address, way, match_index, scope, writ_abi::time::NOT_AFTER_NEVER)
}

pub(crate) fn address_row_until(address: &str, way: usize, match_index: u32, scope: Scope, not_after: u64) -> Command {
    let key = key::address_key(address.parse().expect("an address"));
    row(Table::Address, &key, way, match_index, scope, not_after)
}

pub(crate) fn endpoint_row(
    address: &str,
    protocol: u8,
    port: u16,
    way: usize,
    match_index: u32,
    scope: Scope,
) -> Command {
    let key = key::endpoint_key(address.parse().expect("an address"), protocol, port);
    row(Table::Endpoint, &key, way, match_index, scope, writ_abi::time::NOT_AFTER_NEVER)
}

pub(crate) fn row(table: Table, key: &[u8], way: usize, match_index: u32, scope: Scope, not_after: u64) -> Command {
    let place = hash::rows(key, table.rows_per_way())[way];
    let mut content = Row {
        key: [0; key::KEY_BYTES_MAX],
        match_index: MatchIndex::new(match_index).expect("in range"),
        scope,
        not_after,
    };
    content.key[..key.len()].copy_from_slice(key);
    Command::write_row(0, table, way as u8, place, &content)
}

/// The command that makes the row of `write` invalid.
pub(crate) fn clear_of(write: &Command) -> Command {
    Command::clear_row(0, Table::from_bits(write.table).expect("a table"), write.way, write.row.get())
}

const _: () = assert!(WAYS == 4);
