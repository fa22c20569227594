//! Frames in beats: the wire path, and the branch that the copy side listens on.
//!
//! # Overview
//! Each direction has one [`WirePath`] (a few register slices from receiver to transmitter, nothing else) and one
//! [`TapBranch`]: a [`Tap`] that reads the receiver's signals, finds where frames begin, stamps and measures them, and a
//! [`TapCrossing`] into the clock of the core. Nothing of a branch reaches back into a wire path. The wire's width is a parameter
//! of both ([`width`]); behind the crossing every beat has 64 bytes.
//!
//! [`AsyncFifo`] is what crosses between clocks. [`FrameGuard`] makes a FIFO that overflows lose whole frames.
//! [`SelfTest`] puts a frame of the card's own into a branch.
//!
//! # Limits
//! The MAC is never held back and never asked to wait: nothing between a receiver and the core has a ready signal.

pub mod async_fifo;
pub mod beat;
mod frame_guard;
mod self_test;
mod tap;
mod tap_branch;
mod tap_crossing;
pub mod width;
pub mod wire_counters;
mod wire_path;
pub mod xor_matrix;

pub use async_fifo::{AsyncFifo, AsyncFifoControl};
pub use beat::{Beat, CountWord, MacHead, TapBeat, TapHead};
pub use frame_guard::FrameGuard;
pub use self_test::SelfTest;
pub use tap::Tap;
pub use tap_branch::TapBranch;
pub use tap_crossing::TapCrossing;
pub use width::{WidthDown, WidthUp};
pub use wire_counters::{WIRE_COUNTS, WireCounters};
pub use wire_path::{WIRE_LATENCY_CLOCKS, WirePath};
pub use xor_matrix::XorMatrix;
