//! From match keys to hits: seven match tables, four banks of wildcard rules, and the engine that changes them.
//!
//! # Overview
//! [`LookupPath`] takes a parsed frame a clock. [`ExactLookup`] makes its keys ([`Keys`]) and looks them up: seventeen lookups in seven tables of four
//! ways ([`MatchTable`]). A row's place in a way is a slice of a CRC of its key ([`writ_abi::hash`]); the whole key is compared, so there is no
//! false match. [`rules`] finds the wildcard rules that match the innermost 5-tuple. [`engine`] executes commands one after the other.
//!
//! # Theory of operation
//! | clock | tables | rules |
//! |---|---|---|
//! | 0 | keys, row numbers | cells |
//! | 1 | the keys *enter lookup*: memories are read; `armed`, expiry floor and batch are sampled; the frame is counted | visible rules that match |
//! | 2 | memories' outputs | the lowest |
//! | 3 | key, expiry, parity compared | the second |
//! | 4 | candidates | more |
//! | 5 | lowest live way of each lookup | rows are read |
//! | 6 | hits and counts of all tables put together | outputs |
//! | 7 | wait | compared |
//! | 8 | wait | candidates |
//! | 9 | wait | hits |
//! | 10 | the verdict is made | |
//! | 11 | verdict | |
//!
//! An access of the engine takes a clock in which no keys enter, so a row or rule changes between two frames and never under one, and the
//! counts in a completion say between which. If no clock is free by itself, the engine asks the merger to leave one.
//!
//! Nothing moves that need not: a stage works only for lookups that a frame has a key for, in tables and banks that may hold something.
//!
//! A hit counts if the row is visible, undamaged and live, the card armed, the tables swept and the frame's time quality not `unset`. Whether the
//! MAC flags the frame is known at its end only: the capture side looks at that.

pub mod compare;
mod delay;
pub mod engine;
mod exact;
mod keys;
mod path;
pub mod rules;
mod table;
pub mod types;

pub use delay::Delay;
pub use engine::TableEngine;
pub use exact::ExactLookup;
pub use keys::{Keys, PrefixMask};
pub use path::{ExactResult, LookupPath, Passenger};
pub use table::MatchTable;
