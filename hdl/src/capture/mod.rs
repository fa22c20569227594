//! From verdicts to records: frames are kept until their verdict, cut to what the hits allow, and framed.
//!
//! # Overview
//! ```text
//! tap ──► FrameStore (one a port) ──────────────────────────────┐ lines
//! lookup ──► HitQueue ──► Decider ──► jobs ──► Copier ◄─────────┘
//!                            │                    └──► RecordFifo ──► dma
//!                            └──► DropCounters
//! ```
//! # Theory of operation
//! A [`FrameStore`] keeps every frame from its first beat on. Frames without a hit cost nothing more: their lines are free again as
//! soon as a later verdict of the port shows that they are behind ([`Release`]). Verdicts with hits wait in the [`HitQueue`] until their frame
//! has ended, because only then are its length and the MAC's opinion of it known. The [`Decider`] then settles, one frame a clock and
//! in the order of the verdicts, what becomes of it: it gives the record's number, reserves room for the whole record, or
//! drops the frame and remembers the gap. So nothing behind the decider ever has to drop, and nothing in front of
//! it ever has to wait for the bus. The [`Copier`] moves one line a clock from frame store to record FIFO and zeroes what is behind
//! the cut on the way.
//!
//! A record's header holds the CRC of the payload that follows it. Headers and payloads therefore go into two FIFOs: the header
//! is written when its payload has passed, and read before it.
//!
//! # Limits
//! One decision a clock; one line a clock into the record FIFO, where the frames of both ports arrive at two lines a clock.

pub mod copier;
pub mod decider;
mod drop_counters;
mod frame_store;
pub mod framer;
mod hit_queue;
mod path;
mod record_fifo;
mod record_lines;
mod release;
pub mod types;

pub use copier::Copier;
pub use decider::Decider;
pub use drop_counters::DropCounters;
pub use frame_store::FrameStore;
pub use framer::Framer;
pub use hit_queue::HitQueue;
pub use path::CapturePath;
pub use record_fifo::RecordFifo;
pub use record_lines::RecordLines;
pub use release::Release;
