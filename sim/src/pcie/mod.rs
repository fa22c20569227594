//! The bus between card and host as transactions: the hard block, the link and the root complex around the Verilated card with its adapter.
//!
//! # What is simulated
//! The four streams of the hard block beat by beat with their sideband, straddle on RQ; tags that the hard block gives out of a pool and tells; its time-outs and
//! error codes; maximum payload size, credits and the link's rate; order of writes, reads and answers; function-level reset; loss of the link. On the host's
//! side memory behind an IOMMU ([`writ_driver::memory::CardMemory`]), completions that are cut, delayed and reordered, and interrupt messages.
//!
//! # What it is made from
//! PG213 for the streams and the base specification's rules of order, not the gateware. What the card does against the rules is noted as a
//! [`Violation`] of a [`Rule`], with the clock and what was seen; nothing is put right. Every rule is broken once by hand in this folder's tests.
//!
//! # What is not
//! Configuration space (`vfio_user` has it), the data link layer, virtual channels, atomic operations, messages other than interrupts.

mod access;
mod beats;
mod hard_block;
mod judge;
mod pins;
mod root;
mod settings;
#[cfg(test)]
mod tests;

pub use hard_block::BusCounts;
pub use judge::{Rule, Violation};
pub use root::RootCounts;
pub use settings::{BusSettings, Credits, FaultRates, Holds, ReadFault};

pub(crate) use access::HostAccess;
pub(crate) use hard_block::Bus;
pub(crate) use pins::Pins;
