//! A card on a test bench: one thread, every clock under control.
#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writ_abi::command::{Command, Opcode, Row, Rule, flags};
use writ_abi::limits::WAYS;
use writ_abi::record::{Hit, PacketHeader};
use writ_abi::time::TimeQuality;
use writ_abi::{MatchIndex, PortSide, Scope, Table, crc, hash, key};
use writ_driver::memory::{HostMemory, PageSize};
use writ_driver::{
    Adopt, Adopted, Bar, BringUp, Card, Completed, Event, Flow, Irq, Irqs, LookupSettings, NotAdopted, Parts,
    RingMemory, RingSizes, TunnelKinds, Wake,
};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, SimCard};

pub(crate) mod captures;
pub(crate) mod frames;
pub(crate) mod packet;
pub(crate) mod random;
pub(crate) mod remote;
#[cfg(feature = "rtl")]
pub(crate) mod replay;
pub(crate) mod scenario;
#[cfg(feature = "rtl-pcie")]
pub(crate) mod tlp;

/// Clocks that pass on the bench after each register access.
const ACCESS_CLOCKS: u64 = 40;
/// Some time in 2023, in whole expiry ticks.
pub(crate) const EPOCH_NS: u64 = (1_700_000_000_000_000_000 >> 20) << 20;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// How cards are brought up here, unless a test says otherwise.
pub(crate) const HOW: BringUp = BringUp {
    now_ns: EPOCH_NS,
    quality: TimeQuality::Free,
    lookup: LookupSettings { prefix_bits: None, own_tunnels: TunnelKinds::NONE },
    ready_timeout: TIMEOUT,
};

pub(crate) type MakeCard = fn(&Arc<HostMemory>) -> Box<dyn SimCard>;

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

/// Commands of a driver that died, with their completions.
type Left = Vec<(Command, Completed)>;

/// A card with a driver and its memory.
pub(crate) struct Bench {
    pub(crate) shared: Shared,
    pub(crate) memory: Arc<HostMemory>,
    pub(crate) parts: Parts,
}

/// A record, as bytes, with its kind told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    Packet { ring: u8, port: PortSide, sequence: u32, bytes: Vec<u8>, header: PacketHeader, hits: Vec<Hit> },
    Gap { ring: u8, causes: u8, first: u32, last: u32 },
}

impl Got {
    pub(crate) fn ring(&self) -> u8 {
        match self {
            Self::Packet { ring, .. } | Self::Gap { ring, .. } => *ring,
        }
    }
}

impl Bench {
    /// A card that was brought up, disarmed, at [`EPOCH_NS`].
    pub(crate) fn new(make: MakeCard) -> Self {
        Self::with(make, RingSizes::uniform(4096, 64), TimeQuality::Free)
    }

    pub(crate) fn with(make: MakeCard, sizes: RingSizes, quality: TimeQuality) -> Self {
        Self::with_lookup(make, sizes, quality, LookupSettings::default())
    }

    pub(crate) fn with_lookup(make: MakeCard, sizes: RingSizes, quality: TimeQuality, lookup: LookupSettings) -> Self {
        let how = BringUp { quality, lookup, ..HOW };
        Self::brought_up(make, sizes, &how)
    }

    pub(crate) fn brought_up(make: MakeCard, sizes: RingSizes, how: &BringUp) -> Self {
        let memory = HostMemory::shared(sizes.memory_bytes(), PageSize::Small).expect("memory");
        let shared = Shared(Arc::new(Mutex::new(make(&memory))));
        let rings = RingMemory::allocate(&memory, &sizes).expect("ring memory");
        let parts = bring_up(&shared, rings, how);
        Self { shared, memory, parts }
    }

    /// Brings the card up anew with the rings that it has.
    pub(crate) fn bring_up_again(self) -> Self {
        self.bring_up_as(&HOW)
    }

    pub(crate) fn bring_up_as(self, how: &BringUp) -> Self {
        let Self { shared, memory, parts } = self;
        let rings = RingMemory::from_parts(parts.commands, parts.rings);
        let parts = bring_up(&shared, rings, how);
        Self { shared, memory, parts }
    }

    /// Lets the driver die and another one take the card over, with the memory that outlived it. Also gives the commands that were left.
    pub(crate) fn adopted(self, lookup: LookupSettings) -> Result<(Self, Left), Box<NotAdopted>> {
        let Self { shared, memory, parts } = self;
        let rings = RingMemory::from_parts(parts.commands, parts.rings);
        let irqs = Irqs::each(|| Box::new(RunIrq(shared.clone())));
        let how = Adopt { lookup, timeout: TIMEOUT };
        let Adopted { parts, left } = Card::adopt(Arc::new(shared.clone()), rings, irqs, &how)?;
        Ok((Self { shared, memory, parts }, left))
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

    /// The records that are there, ring by ring.
    pub(crate) fn records_now(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        self.poll(u32::MAX, &mut got);
        got
    }

    /// Polls one ring alone.
    pub(crate) fn poll_ring(&mut self, number: u8, got: &mut Vec<Got>) {
        let ring = self.parts.rings.iter_mut().find(|ring| ring.number() == number).expect("the ring is used");
        ring.poll(u32::MAX, |event| take(number, event, got)).expect("good records");
    }

    fn poll(&mut self, records_max: u32, got: &mut Vec<Got>) -> u32 {
        let rings = self.parts.rings.iter_mut();
        rings
            .map(|ring| {
                let number = ring.number();
                ring.poll(records_max, |event| take(number, event, got)).expect("good records").records
            })
            .sum()
    }

    /// All records that are there or come while the card settles, ring by ring, those of a ring in their order.
    pub(crate) fn records(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        for _ in 0..10_000 {
            let records = self.poll(64, &mut got);
            self.run(512);
            let idle = self.parts.card.status().expect("status").records_idle;
            if records == 0 && idle && self.shared.card().queued() == 0 && self.poll(u32::MAX, &mut got) == 0 {
                got.sort_by_key(Got::ring);
                return got;
            }
        }
        panic!("the records never end");
    }
}

fn take(ring: u8, event: Event<'_>, got: &mut Vec<Got>) -> Flow {
    got.push(match event {
        Event::Packet(packet) => Got::Packet {
            ring,
            port: packet.port_side(),
            sequence: packet.header.record_sequence.get(),
            bytes: packet.payload.to_vec(),
            header: *packet.header,
            hits: packet.hits().collect(),
        },
        Event::Gap(gap) => {
            Got::Gap { ring, causes: gap.causes, first: gap.first_sequence.get(), last: gap.last_sequence.get() }
        }
        Event::Lost { first_sequence, last_sequence } => panic!("lost {first_sequence} to {last_sequence}"),
    });
    Flow::Taken
}

fn bring_up(shared: &Shared, rings: RingMemory, how: &BringUp) -> Parts {
    let irqs = Irqs::each(|| Box::new(RunIrq(shared.clone())));
    Card::bring_up(Arc::new(shared.clone()), rings, irqs, how).expect("the card comes up")
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
    Command::write_row(0, table, way as u8, place, &content(key, match_index, scope, not_after))
}

/// A row's content, for ring 0.
pub(crate) fn content(key: &[u8], match_index: u32, scope: Scope, not_after: u64) -> Row {
    let match_index = MatchIndex::new(match_index).expect("in range");
    let mut content = Row { key: [0; key::KEY_BYTES_MAX], match_index, scope, not_after, ring: 0 };
    content.key[..key.len()].copy_from_slice(key);
    content
}

/// A row with an index and the whole frame, live for ever.
pub(crate) fn plain_row(table: Table, key: &[u8], way: usize, match_index: u32) -> Command {
    row(table, key, way, match_index, Scope::Content, writ_abi::time::NOT_AFTER_NEVER)
}

/// The same write, for another record ring.
pub(crate) fn in_ring(mut command: Command, ring: u8) -> Command {
    command.flags = command.flags & !flags::RING_MASK | ring;
    command.seal()
}

/// The command that makes the row or rule of `write` invalid.
pub(crate) fn clear_of(write: &Command) -> Command {
    if write.opcode == Opcode::WriteRule as u8 {
        return Command::clear_rule(0, write.way, write.row.get());
    }
    Command::clear_row(0, Table::from_bits(write.table).expect("a table"), write.way, write.row.get())
}

/// The command that reads the row of `write` back.
pub(crate) fn read_of(write: &Command) -> Command {
    Command::read_row(0, Table::from_bits(write.table).expect("a table"), write.way, write.row.get())
}

/// A rule for the packets that have these source address, destination address, protocol and ports; `None` matches all. Addresses come with
/// the bits that count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wild<'a> {
    pub(crate) source: Option<(&'a str, u32)>,
    pub(crate) destination: Option<(&'a str, u32)>,
    pub(crate) protocol: Option<u8>,
    /// Value and mask.
    pub(crate) ports: [Option<(u16, u16)>; 2],
}

impl Wild<'_> {
    /// Value and mask of the 5-tuple key.
    fn bits(&self) -> ([u8; key::KEY_BYTES_MAX], [u8; key::KEY_BYTES_MAX]) {
        let (mut value, mut mask) = ([0; key::KEY_BYTES_MAX], [0; key::KEY_BYTES_MAX]);
        for (address, at) in [(self.source, 1), (self.destination, 17)] {
            let Some((address, bits)) = address else { continue };
            let key = key::address_key(address.parse().expect("an address"));
            (value[0], mask[0]) = (key[0], 0xff);
            for bit in 0..bits as usize {
                mask[at + bit / 8] |= 0x80 >> (bit % 8);
            }
            for i in 0..16 {
                value[at + i] = key[1 + i] & mask[at + i];
            }
        }
        if let Some(protocol) = self.protocol {
            (value[33], mask[33]) = (protocol, 0xff);
        }
        for (port, at) in self.ports.iter().zip([34, 36]) {
            let (port, bits) = port.unwrap_or_default();
            value[at..at + 2].copy_from_slice(&(port & bits).to_be_bytes());
            mask[at..at + 2].copy_from_slice(&bits.to_be_bytes());
        }
        (value, mask)
    }

    pub(crate) fn rule(&self, destination: bool, match_index: u32, scope: Scope) -> Rule {
        let (value, mask) = self.bits();
        Rule { row: content(&mask, match_index, scope, writ_abi::time::NOT_AFTER_NEVER), value, destination }
    }
}

const _: () = assert!(WAYS == 4);
