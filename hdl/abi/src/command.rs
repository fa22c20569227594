//! Commands to the card and its completions.
//!
//! The host writes 64-byte commands into the command ring and rings the doorbell with the new producer index; the card reads
//! them by DMA, in order, executes one after the other, and writes one 128-byte completion each, in the same order. The host never has
//! more commands outstanding than the completion ring holds.

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
}

impl Opcode {
    /// The opcode for its number, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Nop),
            1 => Some(Self::WriteRow),
            2 => Some(Self::ClearRow),
            3 => Some(Self::ReadRow),
            4 => Some(Self::ReadDrops),
            5 => Some(Self::ClearDrops),
            _ => None,
        }
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
    /// The table, way or row does not exist (row commands), or the scope or match index does not exist or `not_after` has a bit
    /// above [`time::NOT_AFTER_BITS`] (`WriteRow`), or
    /// the match index does not exist (drop commands).
    BadField = 3,
    /// The tables are still being swept after a reset.
    NotReady = 4,
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
    /// Zero.
    pub reserved: u8,
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
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("match_index", &self.match_index)
            .field("scope", &self.scope)
            .field("not_after", &self.not_after)
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
        let mut command = Self::row_command(Opcode::WriteRow, tag, table, way, row);
        command.scope = content.scope as u8;
        command.match_index = low_bytes(u64::from(content.match_index.value()));
        command.not_after = low_bytes(content.not_after.min(time::NOT_AFTER_NEVER));
        command.key = content.key;
        command.seal()
    }

    /// Makes a row invalid.
    pub fn clear_row(tag: u32, table: Table, way: u8, row: u32) -> Self {
        Self::row_command(Opcode::ClearRow, tag, table, way, row).seal()
    }

    /// Reads a row back.
    pub fn read_row(tag: u32, table: Table, way: u8, row: u32) -> Self {
        Self::row_command(Opcode::ReadRow, tag, table, way, row).seal()
    }

    /// Reads, or reads and clears, the drop counters of a match index.
    pub fn drops(tag: u32, match_index: MatchIndex, clear: bool) -> Self {
        let mut command = Self::new(if clear { Opcode::ClearDrops } else { Opcode::ReadDrops }, tag);
        command.match_index = low_bytes(u64::from(match_index.value()));
        command.seal()
    }

    fn row_command(opcode: Opcode, tag: u32, table: Table, way: u8, row: u32) -> Self {
        let mut command = Self::new(opcode, tag);
        command.table = table as u8;
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

    /// Checks the command as the card does, apart from [`Status::NotReady`].
    pub fn check(&self) -> Result<Opcode, Status> {
        if self.crc32c.get() != crc::crc32c(&self.as_bytes()[..60]) {
            return Err(Status::BadCrc);
        }
        let opcode = Opcode::from_bits(self.opcode).ok_or(Status::BadOpcode)?;
        let row_exists = Table::from_bits(self.table)
            .is_some_and(|table| self.row.get() < table.rows_per_way() && usize::from(self.way) < limits::WAYS);
        let index_exists = self.match_index_bits() < limits::MATCH_INDEX_COUNT;
        let ok = match opcode {
            Opcode::Nop => true,
            Opcode::WriteRow => {
                row_exists
                    && index_exists
                    && Scope::from_bits(self.scope).is_some()
                    && self.not_after_ticks() <= time::NOT_AFTER_NEVER
            }
            Opcode::ClearRow | Opcode::ReadRow => row_exists,
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

/// Answer to one command: two lines.
///
/// `stamp_ns` and `frames_looked_up` are taken at the clock in which the command took effect: a write or clear is seen by exactly
/// those frames of a direction that are not counted there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Completion {
    /// Tag of the command.
    pub tag: U32,
    /// [`Status`].
    pub status: u8,
    /// Opcode of the command, as it stood there.
    pub opcode: u8,
    /// For `ReadRow`: 1 if the row is valid.
    pub row_valid: u8,
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
    /// For `ReadRow`: the row, laid out like the command that would write it, with tag, reserved bytes and CRC zero and opcode
    /// zero; all zero if the row is invalid.
    pub row: Command,
}

const _: () = {
    assert!(size_of::<Command>() == limits::LINE_BYTES);
    assert!(core::mem::offset_of!(Command, match_index) == 12);
    assert!(core::mem::offset_of!(Command, not_after) == 15);
    assert!(core::mem::offset_of!(Command, key) == 21);
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
        let row = Row { key: [0xee; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after: 1 };
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
        };
        let good = Command::write_row(9, Table::Endpoint, 3, 1023, &row);
        assert_eq!(good.check(), Ok(Opcode::WriteRow));
        assert_eq!((good.match_index_bits(), good.not_after_ticks()), (5, 77));
        for bit in 0..512 {
            let mut bytes = [0; 64];
            bytes.copy_from_slice(good.as_bytes());
            bytes[bit / 8] ^= 1 << (bit % 8);
            let bad = Command::read_from_bytes(&bytes).expect("64 bytes");
            assert_eq!(bad.check(), Err(Status::BadCrc), "bit {bit}");
        }
        let mut outside = Command::write_row(9, Table::Endpoint, 3, 1024, &row);
        assert_eq!(outside.check(), Err(Status::BadField));
        outside.opcode = 99;
        assert_eq!(outside.seal().check(), Err(Status::BadOpcode));
    }
}
