//! What stands between the card and hard macros.
//!
//! # Limits
//! The hard macros themselves are not here: no black box and no stand-in for simulation.

mod mac_fifo;

pub use mac_fifo::{MAC_AHEAD_BEATS, MAC_DEPTH_BEATS, MAC_LATENCY_CLOCKS_MAX, MAC_START_BEATS, MacFifo};
