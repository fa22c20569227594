//! Registers of BAR 0.
//!
//! # Overview
//! [`Registers`] answers the bus: it holds the [`RegisterBank`] with every register that the host writes, adds what the card itself says
//! (time, state, build hash, counters) and turns pulses into signals. [`Counters`] counts, and keeps with [`InFlight`] how many frames are on the way
//! between two counts.
//!
//! # Theory of operation
//! Addresses, writable bits, reset values and constants come from [`writ_abi::registers`] by iteration; no address is written
//! down here. A request is registered, decoded in the next clock, and a read answered in the one after, so a read that follows a write by one clock sees it.

pub mod bank;
pub mod counters;
pub mod fields;
pub mod in_flight;
mod registers;

pub use bank::{BANK_BITS, RegisterBank};
pub use counters::Counters;
pub use fields::Fields;
pub use in_flight::InFlight;
pub use registers::Registers;
