//! The three ways to reach a card: its registers, memory that it can reach, and its interrupts; and where the card is.

pub mod cardd;
pub mod event;
pub mod place;
pub mod sysfs;
pub mod vfio;
pub mod vfio_user;

use crate::memory::Region;
use std::time::Duration;
use writ_abi::pci::{ADAPTER_AT, MSIX_TABLE_AT};
use writ_abi::registers::BAR_BYTES;

/// The registers of BAR 0.
///
/// Offsets are byte offsets, multiples of 4, below [`writ_abi::registers::BAR_BYTES`]; the owner of a card on a bus also reaches the registers of
/// [`writ_abi::pci::adapter`]. Writes are posted: they may return before the
/// card has seen them. A read returns after every earlier write of the same thread has reached the card, and after every
/// DMA write that the card made before its answer is visible in host memory, as PCIe orders them.
pub trait Bar: Send + Sync {
    /// Reads a register. All ones if the card is gone or the offset is none of the BAR.
    fn read32(&self, offset: u32) -> u32;
    /// Writes a register. Does nothing if the card is gone or the offset is none of the BAR.
    fn write32(&self, offset: u32, value: u32);
}

impl<T: Bar + ?Sized> Bar for std::sync::Arc<T> {
    fn read32(&self, offset: u32) -> u32 {
        (**self).read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        (**self).write32(offset, value);
    }
}

/// Whether there is a register for the card's owner: those of the core, and behind them those of the adapter to the bus, which a daemon that only
/// borrows the card does not reach.
const fn is_owners_register(offset: u32) -> bool {
    offset.is_multiple_of(4) && (offset < BAR_BYTES || (offset >= ADAPTER_AT && offset < MSIX_TABLE_AT))
}

/// Memory that the card can read and write.
pub trait Dma: Send + Sync {
    /// A zeroed region of `lines` lines of 64 bytes, aligned to a page, which nobody else gets as long as the memory
    /// behind it exists: it is not given back when the region is dropped, because a card might still write into it.
    ///
    /// # Errors
    /// [`DmaError`] if there is not as much left.
    fn allocate(&self, lines: usize) -> Result<Region, DmaError>;
}

/// Not enough memory for the card. The host's configuration is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DmaError {
    /// Bytes that were asked for, with alignment.
    pub wanted_bytes: usize,
    /// Bytes that are left.
    pub available_bytes: usize,
}

impl std::fmt::Display for DmaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "card memory exhausted: {} bytes wanted, {} left; give the card more memory or make its rings smaller",
            self.wanted_bytes, self.available_bytes
        )
    }
}

impl std::error::Error for DmaError {}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The card signalled since the last wait; look at memory.
    Signalled,
    /// Nothing came in time. Look at memory all the same: signals may be coalesced, never relied on.
    TimedOut,
    /// The card is gone; there will be no further signal.
    Gone,
}

/// One interrupt vector. Signals are a hint that an index in host memory has moved; whoever waits looks there afterwards.
pub trait Irq: Send {
    /// Waits until the card signals or `timeout` is over. A signal since the last wait counts: it returns at once.
    fn wait(&mut self, timeout: Duration) -> Wake;
}

/// For a card without interrupts: waiting is a short sleep.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIrq;

impl NoIrq {
    /// Longest sleep, so that a poll loop stays quick.
    pub const SLEEP_MAX: Duration = Duration::from_micros(100);
}

impl Irq for NoIrq {
    fn wait(&mut self, timeout: Duration) -> Wake {
        std::thread::sleep(timeout.min(Self::SLEEP_MAX));
        Wake::TimedOut
    }
}
