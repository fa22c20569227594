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

/// Bytes of BAR 0: a 64-bit memory BAR, not prefetchable. Registers come first ([`BAR_BYTES`]), then those of the adapter ([`ADAPTER_AT`]). Each
/// of the interrupt tables has a page of its own behind them, so that the registers' pages can be mapped into a process.
pub const BAR_0_BYTES: u32 = 0x4000;
/// Where the registers of the adapter between core and bus stand in BAR 0, see [`adapter`].
pub const ADAPTER_AT: u32 = 0x1000;
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

/// The vector of trouble on the bus: a read of host memory or an access to a register failed. Counters of [`adapter`] say which.
pub const ERROR_VECTOR: u16 = COMPLETION_VECTOR + 1;

/// Registers of the adapter between core and bus: words of 32 bits, addresses in BAR 0. They belong to the hard block's side, so they are there without bus
/// master and outlive a reset of the core.
pub mod adapter {
    use super::ADAPTER_AT;

    /// `STATE`, read only: the fields of [`state`].
    pub const STATE_AT: u32 = ADAPTER_AT;
    /// `MODERATION`, read and written, bits 15:0: units of [`MODERATION_CLOCKS`] between two messages of a vector, and one unit more at most. 0
    /// (none) after a function-level reset.
    pub const MODERATION_AT: u32 = ADAPTER_AT + 0x4;
    /// Clocks of 4 ns that are a unit of `MODERATION`: 1.024 us.
    pub const MODERATION_CLOCKS: u32 = 256;
    /// `RQ_PATIENCE`, read and written, bits 15:0: units of [`RQ_PATIENCE_CLOCKS`], less one, that a request of the card may wait for the hard block to take it, or an
    /// answer to the host for lines that were written before it, until the session ends. [`RQ_PATIENCE_DEFAULT`] after a function-level reset.
    pub const RQ_PATIENCE_AT: u32 = ADAPTER_AT + 0x8;
    /// Clocks of 4 ns that are a unit of `RQ_PATIENCE`: 1.024 us.
    pub const RQ_PATIENCE_CLOCKS: u32 = 256;
    /// 16.8 ms: far longer than a host may take for a write, shorter than the 50 ms for which it may wait for the answer to a read.
    pub const RQ_PATIENCE_DEFAULT: u32 = (1 << 14) - 1;
    /// The first of [`COUNTERS`], each a word, read only, since power-up, modulo 2^32.
    pub const COUNTERS_AT: u32 = ADAPTER_AT + 0x10;

    /// Where a counter stands.
    pub const fn counter_at(number: u32) -> u32 {
        COUNTERS_AT + 4 * number
    }

    /// Names of the counters, and what each counts.
    pub const COUNTERS: [(&str, &str); 14] = [
        ("REQUESTS_UNSUPPORTED", "requests of the host answered as unsupported"),
        ("REQUESTS_DROPPED", "posted requests of the host that are no register access"),
        ("REQUESTS_ABORTED", "requests of the host that the core did not answer"),
        ("LINES_DROPPED", "lines for host memory dropped because the bus could not be used"),
        ("READS_REFUSED", "reads of host memory refused because the bus could not be used"),
        ("READS_UNSUPPORTED", "reads of host memory that ended with UR or CA"),
        ("READS_POISONED", "reads of host memory whose completion was poisoned"),
        ("READS_TIMED_OUT", "reads of host memory that timed out in the hard block"),
        ("READS_DAMAGED", "reads of host memory that ended with any other error"),
        ("READS_ABANDONED", "reads of host memory ended by the watchdog"),
        ("COMPLETIONS_UNEXPECTED", "completions without a request"),
        ("MESSAGES", "interrupt messages sent"),
        ("SESSIONS_ENDED", "times that the bus could not be used any more"),
        ("RQ_STALLS", "times that this was because no request of the card was taken for too long"),
    ];

    /// Fields of `STATE`.
    pub mod state {
        /// Bus master is enabled.
        pub const BUS_MASTER: u32 = 1 << 0;
        /// The link is up.
        pub const LINK_UP: u32 = 1 << 1;
        /// A function-level reset is going on.
        pub const FUNCTION_RESET: u32 = 1 << 2;
        /// MSI-X is enabled.
        pub const MSIX_ENABLED: u32 = 1 << 3;
        /// All vectors are masked together.
        pub const FUNCTION_MASKED: u32 = 1 << 4;
        /// The hard block has not taken what the card shows it on RQ for longer than `RQ_PATIENCE`, and still does not.
        pub const RQ_STALLED: u32 = 1 << 5;
        /// Lowest of the two bits of the maximum payload size: 0, 1, 2 for 128, 256, 512 bytes.
        pub const MAX_PAYLOAD_LSB: u32 = 8;
        /// Lowest of the three bits of the session's state.
        pub const SESSION_LSB: u32 = 16;
        /// Session: what is left of the one before is thrown away.
        pub const SESSION_FLUSH: u32 = 0;
        /// Session: the core's reset ends.
        pub const SESSION_RELEASE: u32 = 1;
        /// Session: the bus cannot be used, and the card waits for bus master.
        pub const SESSION_OFF: u32 = 2;
        /// Session: the bus can be used.
        pub const SESSION_ON: u32 = 3;
        /// Session: what has begun on the bus is finished.
        pub const SESSION_DRAIN: u32 = 4;
    }
}

const _: () = assert!(BAR_0_BYTES.is_power_of_two() && BAR_BYTES <= ADAPTER_AT);
const _: () = assert!(adapter::counter_at(adapter::COUNTERS.len() as u32) <= MSIX_TABLE_AT);
const _: () = assert!(MSIX_TABLE_AT + VECTORS as u32 * MSIX_ENTRY_BYTES <= MSIX_PENDING_AT);
const _: () = assert!(MSIX_PENDING_AT + 8 <= BAR_0_BYTES && VECTORS <= 64 && ERROR_VECTOR < VECTORS);
