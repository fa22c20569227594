//! What travels between the adapter's blocks.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;

/// A line on its way from the core to RQ.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct BusLine {
    /// Bus address.
    pub address: Bits<64>,
    /// It is an index line: an interrupt follows it.
    pub index: Bit,
    /// Vector of that interrupt.
    pub vector: Bits<3>,
    /// The line.
    pub data: Bits<512>,
}

/// A TLP that waits for its turn on RQ.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Tlp {
    /// Lines of 64 bytes that it writes; 0: it reads a line, or writes `word`.
    pub lines: Bits<4>,
    /// It reads a line.
    pub read: Bit,
    /// What a write without lines writes: an interrupt message.
    pub word: Bits<32>,
    /// Bus address.
    pub address: Bits<64>,
}

/// A beat of RQ.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RqBeat {
    /// `s_axis_rq_tdata`.
    pub data: Bits<512>,
    /// Bits 0 to 35 of `s_axis_rq_tuser`; all others are 0.
    pub user: Bits<36>,
    /// A read begins in it.
    pub read: Bit,
    /// It is the first that holds a part of its last line.
    pub line: Bit,
}

/// A request to a register of the core, on its way there.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct AccessRequest {
    /// It writes `data`.
    pub write: Bit,
    /// Comes back with the answer, so that an answer to nobody is known as one.
    pub number: Bits<4>,
    /// Byte address.
    pub address: Bits<12>,
    /// What to write.
    pub data: Bits<32>,
}

/// The answer to a read.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct AccessAnswer {
    /// That of the request.
    pub number: Bits<4>,
    /// The core did not answer.
    pub failed: Bit,
    /// What stands there.
    pub data: Bits<32>,
}

/// A line that was read from host memory.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct ReadLine {
    /// It could not be read; the line is all ones.
    pub error: Bit,
    /// The line.
    pub data: Bits<512>,
}

/// A part of a line, out of a completion, in its place.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Piece {
    /// There is one.
    pub valid: Bit,
    /// Tag of the request.
    pub tag: Bits<8>,
    /// Bits 6 to 11 of its address; they mean nothing with a code.
    pub place: Bits<6>,
    /// Words of 32 bits that it holds.
    pub words: Bits<16>,
    /// The request has ended with it.
    pub ends: Bit,
    /// Error code of the completion, or 15: it is damaged, or does not fit into the line.
    pub code: Bits<4>,
    /// The line.
    pub data: Bits<512>,
}
