//! A line on its way to host memory.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;

/// Where a line goes and what it is.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct LineWrite {
    /// Bus address, a multiple of 64.
    pub address: Bits<64>,
    /// It is an index line: the host may want to know.
    pub index: Bit,
    /// The line.
    pub data: Bits<512>,
}
