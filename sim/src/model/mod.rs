//! The golden model: what the ABI asks of a card, written from its text alone.
//!
//! Two layers. The functional one knows no time: [`parse::parse`] a frame, [`tables::Tables::look_up`] its keys,
//! [`record`] bytes, [`tables::Tables::execute`] a command. Whoever checks another card against it tells it under which
//! [`tables::Conditions`] each frame was looked up and before which frame each command applies. The timed one, [`ModelCard`],
//! puts registers, rings, FIFOs and wires around it and is a whole card behind [`crate::card::SimCard`].
//!
//! It is written to be obviously right, not to resemble the gateware: the two share nothing but the ABI.
//!
//! # What its timing does not claim
//! The model's latencies ([`timing`]) are constants of its own. It never drops for want of room in the copy FIFO or the window FIFO,
//! and its per-match drop counters never miss a frame: these three causes are limits of a pipeline that it does not have.

mod card;
mod clock;
mod commands;
mod counters;
pub mod parse;
pub mod record;
mod registers;
mod ring;
mod scrub;
pub mod tables;
mod wire;

pub use card::ModelCard;

/// The model's own latencies, in clocks.
pub mod timing {
    /// From a beat's arrival to its departure.
    pub const WIRE_CLOCKS: u64 = 4;
    /// From a frame's last beat to its lookup and verdict.
    pub const VERDICT_CLOCKS: u64 = 32;
    /// From one command to the next.
    pub const COMMAND_CLOCKS: u64 = 24;
    /// A sweep of all rows: after a reset, and for `Settle` and `Abort`. All tables are swept at once, all ways together.
    pub const SWEEP_CLOCKS: u64 = writ_abi::limits::ROWS_PER_WAY_MAX as u64;
    /// A round of the scrubber through all rows.
    pub const SCRUB_CLOCKS: u64 = 16 * SWEEP_CLOCKS;
}
