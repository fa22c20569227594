//! Memory with another side: [`HostMemory`] is shared with the card, [`FileMapping`] with a file that outlives the process.
//!
//! # How data races are kept out
//! The driver and a card that lives in the same process reach [`HostMemory`] through relaxed atomic words; whoever publishes
//! stores the first word of a line last, with release order ([`CardMemory::write_line`]), and the reader of an index
//! loads it with acquire order ([`Region::load_index`]). The only plain references are those that
//! [`Region::bytes`] gives out, and they are limited to lines that the card has handed over and will not touch until the
//! host gives them back. The orders stand in one module, `words`, which loom tests.

mod card;
mod file;
mod host;
mod index;
mod pages;
mod shared;
mod words;

pub use card::{Access, CardMemory, MemoryFault, WindowError};
pub use file::{BlockMemory, FileMapping, MappingError};
pub use host::{HostMemory, Region};
pub use index::IndexPage;
pub use shared::{PageSize, SharedError, UnknownPageSize};

/// One line: the unit of every DMA transfer.
pub type Line = [u8; writ_abi::limits::LINE_BYTES];
