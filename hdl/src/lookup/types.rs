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
