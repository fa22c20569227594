//! From a function on the bus to a card that is ready to be armed.

mod adopt;

use crate::card::{self, Card, CardError, Identity};
use crate::lookup::{self, LookupSettings};
use crate::memory::Region;
use crate::records::{self, RecordMemory};
use crate::{Bar, CommandChannel, Dma, DmaError, Irq, RecordRing};
pub use adopt::{Adopt, AdoptFault, Adopted, NotAdopted};
use std::sync::Arc;
use std::time::{Duration, Instant};
use writ_abi::registers::{control, identity, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{Table, limits};

/// Sizes of the rings in host memory. All are powers of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// Lines of each record ring, from [`limits::RING_LINES_MIN`] to [`limits::RING_LINES_MAX`]; 0: the ring is not used, and the card drops and
    /// counts what rows send there. At least one is used.
    pub record_lines: [u32; limits::RECORD_RINGS],
    /// Commands of the command ring, and completions of the completion ring: the most that can be outstanding. From 2, which a wildcard
    /// rule takes, to [`RingSizes::COMMANDS_MAX`].
    pub commands: u32,
}

impl Default for RingSizes {
    /// 16 MiB of records in each ring, 1024 commands.
    fn default() -> Self {
        Self::uniform(1 << 18, 1024)
    }
}

impl RingSizes {
    /// Most commands that can be outstanding.
    pub const COMMANDS_MAX: u32 = 1 << 16;

    /// All record rings of the same size.
    pub const fn uniform(record_lines: u32, commands: u32) -> Self {
        Self { record_lines: [record_lines; limits::RECORD_RINGS], commands }
    }

    /// Bytes of card memory that rings of these sizes take.
    pub fn memory_bytes(&self) -> usize {
        let page = |bytes: usize| bytes.next_multiple_of(4096);
        let line = limits::LINE_BYTES;
        let records = self
            .used()
            .map(|(_, lines)| page(lines as usize * line) + page(records::INDEX_LINES * line))
            .sum::<usize>();
        records
            + page(self.commands as usize * line)
            + page(self.commands as usize * 2 * line)
            + page(records::INDEX_LINES * line)
    }

    /// The record rings that are used, with their lines.
    fn used(&self) -> impl Iterator<Item = (u8, u32)> {
        (0_u8..).zip(self.record_lines).filter(|(_, lines)| *lines != 0)
    }

    fn check(&self) -> Result<(), CardError> {
        let setting = |name, given: u32, range: std::ops::RangeInclusive<u32>| {
            if given.is_power_of_two() && range.contains(&given) {
                Ok(())
            } else {
                Err(CardError::Setting { name, given: given.into() })
            }
        };
        if self.used().next().is_none() {
            return Err(CardError::Setting { name: "record_lines", given: 0 });
        }
        for (_, lines) in self.used() {
            setting("record_lines", lines, limits::RING_LINES_MIN..=limits::RING_LINES_MAX)?;
        }
        setting("commands", self.commands, 2..=Self::COMMANDS_MAX)
    }
}

/// The memory of all rings. Made once for a card and used again whenever it is brought up anew.
#[derive(Debug)]
pub struct RingMemory {
    pub(crate) records: Vec<RecordMemory>,
    pub(crate) commands: Region,
    pub(crate) completions: Region,
    pub(crate) completion_index: Region,
}

impl RingMemory {
    /// Takes the memory for rings of the given sizes.
    ///
    /// # Errors
    /// [`CardError::Setting`] for a size out of range, [`CardError::Dma`] if there is not as much memory.
    pub fn allocate(dma: &dyn Dma, sizes: &RingSizes) -> Result<Self, CardError> {
        sizes.check()?;
        let region = |lines: u32| -> Result<Region, DmaError> { dma.allocate(lines as usize) };
        let index = records::INDEX_LINES as u32;
        let records = sizes
            .used()
            .map(|(number, lines)| Ok(RecordMemory { number, lines: region(lines)?, index: region(index)? }));
        Ok(Self {
            records: records.collect::<Result<_, DmaError>>()?,
            commands: region(sizes.commands)?,
            completions: region(2 * sizes.commands)?,
            completion_index: region(index)?,
        })
    }

    /// Whether the card has all the rings.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), CardError> {
        match self.records.last().filter(|last| u32::from(last.number) >= identity.record_rings) {
            Some(last) => Err(CardError::Rings { card: identity.record_rings, wanted: last.number }),
            None => Ok(()),
        }
    }

    /// What the registers say that stay as they are while the card uses this memory.
    pub(crate) fn registers(&self) -> Vec<(u32, u32)> {
        let mut registers = Vec::new();
        let mut address = |low, high, region: &Region| {
            registers.push((low, region.bus_address() as u32));
            registers.push((high, (region.bus_address() >> 32) as u32));
        };
        for ring in &self.records {
            let at = u32::from(ring.number) * rings::RECORD_STRIDE;
            address(rings::RECORD_BASE_LO_AT + at, rings::RECORD_BASE_HI_AT + at, &ring.lines);
            address(rings::RECORD_INDEX_LO_AT + at, rings::RECORD_INDEX_HI_AT + at, &ring.index);
        }
        address(rings::COMMAND_BASE_LO_AT, rings::COMMAND_BASE_HI_AT, &self.commands);
        address(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT, &self.completions);
        address(rings::COMPLETION_INDEX_LO_AT, rings::COMPLETION_INDEX_HI_AT, &self.completion_index);
        let lines = |ring: &RecordMemory| {
            (rings::RECORD_LINES_AT + u32::from(ring.number) * rings::RECORD_STRIDE, ring.lines.lines() as u32)
        };
        registers.extend(self.records.iter().map(lines));
        let commands = self.commands.lines() as u32;
        registers.extend([(rings::COMMAND_COUNT_AT, commands), (rings::COMPLETION_COUNT_AT, commands)]);
        registers
    }

    /// The register that turns the rings on.
    pub(crate) fn enable(&self) -> u32 {
        let used = self.records.iter().fold(0, |used, ring| used | 1 << ring.number);
        rings::ENABLE_RECORDS.place(used) | rings::ENABLE_COMMANDS.mask()
    }

    /// Takes the memory back from the users of a card that is to be brought up again. A ring that is missing in `rings` is not used afterwards.
    pub fn from_parts(commands: CommandChannel, rings: impl IntoIterator<Item = RecordRing>) -> Self {
        let mut records: Vec<RecordMemory> = rings.into_iter().map(RecordRing::into_memory).collect();
        records.sort_by_key(|memory| memory.number);
        let (commands, completions, completion_index) = commands.into_memory();
        Self { records, commands, completions, completion_index }
    }
}

/// What bring-up needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BringUp {
    /// Time to set the card's clock to, ns of TAI since the PTP epoch.
    pub now_ns: u64,
    /// How far that time can be trusted. With [`TimeQuality::Unset`] the card copies nothing.
    pub quality: TimeQuality,
    /// What lookups depend on besides rows.
    pub lookup: LookupSettings,
    /// How long the card may take to sweep its tables after the reset.
    pub ready_timeout: Duration,
}

/// The interrupts of the card. [`crate::NoIrq`] serves where there are none.
pub struct Irqs {
    /// The producer index of a record ring moved; one for each ring, by its number.
    pub records: [Box<dyn Irq>; limits::RECORD_RINGS],
    /// The completion producer index moved.
    pub completions: Box<dyn Irq>,
}

impl Irqs {
    /// One of a kind for everybody who waits.
    pub fn each(mut make: impl FnMut() -> Box<dyn Irq>) -> Self {
        Self { records: std::array::from_fn(|_| make()), completions: make() }
    }

    /// Polling instead of interrupts.
    pub fn none() -> Self {
        Self::each(|| Box::new(crate::NoIrq))
    }
}

impl std::fmt::Debug for Irqs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Irqs").finish_non_exhaustive()
    }
}

/// A card that was brought up: disarmed, tables empty, clock set, rings enabled. Or one that was adopted: as it is.
#[derive(Debug)]
pub struct Parts {
    /// Identity, clock, arming, counters. May be shared.
    pub card: Card,
    /// Table commands. Belongs to one thread.
    pub commands: CommandChannel,
    /// The record rings that are used, by rising [`RecordRing::number`]. Each belongs to one thread, which may be one of its own.
    pub rings: Vec<RecordRing>,
}

impl Card {
    /// Reads who the card is, and refuses one that this host does not understand. Changes nothing.
    ///
    /// # Errors
    /// [`CardError::Gone`], [`CardError::NotWrit`], [`CardError::AbiMajor`], [`CardError::Capability`].
    pub fn identify(bar: &dyn Bar) -> Result<Identity, CardError> {
        let found = card::read(bar, identity::MAGIC_AT)?;
        if found != writ_abi::MAGIC {
            return Err(CardError::NotWrit { found });
        }
        let abi = card::read(bar, identity::ABI_AT)?;
        let (major, minor) = (identity::ABI_MAJOR_FIELD.extract(abi), identity::ABI_MINOR_FIELD.extract(abi));
        let major = major as u16;
        if major != writ_abi::ABI_MAJOR {
            return Err(CardError::AbiMajor { card: major, host: writ_abi::ABI_MAJOR });
        }
        let mut build_hash = [0; 32];
        for (bytes, word) in build_hash.chunks_exact_mut(4).zip(0..identity::BUILD_HASH_WORDS) {
            bytes.copy_from_slice(&bar.read32(identity::BUILD_HASH_AT + 4 * word).to_le_bytes());
        }
        let capability = |name, at, host_max: u32| match card::read(bar, at)? {
            value if value.is_power_of_two() && value <= host_max => Ok(value),
            value => Err(CardError::Capability { name, card: value, host_max }),
        };
        let mut table_rows_per_way = [0; Table::ALL.len()];
        for (rows, table) in table_rows_per_way.iter_mut().zip(Table::ALL) {
            let at = identity::TABLE_ROWS_AT + 4 * table as u32;
            *rows = capability(rows_name(table), at, table.rows_per_way())?;
        }
        Ok(Identity {
            abi_major: major,
            abi_minor: minor as u16,
            build_hash,
            table_rows_per_way,
            rule_banks: capability("RULE_BANKS", identity::RULE_BANKS_AT, limits::RULE_BANKS as u32)?,
            rules_per_bank: capability("RULES_PER_BANK", identity::RULES_PER_BANK_AT, limits::RULES_PER_BANK)?,
            match_indices: capability("MATCH_INDICES", identity::MATCH_INDICES_AT, limits::MATCH_INDEX_COUNT)?,
            record_rings: capability("RECORD_RINGS", identity::RECORD_RINGS_AT, limits::RECORD_RINGS as u32)?,
        })
    }

    /// Brings a card up from whatever state it is in: checks it, resets it, waits for its tables, sets its clock and its lookups, sets its
    /// rings up and enables them. Afterwards it is disarmed and its tables are empty.
    ///
    /// # Errors
    /// [`CardError`]; the card is disarmed or gone then, and its rings may be in use by it, so the memory stays lost.
    pub fn bring_up(bar: Arc<dyn Bar>, memory: RingMemory, irqs: Irqs, how: &BringUp) -> Result<Parts, CardError> {
        how.lookup.check()?;
        let identity = Self::identify(&*bar)?;
        memory.check(&identity)?;
        bar.write32(control::CONTROL_AT, control::RESET.mask());
        wait_ready(&*bar, how.ready_timeout)?;
        card::set_time(&*bar, how.now_ns, how.quality)?;
        lookup::write_settings(&*bar, &how.lookup)?;
        let memory = enable_rings(&*bar, memory)?;
        let commands = CommandChannel::new(
            Arc::clone(&bar),
            memory.commands,
            memory.completions,
            memory.completion_index,
            irqs.completions,
        );
        let ring = |(memory, irq)| RecordRing::new(Arc::clone(&bar), memory, irq);
        let rings = with_irqs(memory.records, irqs.records).map(ring).collect();
        Ok(Parts { card: Self::new(bar, identity), commands, rings })
    }
}

fn rows_name(table: Table) -> &'static str {
    match table {
        Table::Address => "ADDRESS_ROWS",
        Table::Prefix => "PREFIX_ROWS",
        Table::Endpoint => "ENDPOINT_ROWS",
        Table::FiveTuple => "FIVE_TUPLE_ROWS",
        Table::Tunnel => "TUNNEL_ROWS",
        Table::Mac => "MAC_ROWS",
        Table::Vlan => "VLAN_ROWS",
    }
}

pub(crate) fn wait_ready(bar: &dyn Bar, timeout: Duration) -> Result<(), CardError> {
    let start = Instant::now();
    loop {
        let status = card::read(bar, control::STATUS_AT)?;
        if control::TABLES_READY.extract(status) == 1 {
            return Ok(());
        }
        let waited = start.elapsed();
        if waited >= timeout {
            return Err(CardError::NotReady { waited, status });
        }
        std::thread::sleep(Duration::from_micros(20).min(timeout - waited));
    }
}

/// Each ring's memory with its interrupt.
pub(crate) fn with_irqs(
    records: Vec<RecordMemory>,
    irqs: [Box<dyn Irq>; limits::RECORD_RINGS],
) -> impl Iterator<Item = (RecordMemory, Box<dyn Irq>)> {
    let mut irqs: Vec<Option<Box<dyn Irq>>> = irqs.into_iter().map(Some).collect();
    records.into_iter().map(move |memory| {
        let irq = irqs.get_mut(usize::from(memory.number)).and_then(Option::take);
        (memory, irq.unwrap_or_else(|| Box::new(crate::NoIrq)))
    })
}

fn enable_rings(bar: &dyn Bar, mut memory: RingMemory) -> Result<RingMemory, CardError> {
    card::write_checked(bar, rings::ENABLE_AT, 0)?;
    for ring in &mut memory.records {
        ring.index.clear();
        card::write_checked(bar, rings::RECORD_CONSUMER_AT + u32::from(ring.number) * rings::RECORD_STRIDE, 0)?;
    }
    memory.completion_index.clear();
    card::write_checked(bar, rings::COMMAND_PRODUCER_AT, 0)?;
    for (register, value) in memory.registers() {
        card::write_checked(bar, register, value)?;
    }
    card::write_checked(bar, rings::ENABLE_AT, memory.enable())?;
    Ok(memory)
}
