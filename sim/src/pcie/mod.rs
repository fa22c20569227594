//! The bus between card and host as transactions: the hard block, the link and the root complex around the Verilated card with its adapter.
//!
//! # What is simulated
//! The four streams of the hard block beat by beat with their sideband, straddle on RQ; tags that the hard block gives out of a pool and tells; its time-outs and
//! error codes; maximum payload size, credits and the link's rate; order of writes, reads and answers; function-level reset; loss of the link. On the host's
//! side memory behind an IOMMU ([`writ_driver::memory::CardMemory`]), completions that are cut, delayed and reordered, and interrupt messages.
//!
//! # What it is made from
//! PG213 for the streams and the base specification's rules of order, not the gateware. What the card does against the rules is counted as a
//! [`Violation`]; nothing is put right.
//!
//! # What is not
//! Configuration space (`vfio_user` has it), the data link layer, virtual channels, atomic operations, messages other than interrupts.

mod beats;
mod hard_block;
mod pins;
mod root;
mod settings;

pub use beats::Violation;
pub use hard_block::BusCounts;
pub use root::RootCounts;
pub use settings::{BusSettings, Credits, FaultRates, ReadFault};

pub(crate) use beats::HostAccess;
pub(crate) use hard_block::Bus;
pub(crate) use pins::Pins;
