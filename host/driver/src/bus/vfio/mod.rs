//! A board in this machine, over Linux's VFIO and the crate `pci_driver`. **Compiled and its parts tested; never run against silicon.**
//!
//! The function has to be bound to `vfio-pci` (`writ card bind`), and its group's file in `/dev/vfio` has to be this user's. The order is that of
//! [`super::vfio_user`]: look at the numbers, stop the bus, reset, map the memory, set the vectors, map the registers, and allow the bus at last.
//!
//! # What `pci_driver` (0.1.4) lacks, and what is done instead
//! - It adopts no descriptors: it opens `/dev/vfio` by path, so whoever opens the card needs that path. A socket unit can hand over the socket for
//!   `writd`, never the card.
//! - It has neither the error nor the request interrupt of VFIO, nor the descriptor to ask for them, so nothing tells that a card is gone. A thread
//!   reads the magic register four times a second; all ones, twice, is the end.
//! - It gives the kernel's answer to a refused IOMMU map as text: a lack of lockable memory is found in that text.
//! - Its ranges of bus addresses end one too early: they are taken as the kernel means them.
//! - Each time it sets vectors it loses a few bytes of memory. That happens once for each opened card.
//!
//! # Registers
//! 32-bit volatile accesses to a mapping of BAR 0's first page. The MSI-X table is not mapped; the kernel fills it. Memory space stays on as
//! long as the card is open, because an access to a mapping without it ends the process (SIGBUS). On a function that has left the bus reads
//! give all ones. Fences stand between registers and ring memory; they are enough on x86-64, where the mapping is uncached.
//!
//! # Unsafe code
//! One call, in `mapping`.

mod error;
mod mapping;
mod preflight;
mod watch;

pub use error::VfioError;

use super::event::{self, EventIrq, Lifeline};
use super::is_owners_register;
use super::sysfs::{Numbers, PciAddress, Sysfs};
use crate::memory::HostMemory;
use crate::{Bar, Irq, Irqs};
use mapping::Mapping;
use pci_driver::backends::vfio::VfioPciDevice;
use pci_driver::device::PciDevice;
use pci_driver::regions::{AsPciSubregion, MappedOwningPciRegion, PciRegion, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use watch::Watch;
use writ_abi::limits::RECORD_RINGS;
use writ_abi::pci::{BAR_0_BYTES, MSIX_TABLE_AT};
use writ_abi::registers::identity;

const CONFIG_COMMAND_AT: u64 = 4;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_BUS_MASTER: u16 = 1 << 2;
const COMMAND_INTX_OFF: u16 = 1 << 10;
/// Vectors that are used: one a record ring, one for completions.
const VECTORS: usize = RECORD_RINGS + 1;

/// A board, with the memory that it may reach. Dropping it takes the bus from the card and resets it; the kernel gets it back when the last
/// [`Bar`] of it is dropped, too.
pub struct VfioCard {
    /// The first field, so that the card is quiet before it loses its memory.
    opened: Opened,
    mapping: Mapping,
    registers: Arc<Registers>,
    watch: Arc<Watch>,
    events: Vec<OwnedFd>,
}

impl VfioCard {
    /// Takes the card at `address` and gives it all of `memory`, which begins at [`HostMemory::BUS_BASE`] for it. The card was reset then;
    /// [`crate::Card::bring_up`] comes next. `sysfs`: where the kernel's files are.
    ///
    /// # Errors
    /// [`VfioError`]; the card is as it was, or reset.
    pub fn open(sysfs: &Sysfs, address: PciAddress, memory: Arc<HostMemory>) -> Result<Self, VfioError> {
        let candidate = preflight::look(sysfs, address)?;
        let device = VfioPciDevice::open(&candidate.path).map_err(|source| preflight::refused(&candidate, source))?;
        let device = Arc::new(device);
        // The files are the kernel's memory of the card; this is the card.
        preflight::check_numbers(address, numbers(&device)?)?;
        let opened = Opened(device);
        opened.set_command(COMMAND_INTX_OFF)?;
        opened.reset()?;
        opened.set_command(COMMAND_MEMORY | COMMAND_INTX_OFF)?;
        let mapping = Mapping::new(Arc::clone(&opened.0), memory)?;
        let events = opened.set_vectors()?;
        let registers = Arc::new(opened.map_registers()?);
        let watched = Arc::clone(&registers);
        let watch = Watch::start(move || watched.read32(identity::MAGIC_AT) != u32::MAX);
        let watch = Arc::new(watch.map_err(io_error("starting the thread that watches it"))?);
        opened.set_command(COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_INTX_OFF)?;
        Ok(Self { opened, mapping, registers, watch, events })
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        Arc::clone(&self.registers) as Arc<dyn Bar>
    }

    /// The memory that the card can reach; it is a [`crate::Dma`].
    pub fn dma(&self) -> Arc<HostMemory> {
        Arc::clone(self.mapping.memory())
    }

    /// The card's interrupts. Each is for one waiter: two that wait for the same take signals from one another.
    ///
    /// # Errors
    /// Those of the operating system, if there are no descriptors left.
    pub fn irqs(&self) -> io::Result<Irqs> {
        let clones = self.events.iter().map(OwnedFd::try_clone).collect::<io::Result<Vec<_>>>()?;
        let mut irqs = clones.into_iter().map(|event| -> Box<dyn Irq> {
            Box::new(EventIrq::new(event, Arc::clone(&self.watch) as Arc<dyn Lifeline>))
        });
        // Records first, completions last: in the order of the vectors.
        Ok(Irqs::each(|| irqs.next().unwrap_or_else(|| Box::new(crate::NoIrq))))
    }

    /// Lets the card use the bus, or not. Without it the card writes nothing, reads nothing and signals nothing; registers go on.
    ///
    /// # Errors
    /// [`VfioError`]; nobody knows then whether the card writes.
    pub fn set_bus_master(&self, on: bool) -> Result<(), VfioError> {
        let bus_master = if on { COMMAND_BUS_MASTER } else { 0 };
        self.opened.set_command(COMMAND_MEMORY | COMMAND_INTX_OFF | bus_master)
    }

    /// The descriptors that the card signals: one a record ring, then that of the completions.
    pub fn events(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.events.iter().map(AsFd::as_fd)
    }

    /// A descriptor that hangs up when the card is gone, at most half a second later. Nothing may be read from it.
    pub fn lifeline(&self) -> BorrowedFd<'_> {
        self.watch.lifeline()
    }
}

impl Drop for VfioCard {
    fn drop(&mut self) {
        // Nobody looks at registers while the function is reset.
        self.watch.stop();
    }
}

impl std::fmt::Debug for VfioCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VfioCard").field("memory", self.mapping.memory()).finish_non_exhaustive()
    }
}

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> VfioError {
    move |source| VfioError::Io { doing, source }
}

fn numbers(device: &VfioPciDevice) -> Result<Numbers, VfioError> {
    let config = device.config();
    let read = || {
        Ok(Numbers {
            vendor: config.vendor_id().read()?,
            device: config.device_id().read()?,
            subsystem_vendor: config.subsystem_vendor_id().read()?,
            subsystem: config.subsystem_id().read()?,
            revision: config.revision_id().read()?,
        })
    };
    read().map_err(io_error("reading its numbers"))
}

fn at_least(what: &'static str, found: u64, wanted: u64) -> Result<(), VfioError> {
    if found >= wanted { Ok(()) } else { Err(VfioError::TooSmall { what, found, wanted }) }
}

/// A function in our hands. Dropping it takes the bus from it and resets it.
struct Opened(Arc<VfioPciDevice>);

impl Drop for Opened {
    fn drop(&mut self) {
        // Memory space stays on: somebody may still have a `Bar`. If any of this fails the kernel does it when it closes the function.
        let _ = self.set_command(COMMAND_MEMORY | COMMAND_INTX_OFF);
        let _ = self.0.interrupts().msi_x().disable();
        let _ = self.0.reset();
    }
}

impl Opened {
    /// Sets the command register, and sees whether the function follows.
    fn set_command(&self, wrote: u16) -> Result<(), VfioError> {
        let config = self.0.config().as_subregion();
        let done = config.write_le_u16(CONFIG_COMMAND_AT, wrote).and_then(|()| config.read_le_u16(CONFIG_COMMAND_AT));
        let found = done.map_err(io_error("setting its command register"))?;
        let mask = COMMAND_MEMORY | COMMAND_BUS_MASTER;
        if (wrote ^ found) & mask == 0 { Ok(()) } else { Err(VfioError::Command { wrote, found }) }
    }

    fn reset(&self) -> Result<(), VfioError> {
        self.0.reset().map_err(io_error(
            "resetting it; a card that cannot be reset alone may share its slot with another function",
        ))
    }

    /// Makes a descriptor for each vector, and has the kernel signal it.
    fn set_vectors(&self) -> Result<Vec<OwnedFd>, VfioError> {
        let vectors = self.0.interrupts();
        at_least("number of MSI-X vectors", vectors.msi_x().max() as u64, VECTORS as u64)?;
        let events = (0..VECTORS).map(|_| event::event()).collect::<io::Result<Vec<_>>>();
        let events = events.map_err(io_error("making descriptors for its interrupts"))?;
        let raw: Vec<_> = events.iter().map(AsRawFd::as_raw_fd).collect();
        vectors.msi_x().enable(&raw).map_err(io_error("setting its interrupts"))?;
        Ok(events)
    }

    fn map_registers(&self) -> Result<Registers, VfioError> {
        let bar = self.0.bar(0);
        at_least("size of BAR 0", bar.as_ref().map_or(0, PciRegion::len), BAR_0_BYTES.into())?;
        // Not the interrupt tables: they are the kernel's.
        let mapped = bar.map(|bar| bar.map(..u64::from(MSIX_TABLE_AT), Permissions::ReadWrite)).transpose();
        let mapped = mapped.map_err(io_error("mapping its registers"))?;
        mapped.map(Registers).ok_or(VfioError::TooSmall { what: "size of BAR 0", found: 0, wanted: BAR_0_BYTES.into() })
    }
}

/// BAR 0, mapped.
struct Registers(MappedOwningPciRegion);

impl Bar for Registers {
    fn read32(&self, offset: u32) -> u32 {
        let value = read(&self.0, offset);
        // What is loaded from ring memory afterwards is loaded afterwards.
        fence(Ordering::SeqCst);
        value
    }

    fn write32(&self, offset: u32, value: u32) {
        // What was stored into ring memory before is there before the card hears of it.
        fence(Ordering::SeqCst);
        write(&self.0, offset, value);
    }
}

/// All ones where there is no register.
fn read(region: &dyn PciRegion, offset: u32) -> u32 {
    if is_owners_register(offset) { region.read_le_u32(offset.into()).unwrap_or(u32::MAX) } else { u32::MAX }
}

fn write(region: &dyn PciRegion, offset: u32, value: u32) {
    if is_owners_register(offset) {
        // It fails outside of the region only.
        let _ = region.write_le_u32(offset.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::sysfs::tests::Tree;
    use crate::memory::PageSize;
    use pci_driver::regions::PciMemoryRegion;
    use writ_abi::pci::adapter;
    use writ_abi::registers::BAR_BYTES;

    #[test]
    fn registers_are_words_within_the_bar() {
        let mut page = vec![0; BAR_0_BYTES as usize];
        page[0..4].copy_from_slice(b"WRIT");
        let region = PciMemoryRegion::new_mut(&mut page);
        assert_eq!(read(&region, 0), writ_abi::MAGIC);
        write(&region, BAR_BYTES - 4, 0x0102_0304);
        assert_eq!(read(&region, BAR_BYTES - 4), 0x0102_0304);
        write(&region, adapter::MODERATION_AT, 5);
        assert_eq!(read(&region, adapter::MODERATION_AT), 5);
        for offset in
            [1, 2, 3, BAR_BYTES - 2, adapter::STATE_AT + 2, MSIX_TABLE_AT, BAR_0_BYTES, u32::MAX, u32::MAX - 3]
        {
            assert_eq!(read(&region, offset), u32::MAX, "{offset:#x}");
            write(&region, offset, 7);
        }
        assert_eq!(page[BAR_BYTES as usize - 4..BAR_BYTES as usize], [4, 3, 2, 1]);
        assert_eq!(page.iter().filter(|byte| **byte != 0).count(), 4 + 4 + 1);
    }

    /// A tree that promises a card in a group that no kernel has: whatever stands in `/dev/vfio`, nothing is opened.
    #[test]
    fn a_card_that_is_only_promised_is_refused() {
        let tree = Tree::new();
        let card = format!("sys/bus/pci/devices/{}", Tree::CARD);
        tree.write("sys/kernel/iommu_groups/4000000001/devices/at", "");
        tree.link(&format!("{card}/iommu_group"), "sys/kernel/iommu_groups/4000000001");
        tree.write("dev/vfio/4000000001", "");
        let memory = HostMemory::shared(4096, PageSize::Small).expect("memory");
        let opened = VfioCard::open(&tree.sysfs(), Tree::CARD.parse().expect("an address"), memory);
        let error = opened.expect_err("no kernel has it").to_string();
        assert!(error.contains("vfio/4000000001") && error.contains("modprobe vfio-pci"), "{error}");
    }
}
