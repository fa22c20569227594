//! What travels between clocks.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;

/// What the core sends.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct TimeWord {
    /// Card time.
    pub ns: Bits<64>,
    /// Its quality.
    pub quality: Bits<2>,
    /// Counts steps.
    pub era: Bits<2>,
}
