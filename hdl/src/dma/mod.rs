//! Rings in host memory: records out, commands in, completions out.
//!
//! # Overview
//! Each record ring has a [`RecordRing`], which moves records from the ring's FIFO to memory; [`CommandRing`] fetches commands, [`CompletionRing`] writes
//! answers. All writers share the bus through [`WriteArbiter`]. Everything moves in whole lines of 64 bytes; a request and its data are one transfer.
//!
//! # Theory of operation
//! Data first, then the index that makes it visible: each writer's lines keep their order through the arbiter, and posted
//! writes keep theirs on the bus. An index is written when nothing more waits, or after 16 records (completions).

pub mod arbiter;
mod command_ring;
pub mod completion_ring;
pub mod line_buffer;
pub mod line_place;
pub mod record_ring;
pub mod ring_room;
pub mod types;

pub use arbiter::WriteArbiter;
pub use command_ring::CommandRing;
pub use completion_ring::CompletionRing;
pub use record_ring::RecordRing;
