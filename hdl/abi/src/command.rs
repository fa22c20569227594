//! Commands to the card and its completions.
//!
//! The host writes 64-byte commands into the command ring and rings the doorbell with the new producer index; the card reads
//! them by DMA, in order, executes one after the other, and writes one 128-byte completion each, in the same order. The host never has
//! more commands outstanding than the completion ring holds.
//!
//! # What a row is to a lookup
//! A row or rule is *visible* if it is valid and `not (PENDING and not committed) and not (PENDING_CLEAR and committed)`, where `committed` is
//! the card's state when the frame's keys enter lookup: 0 after a reset, 1 from `Commit` to the end of the sweep of `Settle`. A lookup in a table reads
//! the row of its key in every way. A lookup in a bank reads the visible rules that match, but no more than the two with the lowest numbers. A row
//! or rule that is read and whose parity does not fit is *damaged*: the lookup is counted as `DAMAGED_READS`, and the row is as if it were not there.
//!
//! Among the rows and rules that were read, are visible and match, and are live ([`time`]), the one in the lowest way, or with the lowest number,
//! gives the hit. If another one differs from it in match index, scope, ring, `not_after` or DESTINATION, the lookup is counted as `MULTI_HITS`; so is
//! one in a bank in which more than two visible rules match. If there are only expired ones, the lookup is counted as `EXPIRED_HITS`.
//!
//! # Batches
//! A pending `WriteRow` or `WriteRule` puts PENDING into the new row; a pending `ClearRow` or `ClearRule` puts PENDING_CLEAR into the row that stands there, or does
//! nothing if it is invalid. Whatever stood in the place of a pending write is gone at once, so a host writes them to free places. `Settle` takes
//! PENDING from rows and makes rows with PENDING_CLEAR invalid; `Abort` makes rows with PENDING invalid and takes PENDING_CLEAR from rows. Both complete at
//! the end of their sweep, which leaves every lookup's result as it was.
//!
//! A damaged row or rule stays as it is until it is written or cleared: a pending clear of it does nothing, and sweeps pass it by.

use crate::{MatchIndex, Scope, Table, crc, key, limits, time};
use core::fmt;
use zerocopy::{
    FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Nothing; completes with the stamp and the frame counts.
    Nop = 0,
    /// Make one row valid with the given content, in one clock.
    WriteRow = 1,
    /// Make one row invalid, in one clock.
    ClearRow = 2,
    /// Return one row.
    ReadRow = 3,
    /// Return the drop counters of `match_index`.
    ReadDrops = 4,
    /// Return the drop counters of `match_index` and set them to zero.
    ClearDrops = 5,
    /// Keep the key as the value of the rule that the next command writes.
    StageRule = 6,
    /// Make one rule valid: `way` is its bank, `row` its number, the key is its mask, the staged key its value. If a rule with the same value,
    /// mask and DESTINATION stands there, its other content changes in one clock and it is never absent; else the place matches nothing
    /// while it is written.
    WriteRule = 7,
    /// Make one rule invalid, in one clock.
    ClearRule = 8,
    /// Return one rule: its value, or its mask with [`flags::MASK`].
    ReadRule = 9,
    /// Make the open batch visible, in one clock.
    Commit = 10,
    /// Sweep the marks of a committed batch away; after that the next batch may be opened.
    Settle = 11,
    /// Sweep an open batch away as if it had never been.
    Abort = 12,
    /// Damage the parity of one row, valid or not, to see the alarm. Only while not armed.
    CorruptRow = 13,
}

/// Bits of [`Command::flags`].
pub mod flags {
    /// Record ring of the row's hits, two bits.
    pub const RING_MASK: u8 = 0x03;
    /// The write or clear belongs to the open batch: it is not visible before [`super::Opcode::Commit`]. In a row that was read: it was added by
    /// a batch that is not settled.
    pub const PENDING: u8 = 1 << 2;
    /// The rule stands for the receiver of a packet; else for the sender.
    pub const DESTINATION: u8 = 1 << 3;
    /// `ReadRule` returns the mask.
    pub const MASK: u8 = 1 << 4;
    /// In a row that was read: the batch that is not settled clears it.
    pub const PENDING_CLEAR: u8 = 1 << 5;
}

impl Opcode {
    /// All opcodes, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Nop,
        Self::WriteRow,
        Self::ClearRow,
        Self::ReadRow,
        Self::ReadDrops,
        Self::ClearDrops,
        Self::StageRule,
        Self::WriteRule,
        Self::ClearRule,
        Self::ReadRule,
        Self::Commit,
        Self::Settle,
        Self::Abort,
        Self::CorruptRow,
    ];

    /// The opcode for its number, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if (bits as usize) < Self::ALL.len() { Some(Self::ALL[bits as usize]) } else { None }
    }
}

/// How a command ended. The card checks in this order and reports the first failure; a failed command changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Done.
    Done = 0,
    /// The command's CRC does not fit.
    BadCrc = 1,
    /// The opcode does not exist.
    BadOpcode = 2,
    /// The table, way or row does not exist (row commands), the bank or rule does not exist (rule commands but `StageRule`), the scope or match
    /// index does not exist or `not_after` has a bit above [`time::NOT_AFTER_BITS`] (`WriteRow`, `WriteRule`), or the match index does not
    /// exist (drop commands).
    BadField = 3,
    /// The tables are still being swept after a reset, and the command is not `Nop`.
    NotReady = 4,
    /// The command does not fit the card's state: `WriteRule` if the command before it was not a `StageRule` that was done, `Commit`, `Abort` or a pending write or clear
    /// while a batch is committed and not settled, `Settle` while none is, `CorruptRow` while armed.
    BadState = 5,
}

impl Status {
    /// The status for its number, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Done),
            1 => Some(Self::BadCrc),
            2 => Some(Self::BadOpcode),
            3 => Some(Self::BadField),
            4 => Some(Self::NotReady),
            5 => Some(Self::BadState),
            _ => None,
        }
    }
}

/// One command: one line.
///
/// `Debug` leaves out the key: it is what an order names.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Command {
    /// [`Opcode`].
    pub opcode: u8,
    /// [`Table`].
    pub table: u8,
    /// Way of the table, below [`limits::WAYS`].
    pub way: u8,
    /// [`Scope`] of the row.
    pub scope: u8,
    /// Chosen by the host, returned in the completion.
    pub tag: U32,
    /// Row of the way.
    pub row: U32,
    /// Match index, 24 bits, little-endian.
    pub match_index: [u8; 3],
    /// `not_after` in ticks of 2^20 ns, 44 bits, little-endian; the upper four bits are zero.
    pub not_after: [u8; 6],
    /// The key, from its first byte on; bytes behind the table's key are zero.
    pub key: [u8; key::KEY_BYTES_MAX],
    /// See [`flags`].
    pub flags: u8,
    /// CRC-32C over the 60 bytes before.
    pub crc32c: U32,
}

/// What a row holds, apart from where it stands.
///
/// `Debug` leaves out the key: it is what an order names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The key; bytes behind the table's key are zero.
    pub key: [u8; key::KEY_BYTES_MAX],
    /// What a hit returns.
    pub match_index: MatchIndex,
    /// How much of the frame a hit allows.
    pub scope: Scope,
    /// Expiry in ticks of 2^20 ns, at most 44 bits.
    pub not_after: u64,
    /// Record ring of its hits, below [`limits::RECORD_RINGS`].
    pub ring: u8,
}

/// What a wildcard rule holds, apart from where it stands. It matches a packet whose 5-tuple key equals `value` in the bits that are set in
/// `mask`.
///
/// `Debug` leaves out value and mask: they are what an order names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Mask, index, scope, expiry and ring.
    pub row: Row,
    /// The bits to compare; bits outside the mask are zero.
    pub value: [u8; key::KEY_BYTES_MAX],
    /// The rule stands for the receiver of the packet.
    pub destination: bool,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("row", &self.row).field("destination", &self.destination).finish_non_exhaustive()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("match_index", &self.match_index)
            .field("scope", &self.scope)
            .field("not_after", &self.not_after)
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("opcode", &self.opcode)
            .field("tag", &self.tag.get())
            .field("table", &self.table)
            .field("way", &self.way)
            .field("row", &self.row.get())
            .field("match_index", &self.match_index_bits())
            .field("scope", &self.scope)
            .field("not_after", &self.not_after_ticks())
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

impl Command {
    /// A command with nothing but its opcode and tag, sealed.
    pub fn new(opcode: Opcode, tag: u32) -> Self {
        let mut command = Self::new_zeroed();
        command.opcode = opcode as u8;
        command.tag = U32::new(tag);
        command.seal()
    }

    /// Makes a row valid.
    pub fn write_row(tag: u32, table: Table, way: u8, row: u32, content: &Row) -> Self {
        Self::row_command(Opcode::WriteRow, tag, table as u8, way, row).with_content(content).seal()
    }

    /// Keeps the value of the rule that [`Command::write_rule`] writes next.
    pub fn stage_rule(tag: u32, rule: &Rule) -> Self {
        let mut command = Self::new(Opcode::StageRule, tag);
        command.key = rule.value;
        command.seal()
    }

    /// Makes the rule that was staged valid. `number` is its number in the bank.
    pub fn write_rule(tag: u32, bank: u8, number: u32, rule: &Rule) -> Self {
        let mut command = Self::row_command(Opcode::WriteRule, tag, 0, bank, number).with_content(&rule.row);
        if rule.destination {
            command.flags |= flags::DESTINATION;
        }
        command.seal()
    }

    /// Makes a rule invalid.
    pub fn clear_rule(tag: u32, bank: u8, number: u32) -> Self {
        Self::row_command(Opcode::ClearRule, tag, 0, bank, number).seal()
    }

    /// Reads a rule's value or its mask back.
    pub fn read_rule(tag: u32, bank: u8, number: u32, mask: bool) -> Self {
        let mut command = Self::row_command(Opcode::ReadRule, tag, 0, bank, number);
        command.flags = if mask { flags::MASK } else { 0 };
        command.seal()
    }

    /// The same write or clear, as part of the open batch.
    #[must_use]
    pub fn pending(mut self) -> Self {
        self.flags |= flags::PENDING;
        self.seal()
    }

    /// Damages the parity of a row.
    pub fn corrupt_row(tag: u32, table: Table, way: u8, row: u32) -> Self {
        Self::row_command(Opcode::CorruptRow, tag, table as u8, way, row).seal()
    }

    fn with_content(mut self, content: &Row) -> Self {
        self.scope = content.scope as u8;
        self.match_index = low_bytes(u64::from(content.match_index.value()));
        self.not_after = low_bytes(content.not_after.min(time::NOT_AFTER_NEVER));
        self.key = content.key;
        self.flags |= content.ring & flags::RING_MASK;
        self
    }

    /// Makes a row invalid.
    pub fn clear_row(tag: u32, table: Table, way: u8, row: u32) -> Self {
        Self::row_command(Opcode::ClearRow, tag, table as u8, way, row).seal()
    }

    /// Reads a row back.
    pub fn read_row(tag: u32, table: Table, way: u8, row: u32) -> Self {
        Self::row_command(Opcode::ReadRow, tag, table as u8, way, row).seal()
    }

    /// Reads, or reads and clears, the drop counters of a match index.
    pub fn drops(tag: u32, match_index: MatchIndex, clear: bool) -> Self {
        let mut command = Self::new(if clear { Opcode::ClearDrops } else { Opcode::ReadDrops }, tag);
        command.match_index = low_bytes(u64::from(match_index.value()));
        command.seal()
    }

    fn row_command(opcode: Opcode, tag: u32, table: u8, way: u8, row: u32) -> Self {
        let mut command = Self::new(opcode, tag);
        command.table = table;
        command.way = way;
        command.row = U32::new(row);
        command
    }

    /// Sets the CRC.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.crc32c = U32::new(crc::crc32c(&self.as_bytes()[..60]));
        self
    }

    /// Checks the command as the card does, apart from [`Status::NotReady`] and [`Status::BadState`]. Bits and fields that an opcode has no use for
    /// do not count.
    pub fn check(&self) -> Result<Opcode, Status> {
        if self.crc32c.get() != crc::crc32c(&self.as_bytes()[..60]) {
            return Err(Status::BadCrc);
        }
        let opcode = Opcode::from_bits(self.opcode).ok_or(Status::BadOpcode)?;
        let row_exists = Table::from_bits(self.table)
            .is_some_and(|table| self.row.get() < table.rows_per_way() && usize::from(self.way) < limits::WAYS);
        let rule_exists = self.row.get() < limits::RULES_PER_BANK && usize::from(self.way) < limits::RULE_BANKS;
        let index_exists = self.match_index_bits() < limits::MATCH_INDEX_COUNT;
        let content_good =
            index_exists && Scope::from_bits(self.scope).is_some() && self.not_after_ticks() <= time::NOT_AFTER_NEVER;
        let ok = match opcode {
            Opcode::Nop | Opcode::StageRule | Opcode::Commit | Opcode::Settle | Opcode::Abort => true,
            Opcode::WriteRow => row_exists && content_good,
            Opcode::WriteRule => rule_exists && content_good,
            Opcode::ClearRow | Opcode::ReadRow | Opcode::CorruptRow => row_exists,
            Opcode::ClearRule | Opcode::ReadRule => rule_exists,
            Opcode::ReadDrops | Opcode::ClearDrops => index_exists,
        };
        if ok { Ok(opcode) } else { Err(Status::BadField) }
    }

    /// The match index field as a number, in range or not.
    pub fn match_index_bits(&self) -> u32 {
        number(&self.match_index) as u32
    }

    /// The `not_after` field as a number of ticks.
    pub fn not_after_ticks(&self) -> u64 {
        number(&self.not_after)
    }
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RowState {
    /// Nothing stands there.
    Invalid = 0,
    /// The row holds a key, visible or pending.
    Valid = 1,
    /// The row's parity does not fit: it matches nothing until it is written again.
    Damaged = 2,
}

impl RowState {
    /// The state for its number, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Invalid),
            1 => Some(Self::Valid),
            2 => Some(Self::Damaged),
            _ => None,
        }
    }
}

/// Answer to one command: two lines.
///
/// `stamp_ns` and `frames_looked_up` are taken at the clock in which the command took effect: a write or clear is seen by exactly
/// those frames of a direction that are not counted there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Completion {
    /// Tag of the command; all ones if its line could not be read, with [`Status::BadCrc`] and an opcode of all ones.
    pub tag: U32,
    /// [`Status`].
    pub status: u8,
    /// Opcode of the command, as it stood there.
    pub opcode: u8,
    /// For `ReadRow` and `ReadRule`: [`RowState`].
    pub row_state: u8,
    /// Zero.
    pub reserved: u8,
    /// Card time at the commit.
    pub stamp_ns: U64,
    /// Frames of ports A and B whose keys entered lookup before the commit.
    pub frames_looked_up: [U64; 2],
    /// Packets dropped for the match index (drop commands).
    pub drop_packets: U64,
    /// Bytes without FCS of those packets.
    pub drop_bytes: U64,
    /// Zero.
    pub reserved2: [u8; 16],
    /// For `ReadRow` and `ReadRule`: the row, laid out like the command that would write it, with tag, CRC and opcode zero, the flags as they
    /// stand, and for `ReadRule` value or mask in the place of the key; all zero if the row is not [`RowState::Valid`].
    pub row: Command,
}

const _: () = {
    assert!(size_of::<Command>() == limits::LINE_BYTES);
    assert!(core::mem::offset_of!(Command, match_index) == 12);
    assert!(core::mem::offset_of!(Command, not_after) == 15);
    assert!(core::mem::offset_of!(Command, key) == 21);
    assert!(core::mem::offset_of!(Command, flags) == 59);
    assert!(core::mem::offset_of!(Command, crc32c) == 60);
    assert!(size_of::<Completion>() == 2 * limits::LINE_BYTES);
    assert!(core::mem::offset_of!(Completion, stamp_ns) == 8);
    assert!(core::mem::offset_of!(Completion, drop_packets) == 32);
    assert!(core::mem::offset_of!(Completion, row) == 64);
};

fn low_bytes<const N: usize>(value: u64) -> [u8; N] {
    let bytes = value.to_le_bytes();
    core::array::from_fn(|i| bytes[i])
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text([u8; 1024], usize);

    impl fmt::Write for Text {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0[self.1..self.1 + text.len()].copy_from_slice(text.as_bytes());
            self.1 += text.len();
            Ok(())
        }
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let match_index = MatchIndex::new(1).expect("in range");
        let row = Row { key: [0xee; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after: 1, ring: 0 };
        let command = Command::write_row(1, Table::Address, 0, 0, &row);
        let mut text = Text([0; 1024], 0);
        fmt::write(&mut text, format_args!("{row:?} {command:?}")).expect("fits");
        let text = core::str::from_utf8(&text.0[..text.1]).expect("text");
        assert!(text.contains("match_index") && !text.contains("238") && !text.contains("ee"), "{text}");
    }

    #[test]
    fn damaged_commands_are_refused() {
        let row = Row {
            key: [3; key::KEY_BYTES_MAX],
            match_index: MatchIndex::new(5).expect("in range"),
            scope: Scope::HeadersL4,
            not_after: 77,
            ring: 2,
        };
        let good = Command::write_row(9, Table::Endpoint, 3, 2047, &row);
        assert_eq!(good.check(), Ok(Opcode::WriteRow));
        assert_eq!((good.match_index_bits(), good.not_after_ticks()), (5, 77));
        for bit in 0..512 {
            let mut bytes = [0; 64];
            bytes.copy_from_slice(good.as_bytes());
            bytes[bit / 8] ^= 1 << (bit % 8);
            let bad = Command::read_from_bytes(&bytes).expect("64 bytes");
            assert_eq!(bad.check(), Err(Status::BadCrc), "bit {bit}");
        }
        let mut outside = Command::write_row(9, Table::Endpoint, 3, 2048, &row);
        assert_eq!(outside.check(), Err(Status::BadField));
        outside.opcode = 99;
        assert_eq!(outside.seal().check(), Err(Status::BadOpcode));
    }
}
