//! The card on its bus: between the core's bus and the UltraScale+ hard block for PCIe.
//!
//! # Overview
//! [`PcieAdapter`] puts together: [`completer`] (registers), [`requester`] (lines out and in), [`MsiX`] (interrupts), [`Status`] (the adapter's own registers), [`Session`] with
//! [`CoreReset`] (bus master, link, function-level reset) and [`StallWatch`] (a bus that takes nothing). All of it runs on the hard block's clock but the core's
//! ends of the FIFOs, [`completer::RegisterAccess`] and [`CoreReset`]. `hdl/docs/pcie.md` has the layouts and where they come from.
//!
//! # BAR 0
//! As [`writ_abi::pci`] says, 16 KiB, four pages: the core's registers, the adapter's own, the MSI-X table, the pending bits.

pub mod adapter;
pub mod completer;
pub mod crossing;
pub mod msix;
mod order;
pub mod requester;
pub mod session;
pub mod status;
pub mod top;
pub mod types;

pub use adapter::PcieAdapter;
pub use crossing::WriteCrossing;
pub use msix::MsiX;
pub use order::ReadOrder;
pub use session::{CoreReset, Session, StallWatch};
pub use status::Status;
pub use top::{PCIE_TOP_NAME, PcieTop, emit_pcie_top};

const _: () =
    assert!(writ_abi::registers::BAR_BYTES == writ_abi::pci::ADAPTER_AT, "the core's registers are the first page");
const _: () = assert!(writ_abi::pci::BAR_0_BYTES == 4 << 12, "addresses of 14 bits");
