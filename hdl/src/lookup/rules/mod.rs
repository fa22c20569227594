//! Wildcard rules: four banks of 128, at most one hit of each.
//!
//! # Theory of operation
//! The bits of a packet's 5-tuple are cut into 61 chunks of 5. For each chunk a LUT memory holds, at each of the 32 values that the chunk may have, one
//! bit a rule: whether the rule matches that value. The conjunction of what the chunks give is the rules that match ([`RuleCells`]). Of those that are
//! visible the two with the lowest numbers are candidates: their rows are read from a block memory that also holds value and mask,
//! compared in full, checked for parity and expiry, and the first that passes gives the hit ([`RuleBank`]).
//!
//! | clock | step |
//! |---|---|
//! | 0 | LUT memories, in two halves (`look_up`) |
//! | 1 | the keys enter: both halves, and what is visible |
//! | 2, 3, 4 | the lowest, the second, whether there are more |
//! | 5 | rows are read |
//! | 6, 7, 8 | into registers, compared, candidates |
//! | 9 | the hit |
//! | 10 | `found` |
//!
//! An access of the engine takes a clock in which no keys enter, like one to a table. It changes the marks that say what is visible in that clock, and
//! follows the frames before it to the rows, which it reads or writes four clocks later. So it stands between two frames.
//!
//! A rule is written while it is invalid. [`RuleWriter`] has a copy of the LUT memories in block memory, from which it takes the bits of the other
//! rules that share its words.
//!
//! # Limits
//! The memories agree exactly: a rule is a candidate if and only if value and mask say so, as long as no bit flips. A flipped bit in a LUT memory that
//! adds a candidate is found by the full comparison; it may displace one in the case, which planning avoids, of three matching rules in a bank. One that takes a
//! candidate away is not found: the rule is missing until it is written again.

mod bank;
mod cells;
mod compare;
mod lookup;
mod writer;

pub use bank::RuleBank;
pub use cells::RuleCells;
pub use compare::{ChooseRule, CompareRule};
pub use lookup::{RuleKey, RuleLookup};
pub use writer::RuleWriter;
