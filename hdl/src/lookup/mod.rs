//! From match keys to hits: two match tables, four lookups a frame, and the engine that changes the tables.
//!
//! # Overview
//! [`Lookup`] takes a parsed frame a clock. Each of the two tables (address, endpoint) has four ways and two read
//! ports, so the source's and the destination's key are looked up in the same clock. A row's place in a way is a slice of a CRC of its
//! key ([`writ_abi::hash`]); the whole key is compared, so there is no false match. [`TableEngine`] executes commands one after
//! the other.
//!
//! # Theory of operation
//! | clock | stage |
//! |---|---|
//! | 1 | row numbers from the keys |
//! | 2 | the keys *enter lookup*: memories are read, `armed` and the expiry floor are sampled, the frame is counted |
//! | 3 | keys and expiry compared |
//! | 4 | lowest live way of each lookup |
//! | 5 | verdict |
//!
//! A command takes a clock in which no keys enter, so a row changes between two frames and never under one, and the
//! counts in its completion say between which. If no clock is free by itself, the engine asks the merger to leave one.
//!
//! A hit counts if the row is live, the card armed, the tables swept and the frame's time quality not `unset`. Whether the MAC
//! flags the frame is known at its end only: the capture side looks at that.

mod check;
pub mod engine;
pub mod matcher;
mod pipeline;
mod table;
pub mod types;

pub use check::CommandCheck;
pub use engine::TableEngine;
pub use pipeline::Lookup;
pub use table::MatchTable;
