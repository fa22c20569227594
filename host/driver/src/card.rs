//! The card as a whole: identity, clock, arming, counters.

use crate::lookup::{self, DamagedPlace, LookupSettings};
use crate::{Bar, Counters, DmaError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writ_abi::Table;
use writ_abi::registers::{clock, control, counters, identity, rings};
use writ_abi::time::{CORE_CLOCK_HZ, TimeQuality};

/// What a function that has left the bus reads as.
const ALL_ONES: u32 = u32::MAX;
/// How often STATUS is read until a snapshot is there. A wire needs some 40 of its clocks, less than one read takes on a bus.
const SNAPSHOT_READS: usize = 1000;
/// The longest that an index may be held back.
pub const INDEX_DELAY_NS_MAX: u32 =
    (((1_u64 << rings::INDEX_DELAY_CLOCKS.width) - 1) * 1_000_000_000 / CORE_CLOCK_HZ as u64) as u32;

/// A card that was brought up.
///
/// Shared by whoever needs it; sequences of accesses that belong together are made under a lock.
pub struct Card {
    pub(crate) bar: Arc<dyn Bar>,
    identity: Identity,
    /// Held over every sequence of accesses that another one would disturb (latched words, read-modify-write).
    sequence: Mutex<()>,
}

/// Who the card says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Major version of its ABI; equal to the host's.
    pub abi_major: u16,
    /// Minor version of its ABI.
    pub abi_minor: u16,
    /// BLAKE3 of the Verilog that it was built from; all zero for the golden model.
    pub build_hash: [u8; 32],
    /// Rows per way of each table, in the order of [`Table::ALL`].
    pub table_rows_per_way: [u32; Table::ALL.len()],
    /// Banks of wildcard rules.
    pub rule_banks: u32,
    /// Wildcard rules in a bank.
    pub rules_per_bank: u32,
    /// Match indices.
    pub match_indices: u32,
    /// Record rings.
    pub record_rings: u32,
}

impl Identity {
    /// Rows per way of a table.
    pub fn rows_per_way(&self, table: Table) -> u32 {
        self.table_rows_per_way[table as usize]
    }
}

/// The card's STATUS register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardStatus {
    /// All rows were swept since the last reset.
    pub tables_ready: bool,
    /// No frame waits for its verdict, no record waits for the bus.
    pub records_idle: bool,
    /// A batch is committed and not settled.
    pub committed: bool,
    /// Hits are copied.
    pub armed: bool,
}

/// What went wrong between host and card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardError {
    /// The card does not answer: a register read as all ones. The bus, or the card's power, is at fault.
    Gone {
        /// Offset of the register.
        register: u32,
    },
    /// What answers is no Writ card.
    NotWrit {
        /// What stood in place of [`writ_abi::MAGIC`].
        found: u32,
    },
    /// The card speaks another ABI; update card or host.
    AbiMajor {
        /// The card's.
        card: u16,
        /// This host's.
        host: u16,
    },
    /// A capability of the card is beyond what this host can handle, or none at all.
    Capability {
        /// Name of the capability register.
        name: &'static str,
        /// What the card states.
        card: u32,
        /// The most that the host takes.
        host_max: u32,
    },
    /// A setting given by the caller is out of range.
    Setting {
        /// Which.
        name: &'static str,
        /// What was given.
        given: u64,
    },
    /// The card does not get its tables ready after a reset.
    NotReady {
        /// How long was waited.
        waited: Duration,
        /// Its STATUS register.
        status: u32,
    },
    /// A register does not hold what was written. The card is at fault.
    NotTaken {
        /// Offset of the register.
        register: u32,
        /// What was written.
        wrote: u32,
        /// What it reads as.
        read: u32,
    },
    /// The card has fewer record rings than there is memory for.
    Rings {
        /// Rings that the card has.
        card: u32,
        /// The highest ring that was asked for.
        wanted: u8,
    },
    /// Clock, prefix length and own tunnels cannot be set while the card is armed.
    Armed,
    /// The card names a damaged row in a place that no card has. The card is at fault.
    UnknownDamage {
        /// Its DAMAGE register.
        register: u32,
    },
    /// Counters of a wire do not come: its clock stands still.
    NoSnapshot {
        /// The card's STATUS register.
        status: u32,
    },
    /// No memory for the rings.
    Dma(DmaError),
}

impl std::fmt::Display for CardError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone { register } => write!(f, "card is gone: register {register:#05x} reads as all ones"),
            Self::NotWrit { found } => write!(f, "no Writ card: magic is {found:#010x}"),
            Self::AbiMajor { card, host } => write!(f, "card speaks ABI {card}, this host speaks ABI {host}"),
            Self::Capability { name, card, host_max } => {
                write!(f, "card states {name} = {card}, this host takes 1 to {host_max}, powers of two")
            }
            Self::Setting { name, given } => write!(f, "setting {name} = {given} is out of range"),
            Self::NotReady { waited, status } => {
                write!(f, "card tables not ready after {} ms, STATUS is {status:#x}", waited.as_millis())
            }
            Self::NotTaken { register, wrote, read } => {
                write!(f, "register {register:#05x} reads as {read:#010x} after {wrote:#010x} was written")
            }
            Self::Rings { card, wanted } => write!(f, "card has {card} record rings, ring {wanted} is configured"),
            Self::Armed => write!(f, "this cannot be set while the card is armed"),
            Self::UnknownDamage { register } => {
                write!(f, "card names a damaged row in no place that exists: DAMAGE is {register:#010x}")
            }
            Self::NoSnapshot { status } => {
                write!(f, "counters of a wire do not come, its clock may stand still: STATUS is {status:#x}")
            }
            Self::Dma(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Dma(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DmaError> for CardError {
    fn from(error: DmaError) -> Self {
        Self::Dma(error)
    }
}

impl Card {
    /// A card whose identity was checked.
    pub(crate) fn new(bar: Arc<dyn Bar>, identity: Identity) -> Self {
        Self { bar, identity, sequence: Mutex::new(()) }
    }

    /// Who the card is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the card still answers.
    pub fn is_present(&self) -> bool {
        self.bar.read32(identity::MAGIC_AT) == writ_abi::MAGIC
    }

    /// What the card says about its state.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    pub fn status(&self) -> Result<CardStatus, CardError> {
        let status = read(&*self.bar, control::STATUS_AT)?;
        let control_bits = read(&*self.bar, control::CONTROL_AT)?;
        Ok(CardStatus {
            tables_ready: control::TABLES_READY.extract(status) == 1,
            records_idle: control::RECORDS_IDLE.extract(status) == 1,
            committed: control::COMMITTED.extract(status) == 1,
            armed: control::ARMED.extract(control_bits) == 1,
        })
    }

    /// Lets hits be copied from now on.
    ///
    /// # Errors
    /// [`CardError::NotReady`] while the tables are being swept, [`CardError::NotTaken`] if the card does not follow.
    pub fn arm(&self) -> Result<(), CardError> {
        let _held = self.hold();
        let status = read(&*self.bar, control::STATUS_AT)?;
        if control::TABLES_READY.extract(status) == 0 {
            return Err(CardError::NotReady { waited: Duration::ZERO, status });
        }
        self.set_armed(1)
    }

    /// Makes the card a wire. Frames that were looked up before are still copied.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn disarm(&self) -> Result<(), CardError> {
        let _held = self.hold();
        self.set_armed(0)
    }

    fn set_armed(&self, armed: u32) -> Result<(), CardError> {
        write_checked(&*self.bar, control::CONTROL_AT, control::ARMED.place(armed))
    }

    /// The card's time: ns of TAI since the PTP epoch.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    pub fn now_ns(&self) -> Result<u64, CardError> {
        let _held = self.hold();
        // The low word may be anything, all ones included; the high word cannot before the year 2554.
        let low = self.bar.read32(clock::NOW_LO_AT);
        let high = read(&*self.bar, clock::NOW_HI_AT)?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// How far the card says that its time can be trusted.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NotTaken`] for a number without meaning.
    pub fn time_quality(&self) -> Result<TimeQuality, CardError> {
        Ok(self.clock_state()?.quality)
    }

    /// Sets the clock. Only while disarmed: a step would put stamps and expiries out of order.
    ///
    /// # Errors
    /// [`CardError::Armed`], [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn set_time(&self, now_ns: u64, quality: TimeQuality) -> Result<(), CardError> {
        let _held = self.hold();
        self.check_disarmed()?;
        set_time(&*self.bar, now_ns, quality)
    }

    fn check_disarmed(&self) -> Result<(), CardError> {
        let control_bits = read(&*self.bar, control::CONTROL_AT)?;
        if control::ARMED.extract(control_bits) == 1 { Err(CardError::Armed) } else { Ok(()) }
    }

    /// What lookups depend on besides rows, as the card has it.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    pub fn lookup_settings(&self) -> Result<LookupSettings, CardError> {
        lookup::read_settings(&*self.bar)
    }

    /// Sets what lookups depend on besides rows. Only while disarmed. Rows of the prefix table stay as they are: with another length they match
    /// other packets or none, so whoever changes it clears them first.
    ///
    /// # Errors
    /// [`CardError::Armed`], [`CardError::Setting`], [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn set_lookup_settings(&self, settings: &LookupSettings) -> Result<(), CardError> {
        let _held = self.hold();
        settings.check()?;
        self.check_disarmed()?;
        lookup::write_settings(&*self.bar, settings)
    }

    /// Where the last damaged row stood that the card found since its reset; `None` if it found none. How many there were, and whether
    /// they were read by lookups, the counters `DAMAGED_ROWS` and `DAMAGED_READS` say. Writing the row repairs it; the place stays here until the next
    /// reset.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::UnknownDamage`] for a place that the ABI does not have.
    pub fn damage(&self) -> Result<Option<DamagedPlace>, CardError> {
        lookup::read_damage(&*self.bar)
    }

    /// How long the index of a record ring may wait for more records, rounded down to clocks of the core: fewer writes and interrupts where traffic is thin, for
    /// records that are seen later. 0 after bring-up: nothing waits.
    ///
    /// # Errors
    /// [`CardError::Setting`] for more than [`INDEX_DELAY_NS_MAX`], [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn set_index_delay(&self, ns: u32) -> Result<(), CardError> {
        if ns > INDEX_DELAY_NS_MAX {
            return Err(CardError::Setting { name: "index_delay_ns", given: ns.into() });
        }
        let clocks = (u64::from(ns) * CORE_CLOCK_HZ as u64 / 1_000_000_000) as u32;
        write_checked(&*self.bar, rings::INDEX_DELAY_AT, rings::INDEX_DELAY_CLOCKS.place(clocks))
    }

    /// Sets the quality and leaves the time alone; `Unset` stops all copying.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn set_time_quality(&self, quality: TimeQuality) -> Result<(), CardError> {
        let _held = self.hold();
        write_checked(&*self.bar, clock::SET_AT, clock::QUALITY.place(quality as u32))
    }

    /// All counters: those of each wire taken in one clock of the wire, the others in one clock of the core.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NoSnapshot`] if the clock of a wire stands still.
    pub fn counters(&self) -> Result<Counters, CardError> {
        let _held = self.hold();
        let armed = read(&*self.bar, control::CONTROL_AT)? & control::ARMED.mask();
        self.bar.write32(control::CONTROL_AT, armed | control::SNAPSHOT.mask());
        self.wait_for_snapshot()?;
        let mut values = [0; Counters::COUNT];
        for (number, value) in values.iter_mut().enumerate() {
            let at = counters::OFFSET + 8 * number as u32;
            *value = u64::from(self.bar.read32(at + 4)) << 32 | u64::from(self.bar.read32(at));
        }
        // One counter may lawfully have all ones in a word; the magic tells a card that left in between.
        read(&*self.bar, identity::MAGIC_AT)?;
        Ok(Counters::new(values))
    }

    fn wait_for_snapshot(&self) -> Result<(), CardError> {
        let mut status = 0;
        for _ in 0..SNAPSHOT_READS {
            status = read(&*self.bar, control::STATUS_AT)?;
            if control::SNAPSHOT_PENDING.extract(status) == 0 {
                return Ok(());
            }
        }
        Err(CardError::NoSnapshot { status })
    }

    /// Card and counters exclude one another over sequences of accesses; there is no state that a panic could have broken.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Reads a register that is never all ones in working order.
pub(crate) fn read(bar: &dyn Bar, register: u32) -> Result<u32, CardError> {
    match bar.read32(register) {
        ALL_ONES => Err(CardError::Gone { register }),
        value => Ok(value),
    }
}

/// Writes a register and reads it back.
pub(crate) fn write_checked(bar: &dyn Bar, register: u32, wrote: u32) -> Result<(), CardError> {
    bar.write32(register, wrote);
    let read = bar.read32(register);
    if read == wrote {
        return Ok(());
    }
    // An address may lawfully be all ones, so the magic decides between gone and wrong.
    if bar.read32(identity::MAGIC_AT) == ALL_ONES {
        return Err(CardError::Gone { register });
    }
    Err(CardError::NotTaken { register, wrote, read })
}

/// Steps the clock of a disarmed card.
pub(crate) fn set_time(bar: &dyn Bar, now_ns: u64, quality: TimeQuality) -> Result<(), CardError> {
    write_checked(bar, clock::SET_LO_AT, now_ns as u32)?;
    write_checked(bar, clock::SET_HI_AT, (now_ns >> 32) as u32)?;
    let set = clock::QUALITY.place(quality as u32);
    bar.write32(clock::SET_AT, set | clock::APPLY.mask());
    let read = read(bar, clock::SET_AT)?;
    if read == set { Ok(()) } else { Err(CardError::NotTaken { register: clock::SET_AT, wrote: set, read }) }
}
