//! The Verilated gateware against the golden model: record for record, counter for counter, completion for completion, on random
//! frames of every path of the grammar with random tables, on all frame lengths, and on real captures.
//!
//! | variable | meaning |
//! |---|---|
//! | `WRIT_EQUIVALENCE_FRAMES` | random frames to play; 50,000 if not set |
//! | `WRIT_EQUIVALENCE_SEED` | seed of the first random scenario; 1 if not set |
//! | `WRIT_EQUIVALENCE_CASE` | a file with a scenario: `saved_cases` plays it alone |
//!
//! A random scenario that fails is made smaller and saved under `testbench/corpus/equivalence`, where every later run plays it again.
#![cfg(feature = "rtl")]

#[path = "../common/mod.rs"]
mod common;

mod apart;
mod captures;
mod coverage;
mod edges;
#[cfg(feature = "rtl-narrow")]
mod narrow;
mod random;
mod rates;
mod run;

use common::scenario::Action;
use common::with_fcs;
use writ_abi::PortSide;

/// A good frame, given without FCS.
fn good(port: PortSide, frame: &[u8]) -> Action {
    Action::Frame { port, bytes: with_fcs(frame), damaged: false }
}
