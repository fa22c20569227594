//! From a function on the bus to a card that is ready to be armed.

use crate::card::{self, Card, CardError, Identity};
use crate::memory::Region;
use crate::{Bar, CommandChannel, Dma, DmaError, Irq, RecordRing};
use std::sync::Arc;
use std::time::{Duration, Instant};
use writ_abi::limits;
use writ_abi::registers::{control, identity, rings};
use writ_abi::time::TimeQuality;

/// Sizes of the rings in host memory. All are powers of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// Lines of the record ring, from [`limits::RING_LINES_MIN`] to [`limits::RING_LINES_MAX`].
    pub record_lines: u32,
    /// Commands of the command ring, and completions of the completion ring: the most that can be outstanding. From 1 to 65536.
    pub commands: u32,
}

impl Default for RingSizes {
    /// 64 MiB of records, 1024 commands.
    fn default() -> Self {
        Self { record_lines: 1 << 20, commands: 1024 }
    }
}

impl RingSizes {
    /// Most commands that can be outstanding.
    pub const COMMANDS_MAX: u32 = 1 << 16;

    /// Bytes of card memory that rings of these sizes take.
    pub fn memory_bytes(&self) -> usize {
        let page = |bytes: usize| bytes.next_multiple_of(4096);
        let line = limits::LINE_BYTES;
        page(self.record_lines as usize * line)
            + page(self.commands as usize * line)
            + page(self.commands as usize * 2 * line)
            + 2 * page(line)
    }

    fn check(&self) -> Result<(), CardError> {
        let setting = |name, given: u32, range: std::ops::RangeInclusive<u32>| {
            if given.is_power_of_two() && range.contains(&given) {
                Ok(())
            } else {
                Err(CardError::Setting { name, given: given.into() })
            }
        };
        setting("record_lines", self.record_lines, limits::RING_LINES_MIN..=limits::RING_LINES_MAX)?;
        setting("commands", self.commands, 1..=Self::COMMANDS_MAX)
    }
}

/// The memory of all rings. Made once for a card and used again whenever it is brought up anew.
#[derive(Debug)]
pub struct RingMemory {
    pub(crate) records: Region,
    pub(crate) record_index: Region,
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
        Ok(Self {
            records: region(sizes.record_lines)?,
            record_index: region(1)?,
            commands: region(sizes.commands)?,
            completions: region(2 * sizes.commands)?,
            completion_index: region(1)?,
        })
    }

    /// Takes the memory back from the two users of a card that is to be brought up again.
    pub fn from_parts(commands: CommandChannel, records: RecordRing) -> Self {
        let (records, record_index) = records.into_memory();
        let (commands, completions, completion_index) = commands.into_memory();
        Self { records, record_index, commands, completions, completion_index }
    }
}

/// What bring-up needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BringUp {
    /// Time to set the card's clock to, ns of TAI since the PTP epoch.
    pub now_ns: u64,
    /// How far that time can be trusted. With [`TimeQuality::Unset`] the card copies nothing.
    pub quality: TimeQuality,
    /// How long the card may take to sweep its tables after the reset.
    pub ready_timeout: Duration,
}

/// The two interrupts of the card. [`crate::NoIrq`] serves where there are none.
pub struct Irqs {
    /// The record producer index moved.
    pub records: Box<dyn Irq>,
    /// The completion producer index moved.
    pub completions: Box<dyn Irq>,
}

impl Irqs {
    /// Polling instead of interrupts.
    pub fn none() -> Self {
        Self { records: Box::new(crate::NoIrq), completions: Box::new(crate::NoIrq) }
    }
}

impl std::fmt::Debug for Irqs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Irqs").finish_non_exhaustive()
    }
}

/// A card that was brought up: disarmed, tables empty, clock set, rings enabled.
#[derive(Debug)]
pub struct Parts {
    /// Identity, clock, arming, counters. May be shared.
    pub card: Card,
    /// Table commands. Belongs to one thread.
    pub commands: CommandChannel,
    /// Records. Belongs to one thread.
    pub records: RecordRing,
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
        Ok(Identity {
            abi_major: major,
            abi_minor: minor as u16,
            build_hash,
            address_rows_per_way: capability("ADDRESS_ROWS", identity::ADDRESS_ROWS_AT, limits::ADDRESS_ROWS_PER_WAY)?,
            endpoint_rows_per_way: capability(
                "ENDPOINT_ROWS",
                identity::ENDPOINT_ROWS_AT,
                limits::ENDPOINT_ROWS_PER_WAY,
            )?,
            match_indices: capability("MATCH_INDICES", identity::MATCH_INDICES_AT, limits::MATCH_INDEX_COUNT)?,
            record_rings: capability("RECORD_RINGS", identity::RECORD_RINGS_AT, limits::RECORD_RINGS as u32)?,
        })
    }

    /// Brings a card up from whatever state it is in: checks it, resets it, waits for its tables, sets its clock, sets its rings
    /// up and enables them. Afterwards it is disarmed and its tables are empty.
    ///
    /// # Errors
    /// [`CardError`]; the card is disarmed or gone then, and its rings may be in use by it, so the memory stays lost.
    pub fn bring_up(bar: Arc<dyn Bar>, memory: RingMemory, irqs: Irqs, how: &BringUp) -> Result<Parts, CardError> {
        let identity = Self::identify(&*bar)?;
        bar.write32(control::CONTROL_AT, control::RESET.mask());
        wait_ready(&*bar, how.ready_timeout)?;
        card::set_time(&*bar, how.now_ns, how.quality)?;
        let memory = enable_rings(&*bar, memory)?;
        let commands = CommandChannel::new(
            Arc::clone(&bar),
            memory.commands,
            memory.completions,
            memory.completion_index,
            irqs.completions,
        );
        let records = RecordRing::new(Arc::clone(&bar), memory.records, memory.record_index, irqs.records);
        Ok(Parts { card: Self::new(bar, identity), commands, records })
    }
}

fn wait_ready(bar: &dyn Bar, timeout: Duration) -> Result<(), CardError> {
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

fn enable_rings(bar: &dyn Bar, mut memory: RingMemory) -> Result<RingMemory, CardError> {
    card::write_checked(bar, rings::ENABLE_AT, 0)?;
    for region in [&mut memory.record_index, &mut memory.completion_index] {
        region.clear();
    }
    let address = |low, high, region: &Region| {
        card::write_checked(bar, low, region.bus_address() as u32)?;
        card::write_checked(bar, high, (region.bus_address() >> 32) as u32)
    };
    address(rings::RECORD_BASE_LO_AT, rings::RECORD_BASE_HI_AT, &memory.records)?;
    address(rings::RECORD_INDEX_LO_AT, rings::RECORD_INDEX_HI_AT, &memory.record_index)?;
    address(rings::COMMAND_BASE_LO_AT, rings::COMMAND_BASE_HI_AT, &memory.commands)?;
    address(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT, &memory.completions)?;
    address(rings::COMPLETION_INDEX_LO_AT, rings::COMPLETION_INDEX_HI_AT, &memory.completion_index)?;
    card::write_checked(bar, rings::RECORD_LINES_AT, memory.records.lines() as u32)?;
    card::write_checked(bar, rings::RECORD_CONSUMER_AT, 0)?;
    card::write_checked(bar, rings::COMMAND_COUNT_AT, memory.commands.lines() as u32)?;
    card::write_checked(bar, rings::COMMAND_PRODUCER_AT, 0)?;
    card::write_checked(bar, rings::COMPLETION_COUNT_AT, memory.commands.lines() as u32)?;
    let enable = rings::ENABLE_RECORDS.mask() | rings::ENABLE_COMMANDS.mask();
    card::write_checked(bar, rings::ENABLE_AT, enable)?;
    Ok(memory)
}
