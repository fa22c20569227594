//! The one place where the card is given memory of this process.

use super::{VfioError, preflight};
use crate::memory::HostMemory;
use pci_driver::backends::vfio::VfioPciDevice;
use pci_driver::device::PciDevice;
use pci_driver::regions::Permissions;
use rustix::process::Resource;
use std::ops::Range;
use std::sync::Arc;

/// Memory that the card can reach as long as this lives.
pub(super) struct Mapping {
    device: Arc<VfioPciDevice>,
    memory: Arc<HostMemory>,
}

impl Mapping {
    /// Lets the card reach all of `memory`, from [`HostMemory::BUS_BASE`] on, and nothing else.
    pub(super) fn new(device: Arc<VfioPciDevice>, memory: Arc<HostMemory>) -> Result<Self, VfioError> {
        let iommu = device.iommu();
        let bytes = memory.len();
        if !bytes.is_multiple_of(iommu.alignment()) {
            return Err(VfioError::Alignment { bytes, page_bytes: iommu.alignment() });
        }
        check_reach(bytes, iommu.valid_iova_ranges())?;
        // SAFETY: the card may read and write `bytes` bytes from `memory.base()` on.
        // - They are mapped, readable and writable, and stay so as long as `memory` lives; `Mapping` owns a share of it and
        //   takes the card's access back before it gives that share up (`Drop`), or never gives it up.
        // - This process reaches them as atomic words, or in place where the card has handed them over (`memory`), so what
        //   the card writes at any time is no undefined behaviour.
        // - No other mapping is replaced: the container is new, and the kernel refuses bus addresses that are taken.
        let mapped = unsafe { iommu.map(HostMemory::BUS_BASE, bytes, memory.base(), Permissions::ReadWrite) };
        let limit = rustix::process::getrlimit(Resource::Memlock).current;
        mapped.map_err(|source| preflight::not_mapped(bytes, limit, source))?;
        Ok(Self { device, memory })
    }

    pub(super) fn memory(&self) -> &Arc<HostMemory> {
        &self.memory
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.device.iommu().unmap(HostMemory::BUS_BASE, self.memory.len()).is_err() {
            // The card may still reach it: it belongs to nobody else until this process ends.
            std::mem::forget(Arc::clone(&self.memory));
        }
    }
}

/// `reached` is the kernel's: the ends of these ranges belong to them, though the type says otherwise.
fn check_reach(bytes: usize, reached: &[Range<u64>]) -> Result<(), VfioError> {
    let wanted = HostMemory::BUS_BASE..HostMemory::BUS_BASE + bytes as u64;
    if reached.iter().any(|range| range.start <= wanted.start && wanted.end - 1 <= range.end) {
        return Ok(());
    }
    Err(VfioError::BusAddresses { wanted, reached: reached.iter().map(|range| (range.start, range.end)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_the_iommu_is_named() {
        let (base, bytes) = (HostMemory::BUS_BASE, 1 << 25);
        let last = base + bytes as u64 - 1;
        // As Intel's have them: all below the interrupts' window, all above it.
        check_reach(bytes, &[0x1000..0xfedf_ffff, 0xfef0_0000..0x7f_ffff_ffff]).expect("within 39 bits");
        check_reach(bytes, std::slice::from_ref(&(base..last))).expect("just so");
        for short in [base..last - 1, base + 0x1000..u64::MAX] {
            let error = check_reach(bytes, std::slice::from_ref(&short)).expect_err("too small").to_string();
            assert!(error.contains("0x1200000000 to 0x1201ffffff"), "{error}");
            assert!(error.contains(&format!("reaches {:#x} to {:#x};", short.start, short.end)), "{error}");
        }
        assert!(check_reach(bytes, &[]).is_err());
    }
}
