//! The card as a PCI function: who it says it is, what stands in BAR 0, and which interrupt means what.
//!
//! Configuration space is the hard block's; these are the values that it is set up with. The host decides by [`crate::MAGIC`] and the
//! ABI version in BAR 0 whether it has a Writ card before it, for the vendor's number is that of the FPGA's maker.

use crate::limits::RECORD_RINGS;
use crate::registers::BAR_BYTES;

/// Vendor: that of the FPGA, whose hard block it is.
pub const VENDOR: u16 = 0x10ee;
/// Device: what the hard block calls itself as a Gen3 x16 endpoint.
pub const DEVICE: u16 = 0x903f;
/// Subsystem vendor.
pub const SUBSYSTEM_VENDOR: u16 = VENDOR;
/// Subsystem: the ASCII letters `WR`, first letter in the lower byte. Tells a Writ card from other designs for the same FPGA.
pub const SUBSYSTEM: u16 = u16::from_le_bytes(*b"WR");
/// Revision: the ABI's major version.
pub const REVISION: u8 = crate::ABI_MAJOR as u8;
/// Class code: network controller, none of the usual ones.
pub const CLASS: u32 = 0x02_80_00;

/// Bytes of BAR 0: a 64-bit memory BAR, not prefetchable. Registers come first ([`BAR_BYTES`]), each of the interrupt tables has a page of
/// its own behind them, so that the registers' page can be mapped into a process.
pub const BAR_0_BYTES: u32 = 0x4000;
/// Where the MSI-X table stands in BAR 0.
pub const MSIX_TABLE_AT: u32 = 0x2000;
/// Where the MSI-X pending bits stand in BAR 0.
pub const MSIX_PENDING_AT: u32 = 0x3000;
/// Interrupt vectors.
pub const VECTORS: u16 = 8;
/// Bytes of a vector in the MSI-X table.
pub const MSIX_ENTRY_BYTES: u32 = 16;

/// The vector of a record ring: its producer index moved.
pub const fn record_vector(ring: u8) -> u16 {
    ring as u16
}

/// The vector of the completion ring: its producer index moved.
pub const COMPLETION_VECTOR: u16 = RECORD_RINGS as u16;

const _: () = assert!(BAR_0_BYTES.is_power_of_two() && BAR_BYTES <= MSIX_TABLE_AT);
const _: () = assert!(MSIX_TABLE_AT + VECTORS as u32 * MSIX_ENTRY_BYTES <= MSIX_PENDING_AT);
const _: () = assert!(MSIX_PENDING_AT + 8 <= BAR_0_BYTES && VECTORS <= 64 && COMPLETION_VECTOR < VECTORS);
