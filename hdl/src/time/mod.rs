//! The card's time: the clock itself, and how it gets to the wires' clocks.

mod crossing;
mod steered_clock;
pub mod types;

pub use crossing::TimeCrossing;
pub use steered_clock::SteeredClock;
