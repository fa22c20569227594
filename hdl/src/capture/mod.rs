//! From verdicts to records: frames are kept until their verdict, cut to what the hits allow, and framed.
//!
//! # Overview
//! ```text
//! tap ──► FrameStore (one a port) ─────────────────────────────────────────┐ lines
//! lookup ──► HitQueue ──► decide ──► jobs ──► Copier ◄─────────────────────┘
//!                            │                    └──► RecordFifo (one a ring) ──► dma
//!                            └──► DropCounters
//! ```
//! # Theory of operation
//! A [`FrameStore`] keeps every frame from its first beat on. Frames without a hit cost nothing more: their lines are free again as
//! soon as a later verdict of the port shows that they are behind ([`Release`]). Verdicts with hits wait in the [`HitQueue`] until their frame
//! has ended, because only then are its length and the MAC's opinion of it known. [`decide`] then settles in the order of the verdicts, for one
//! ring of a frame a clock, what becomes of it there: it gives the record's number, reserves room for the whole record in the ring's
//! FIFO, or drops the record and remembers the gap. So nothing behind the decider ever has to drop, nothing in front of
//! it ever has to wait for the bus, and a ring that stands still costs the others nothing. The [`record::Copier`] moves one line a clock from frame store to
//! record FIFO and zeroes what is behind the cut on the way.
//!
//! A record's header holds the CRC of the payload that follows it. Headers and payloads therefore go into two FIFOs: the header
//! is written when its payload has passed, and read before it.
//!
//! # Limits
//! One decision a clock: a frame takes as many clocks as its hits name rings. One line a clock into the record FIFOs, where the frames of both ports arrive
//! at two lines a clock. The queue of jobs holds one for every line of the record FIFOs, so it never fills.

pub mod decide;
mod drop_counters;
pub mod drop_slice;
mod frame_store;
mod hit_queue;
mod own_tunnels;
mod path;
pub mod record;
mod release;
pub mod types;

pub use drop_counters::{DROP_BANKS, DropCounters};
pub use frame_store::FrameStore;
pub use hit_queue::HitQueue;
pub use own_tunnels::OwnTunnels;
pub use path::CapturePath;
pub use release::Release;
