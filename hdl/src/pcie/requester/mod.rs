//! What the card asks of the host: lines to write, lines to read, interrupt messages.
//!
//! # Overview
//! [`Gather`] joins lines into writes and puts all TLPs into one row, [`Packer`] makes beats of them, [`Outlet`] shows them to RQ; [`RequestPath`] is the three of
//! them. [`Reader`] keeps reads in order; [`Completions`] takes RC apart for it.

pub mod completions;
pub mod gather;
pub mod outlet;
pub mod packer;
pub mod path;
pub mod reader;

pub use completions::Completions;
pub use gather::Gather;
pub use outlet::Outlet;
pub use packer::Packer;
pub use path::RequestPath;
pub use reader::Reader;
