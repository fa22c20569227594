//! From jobs to records that wait for the bus.
//!
//! # Overview
//! [`Copier`] takes one job after the other and moves its lines from the frame store, cut and with their CRCs, into the [`RecordFifo`] of its ring.
//! [`Framer`] and [`RecordLines`] are parts of it.

pub mod copier;
mod fifo;
mod framer;
mod lines;

pub use copier::Copier;
pub use fifo::RecordFifo;
pub use framer::{Framer, Slot};
pub use lines::RecordLines;
