//! Rows, rules, hits and verdicts.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;
use writ_abi::{limits, time};

const _: () = {
    assert!(limits::MATCH_INDEX_COUNT == 1 << 17 && limits::WAYS == 4 && limits::HITS_MAX == 21);
    assert!(limits::RULE_BANKS == 4 && limits::RULES_PER_BANK == 128 && limits::RECORD_RINGS == 4);
    assert!(time::NOT_AFTER_BITS == 44, "kernels write these out");
};

/// A row without its key, as its memory holds it: one word of an UltraRAM. `parity` bit `i` makes the bits at `i`, `i + 4`, `i + 8`... even. The
/// three marks stand in front, so that each has a parity bit of its own. All zero is a row without a key.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RowData {
    /// The row holds a key.
    pub valid: Bit,
    /// Added by a batch that is not settled.
    pub pending: Bit,
    /// Cleared by a batch that is not settled.
    pub pending_clear: Bit,
    /// Record ring.
    pub ring: Bits<2>,
    /// [`writ_abi::Scope`].
    pub scope: Bits<2>,
    /// What a hit returns.
    pub match_index: Bits<17>,
    /// Tick at which the row expires.
    pub not_after: Bits<44>,
    /// Over the fields before.
    pub parity: Bits<4>,
}

const _: () = assert!(RowData::BITS == 72, "one word of an UltraRAM");

/// What one lookup found.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Hit {
    /// A visible, live row has the key, or a visible, live rule matches.
    pub valid: Bit,
    /// Its index.
    pub match_index: Bits<17>,
    /// Its scope.
    pub scope: Bits<2>,
    /// Its record ring.
    pub ring: Bits<2>,
    /// A rule that stands for the receiver; 0 in hits of tables.
    pub destination: Bit,
}

/// A frame that has been looked up.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Verdict {
    /// Which frame.
    pub ticket: Ticket,
    /// Its headers.
    pub headers: Headers,
    /// 21 times a [`Hit`], in the order of [`writ_abi::Lookup`]: hit `i` stands in bits `23 * i` to `23 * i + 22`, first field lowest. The two lookups of a
    /// bank share one, because a bank gives one hit: hit `17 + b` is of lookup `17 + 2 * b + destination`. A lookup without a hit is all zero.
    pub hits: Bits<483>,
}

const _: () = assert!(limits::HITS_MAX * Hit::BITS == 483, "the hits of a verdict");

/// What one way says about one key, or one place of a bank about a frame. Kernels name its bits by number in loops: 0 live, 1 expired, 2 damaged, 3
/// destination, 4 to 6 the row's marks, 7 to 71 what a hit takes from it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Candidate {
    /// Undamaged, visible, has the key, lives.
    pub live: Bit,
    /// Undamaged, visible, has the key, is expired.
    pub expired: Bit,
    /// Parity does not fit.
    pub damaged: Bit,
    /// A rule that stands for the receiver.
    pub destination: Bit,
    /// The row.
    pub row: RowData,
}

/// Result of one lookup; all zero where nothing was looked up. Kernels name its bits by number in loops: 0 to 22 the hit, 23 expired, 24 multi, 25
/// damaged.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Found {
    /// The hit.
    pub hit: Hit,
    /// Only expired rows have the key.
    pub expired: Bit,
    /// Two live rows that differ.
    pub multi: Bit,
    /// A damaged row was read.
    pub damaged: Bit,
}

/// What makes a rule apart from its row. Bit `i` of `parity` makes the bits at `i`, `i + 8`... even.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RuleWord {
    /// Over all the rest.
    pub parity: Bits<8>,
    /// It stands for the receiver.
    pub destination: Bit,
    /// Zero.
    pub spare: Bits<7>,
    /// The bits to find.
    pub value: Bits<304>,
    /// The bits to look at.
    pub mask: Bits<304>,
}

/// One access to the memories, in a clock in which no keys enter. What is written stands in the engine's registers.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RowAccess {
    /// Read.
    pub read: Bit,
    /// Write the row.
    pub write: Bit,
    /// With `write`: and its key, or a rule's value and mask.
    pub write_key: Bit,
    /// With `write`: make it invalid, whatever the row register holds.
    pub blank: Bit,
    /// Write what the batch sweep has changed.
    pub back: Bit,
    /// Write zero into all ways of all tables and all banks; may take any clock.
    pub erase: Bit,
    /// With `read`: all tables, or all banks.
    pub every: Bit,
    /// The rules, not the tables.
    pub rules: Bit,
    /// Table.
    pub table: Bits<3>,
    /// Way or bank.
    pub way: Bits<2>,
    /// Row or rule.
    pub row: Bits<13>,
}

/// The batch sweep, as memories have to know it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct SweepMode {
    /// A sweep is under way.
    pub active: Bit,
    /// `Settle`, not `Abort`.
    pub settle: Bit,
    /// What was read comes back at this clock and counts.
    pub capture: Bit,
}

/// First line of a completion, as it lies in memory ([`writ_abi::command::Completion`]).
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct CompletionHead {
    pub tag: Bits<32>,
    pub status: Bits<8>,
    pub opcode: Bits<8>,
    pub row_state: Bits<8>,
    pub reserved: Bits<8>,
    pub stamp_ns: Bits<64>,
    pub frames_looked_up_a: Bits<64>,
    pub frames_looked_up_b: Bits<64>,
    pub drop_packets: Bits<64>,
    pub drop_bytes: Bits<64>,
    pub reserved_2: Bits<128>,
}

/// Second line of a completion: a row or rule, laid out like the command that would write it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct CompletionRow {
    pub opcode: Bits<8>,
    pub table: Bits<8>,
    pub way: Bits<8>,
    pub scope: Bits<8>,
    pub tag: Bits<32>,
    pub row: Bits<32>,
    pub match_index: Bits<24>,
    pub not_after: Bits<48>,
    pub key: Bits<304>,
    pub flags: Bits<8>,
    pub crc32c: Bits<32>,
}

const _: () = {
    assert!(CompletionHead::BITS == 512 && CompletionRow::BITS == 512 && RuleWord::BITS == 624);
    use core::mem::offset_of;
    use writ_abi::command::{Command, Completion, flags};
    assert!(offset_of!(Completion, row_state) == 6 && offset_of!(Completion, stamp_ns) == 8);
    assert!(offset_of!(Completion, frames_looked_up) == 16);
    assert!(offset_of!(Completion, drop_packets) == 32 && offset_of!(Completion, row) == 64);
    assert!(offset_of!(Command, tag) == 4 && offset_of!(Command, row) == 8 && offset_of!(Command, match_index) == 12);
    assert!(offset_of!(Command, not_after) == 15 && offset_of!(Command, key) == 21);
    assert!(offset_of!(Command, flags) == 59 && offset_of!(Command, crc32c) == 60);
    assert!(flags::RING_MASK == 3 && flags::PENDING == 4 && flags::DESTINATION == 8 && flags::MASK == 16);
    assert!(flags::PENDING_CLEAR == 32, "kernels write these as numbers");
};
