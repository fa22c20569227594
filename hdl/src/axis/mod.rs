//! Frames in beats of 64 bytes: the wire path, and the branch that the copy side listens on.
//!
//! # Overview
//! Each direction has one [`WirePath`] (a few register slices from receiver to transmitter, nothing else) and one
//! [`Tap`], which reads the receiver's signals, finds where frames begin, stamps and measures them. Nothing of a tap
//! reaches back into a wire path.
//!
//! # Limits
//! The MAC is never held back and never asked to wait: there is no ready signal anywhere in this folder.

pub mod beat;
mod tap;
mod wire_path;
pub mod xor_matrix;

pub use beat::{Beat, TapBeat};
pub use tap::Tap;
pub use wire_path::{WIRE_LATENCY_CLOCKS, WirePath};
pub use xor_matrix::XorMatrix;
