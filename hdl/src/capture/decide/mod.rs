//! From a frame that has ended to what becomes of it in each ring.
//!
//! # Overview
//! [`Expander`] makes a record that is due of each ring that a frame's hits name. [`CutFinder`] finds how much of the frame its hits allow,
//! [`HitPacker`] puts the hits in a row; both take four clocks. [`Decider`] numbers the record and copies or drops it. All take one record a clock
//! and never wait.

mod compactor;
mod cut;
mod decider;
mod expander;
mod packer;

pub use compactor::CompactPlan;
pub use cut::CutFinder;
pub use decider::{Decider, OUTCOME_COPIED};
pub use expander::Expander;
pub use packer::HitPacker;

use writ_abi::{Lookup, limits};

/// The lookup that a slot of a verdict stands for; of a rule bank the one of the sender.
fn lookup_of(slot: usize) -> Lookup {
    let bank = slot.checked_sub(limits::HITS_MAX - limits::RULE_BANKS);
    let lookup = bank.map_or(Lookup::from_bits(slot as u8), |bank| Lookup::of_rule(bank as u8, false));
    lookup.expect("a verdict has a slot for each exact lookup, then one for each bank")
}
