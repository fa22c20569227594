//! The core of mediation and delivery, without a socket, a file, a clock or a thread of its own: what was ordered, what was copied,
//! what was delivered, and the proof of it.
//!
//! # What it does
//! - [`order`] judges a request for an interception; what it accepts is a [`task::TaskSpec`], and [`lifecycle`] says what has to be
//!   done with it until it ends.
//! - [`datapath`] turns packet records into PDUs, straight into the blocks of the [`arena`], which survives the death of the
//!   process.
//! - [`session`] delivers PDUs over a connection that may break at any time, until the peer confirmed them. [`journal`] keeps HI2
//!   and X2 on disk, sealed, before they are sent.
//! - [`accounting`] adds up what was selected, delivered, buffered and lost; [`audit`] chains records that nobody can change
//!   unnoticed.
//! - [`leap`] is the only place where the card's TAI becomes UTC.
//!
//! # What it refuses
//! No I/O: transport, storage, keys, randomness and both clocks are arguments, so that the code that runs in a carrier's network is
//! the code that runs under the fault simulator in `tests/simulation`. Whatever comes from outside (requests, records, octets of
//! peers, stored tasks, journals, audit files) gives a typed error that names what is wrong and whose fault it is; nothing panics.
//! No identity of a target is in a `Debug` output, an error or a [`session::Notice`].
//!
//! # Main types
//! | type | owner | purpose |
//! |---|---|---|
//! | [`datapath::Encoder`] | ring thread | numbers, templates, blocks |
//! | [`session::Session`] | one task a destination and interface | sending, confirming, repeating |
//! | [`journal::Journal`] | its session | sealed spool |
//! | [`accounting::Ledger`], [`audit::Log`], [`lifecycle::TaskMachine`] | control thread | books, proof, states |
//!
//! Blocks go from encoder to session and back as owned values ([`arena::SealedBlock`], [`arena::FreeBlock`]); nothing is shared,
//! nothing is locked.
//!
//! # Threads and blocking
//! Every type is plain data and `Send`. Only [`journal::Storage`] calls can block, inside a journalled session's
//! [`session::Session::poll`]. Memory is bounded by the arena, each session's window, and fixed limits on what a peer can make
//! grow.
//!
//! # Clauses
//! TS 102 232-1 (5.2, 6.3, 6.4, 7.2), TS 102 232-3, TS 103 221-2 (5, keep-alive), TS 101 671 (HI1 notices), 47 CFR 1.20004, 18 USC
//! 2518, 3123, 3125.
#![forbid(unsafe_code)]

pub mod accounting;
pub mod arena;
pub mod audit;
pub mod datapath;
pub mod journal;
pub mod leap;
pub mod order;
pub mod session;
pub mod task;
pub mod units;

pub use task::{StoredError, lifecycle};
