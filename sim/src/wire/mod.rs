//! The wire socket: how another process plugs its cables into a simulated card.
//!
//! # Protocol, version 1
//! A Unix stream socket. Each message is a 32-bit number of bytes that follow, a byte that says what it is, and its fields; all
//! numbers are little-endian. [`message`] holds the list.
//!
//! The client opens with `Hello` and gets `Welcome`. Then it may, at any time and without waiting:
//! - send `Frame`s. Each carries its port and the card time before which its first beat must not come in. Frames go in the order in
//!   which they were sent, which should be that of their times, over both ports. Back-to-back frames of a port keep preamble
//!   and gap of Ethernet between them. While frames come in steadily, card time does not run past the latest of them; one whose
//!   time is over all the same goes at once and is counted as late. For each frame the server sends `Arrived` with
//!   the stamp, and `Left` with the bytes; both name it by its position among the frames of the connection.
//! - send `Flush`: answered by `Flushed` when all frames before it have left the card;
//! - ask `Time` or `Statistics`, or `Advance`: the card runs until its time is at least the given one.
//!
//! Requests are worked off in order; what comes after a `Flush` or `Advance` waits for its answer.
//!
//! Whatever does not follow the protocol is answered by `Refused`, which says what was wrong, and the connection ends; the offending
//! message has no effect. When a connection ends, its frames that are not on the wire yet are discarded, as by
//! pulling the cable. There is one connection at a time; a second one is refused.
//!
//! Nothing grows without bound: the server reads no frames while too many wait, and the card's wires stand still while the client
//! does not take what it is told.

mod client;
pub mod message;

pub use client::{Client, ClientError, PlayFrame, PlaySummary, Seen};

/// Version of the protocol.
pub const VERSION: u16 = 1;

/// Frames of the simple Internet mix, for whoever makes traffic: bytes without check sequence, and how many of twelve frames have them. They are IP packets
/// of 40, 576 and 1500 bytes behind an Ethernet header, the first ones padded to the shortest frame there is.
pub const IMIX: [(u16, u64); 3] = [(60, 7), (590, 4), (1514, 1)];

/// Sums of a card's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Clocks run since start.
    pub clocks: u64,
    /// Time spent running them, ns.
    pub running_ns: u64,
    /// The card's time.
    pub now_ns: u64,
    /// Frames that came in, by port.
    pub frames_in: [u64; 2],
    /// Frames that left, by port.
    pub frames_out: [u64; 2],
    /// Smallest number of clocks that a frame's first beat took through the card; `None` before the first frame.
    pub latency_clocks_min: Option<u64>,
    /// Largest.
    pub latency_clocks_max: Option<u64>,
    /// Frames that were placed later than asked for, because their time was over when they came to the card.
    pub late_frames: u64,
    /// Accesses of the card to addresses outside its memory. Any is a fault.
    pub dma_faults: u64,
}

impl Statistics {
    /// Clocks run in a second of running; 0 before the first.
    pub fn clocks_per_s(&self) -> f64 {
        if self.running_ns == 0 { 0.0 } else { self.clocks as f64 * 1e9 / self.running_ns as f64 }
    }
}
