//! From tasks to rows: which keys the card has to match, where each row stands, and in which order rows are written.
//!
//! A task names targets; each target is one match key or, for a prefix that has no table of its own, two; each key has one row or rule and one
//! [`MatchIndex`], however many tasks share it. The row carries the widest scope and the latest end of its tasks, the [`FanOut`] gives each task its own part
//! of what the row selects. [`Tables`] holds the task set, a shadow of the card's rows and the match indices; [`Tables::plan`]
//! turns changes into a [`Plan`], whose writes go to the card batch by batch.
//!
//! # What holds at every moment
//! - After every single write of every plan the card finds every key that was there before and stays, and every key that
//!   has been added so far. A row is moved by writing the copy first; no key is ever absent in between.
//! - No key that no task names is ever found. A key stands twice only while its row is being moved, with the same content.
//! - New rows come before cleared ones.
//! - The writes of one batch do not depend on each other: whichever of them fail, the above holds.
//! - A refused plan changes nothing. A plan that failed half-way is rolled back under the same rules.
//! - Tasks that share a key have one record ring, so that the packets of a task stay in order; a change that makes two groups share moves the
//!   smaller one to the other's ring.
//! - No two rules of a bank match one packet: overlapping rules stand in different banks.
//! - A match index is not given out again before its row is cleared, the record ring has been consumed past that moment, and its
//!   drop counters have been read and cleared.
//!
//! # What it refuses
//! I/O, clocks, threads, randomness, hash maps with a random order: the same changes always give the same plan. Targets that name
//! more than one host or subscriber. A key that fits nowhere, and a rule that overlaps others in every bank, is a [`Refusal`] that names the table and its
//! load, never the key.
//!
//! Nothing here blocks. One thread owns [`Tables`]; [`FanOut`] is `Send + Sync` and is handed to the thread that consumes the ring.
#![forbid(unsafe_code)]

mod cuckoo;
mod entry;
mod error;
mod fan_out;
mod key;
mod plan;
mod reconcile;
mod shadow;
mod tables;
mod target;
mod task;

pub use entry::Entry;
pub use error::{ExecuteError, Misuse, Refusal};
pub use fan_out::FanOut;
pub use key::{Area, Capabilities, Geometry, GeometryError, Key, Place};
pub use plan::{Plan, RowWrite, Summary, WriteId};
pub use reconcile::{Difference, ReadBack, ReadBackRow, Reconciliation};
pub use tables::{Committed, EndedShare, Generation, Kept, Outcome, RestoreError, TableUsage, Tables, Usage};
pub use target::{
    End, IPV4_PREFIX_BITS_MIN, IPV6_PREFIX_BITS_MIN, ParseTargetError, ParseTargetErrorKind, Protocol, Target,
    TargetFault, TunnelTarget,
};
pub use task::{Change, Share, Task, TaskIndex, effective_end_ns};
pub use writ_abi::{MatchIndex, Scope, Table};
