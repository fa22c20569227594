//! Rows, hits and verdicts.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;
use writ_abi::{limits, time};

const _: () = {
    assert!(limits::MATCH_INDEX_COUNT == 1 << 15 && limits::WAYS == 4 && limits::LOOKUPS == 4);
    assert!(time::NOT_AFTER_BITS == 44, "kernels write these out");
};

/// A row without its key.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RowData {
    /// The row holds a key.
    pub valid: Bit,
    /// What a hit returns.
    pub match_index: Bits<15>,
    /// [`writ_abi::Scope`].
    pub scope: Bits<2>,
    /// Tick at which the row expires.
    pub not_after: Bits<44>,
}

/// What one way says about one key.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Candidate {
    /// The way's row has the key.
    pub matches: Bit,
    /// And has not expired.
    pub live: Bit,
    /// The row's index.
    pub match_index: Bits<15>,
    /// The row's scope.
    pub scope: Bits<2>,
}

/// What one lookup found.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Hit {
    /// A live row has the key.
    pub valid: Bit,
    /// Its index.
    pub match_index: Bits<15>,
    /// Its scope.
    pub scope: Bits<2>,
}

/// A frame with at least one hit that counts.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Verdict {
    /// Which frame.
    pub ticket: Ticket,
    /// Its headers.
    pub headers: Headers,
    /// Address table, source.
    pub hit_0: Hit,
    /// Address table, destination.
    pub hit_1: Hit,
    /// Endpoint table, source.
    pub hit_2: Hit,
    /// Endpoint table, destination.
    pub hit_3: Hit,
}

/// A change or a look at one row.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RowAccess {
    /// Write the row at this clock.
    pub write: Bit,
    /// Read the row at this clock.
    pub read: Bit,
    /// All ways of both tables: the sweep.
    pub every: Bit,
    /// 0 address table, 1 endpoint table.
    pub table: Bit,
    /// Way.
    pub way: Bits<2>,
    /// Row of the way.
    pub row: Bits<12>,
    /// The new row's key.
    pub key: Bits<160>,
    /// The new row.
    pub data: RowData,
}

/// First line of a completion, as it lies in memory ([`writ_abi::command::Completion`]).
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct CompletionHead {
    pub tag: Bits<32>,
    pub status: Bits<8>,
    pub opcode: Bits<8>,
    pub row_valid: Bits<8>,
    pub reserved: Bits<8>,
    pub stamp_ns: Bits<64>,
    pub frames_looked_up_a: Bits<64>,
    pub frames_looked_up_b: Bits<64>,
    pub drop_packets: Bits<64>,
    pub drop_bytes: Bits<64>,
    pub reserved_2: Bits<128>,
}

/// Second line of a completion: a row, laid out like the command that would write it.
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
    pub reserved: Bits<8>,
    pub crc32c: Bits<32>,
}

const _: () = {
    assert!(CompletionHead::BITS == 512 && CompletionRow::BITS == 512);
    use core::mem::offset_of;
    use writ_abi::command::{Command, Completion};
    assert!(offset_of!(Completion, stamp_ns) == 8 && offset_of!(Completion, frames_looked_up) == 16);
    assert!(offset_of!(Completion, drop_packets) == 32 && offset_of!(Completion, row) == 64);
    assert!(offset_of!(Command, tag) == 4 && offset_of!(Command, row) == 8 && offset_of!(Command, match_index) == 12);
    assert!(offset_of!(Command, not_after) == 15 && offset_of!(Command, key) == 21);
    assert!(offset_of!(Command, reserved) == 59 && offset_of!(Command, crc32c) == 60);
};
