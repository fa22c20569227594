//! The table engine: executes commands one after the other and answers each; scrubs when it has nothing to do.
//!
//! # Theory of operation
//! A command is checked in the order that [`writ_abi::command::Status`] gives: CRC, opcode, fields, tables swept, state. Whatever touches a memory
//! then waits for a clock in which no keys enter lookup and takes effect in it, with the card's time and the counts of frames looked up so far.
//! While a command is under way `hold` asks the merger for an empty slot every 16 clocks, so each wait is bounded whatever the traffic, and
//! commands never take more than a sixteenth of the slots that nobody needs otherwise.
//!
//! | command | accesses |
//! |---|---|
//! | `WriteRow`, `ClearRow`, `ClearRule`, `Commit` | one |
//! | `ReadRow`, `ReadRule` | one, and the answer of the memories |
//! | pending clears, `CorruptRow` | a read, and a write if there is something to change |
//! | `WriteRule` | a read; a write if the same rule stands there; else a write that makes the place invalid, the cells, a write |
//! | `Settle`, `Abort` | [`Sweeper`] |
//!
//! After a reset every row of every way and every bank is made invalid, one row number a clock; until that is over, and the drop counters have been
//! swept too, commands other than `Nop` end with `NotReady`, nothing is looked up and nothing is armed.
//!
//! # Limits
//! One command at a time. Without traffic: a row 9 clocks, a rule about 170 with its `StageRule`; with both links full, 10 clocks more for each access.

mod answer;
mod check;
mod core;
mod load;
mod scrub;
mod sweep;

pub use answer::Answer;
pub use check::{CommandCheck, CommandKind};
pub use core::{EngineState, TableEngine};
pub use load::Loader;
pub use scrub::Scrubber;
pub use sweep::{Sweeper, SweptRow};
