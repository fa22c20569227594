//! The function behind the protocol: configuration space, BAR 0, interrupts, memory.

use super::config::{CONFIG_BYTES, ConfigSpace, Effect};
use crate::card::{FunctionState, MESSAGES_AT};
use crate::service::{Slot, VectorWait};
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE, VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend};
use writ_abi::pci::{BAR_0_BYTES, MSIX_ENTRY_BYTES, MSIX_TABLE_AT, VECTORS};
use writ_abi::registers::BAR_BYTES;
use writ_driver::memory::{Access, CardMemory};
use writ_driver::{Bar, Wake};

/// Bytes of the MSI-X table.
const TABLE_BYTES: usize = VECTORS as usize * MSIX_ENTRY_BYTES as usize;

pub(super) struct Device {
    slot: Slot,
    bar: Arc<dyn Bar>,
    config: ConfigSpace,
    /// Of a card that has none of its own.
    msix_table: [u8; TABLE_BYTES],
    /// What the client has mapped. The card has it while it is bus master.
    memory: CardMemory,
    vectors: Arc<Vectors>,
    pump: Option<JoinHandle<()>>,
}

/// Where interrupts go.
struct Vectors {
    events: Mutex<Events>,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Events {
    /// MSI-X messages are writes on the bus.
    is_bus_master: bool,
    files: [Option<File>; VECTORS as usize],
}

impl Vectors {
    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the card's signals on, until it is gone.
    fn pump(&self, vectors: &mut VectorWait) {
        while !self.stopping.load(Ordering::Acquire) {
            match vectors.wait_any(Duration::from_millis(100)) {
                (Wake::Signalled, signalled) => {
                    let events = self.events();
                    if events.is_bus_master {
                        let told = events.files.iter().enumerate().filter(|(vector, _)| signalled >> vector & 1 == 1);
                        for mut file in told.filter_map(|(_, file)| file.as_ref()) {
                            // One whose count is full has been told, one that cannot be written to cannot be helped.
                            let _ = file.write(&1_u64.to_ne_bytes());
                        }
                    }
                }
                (Wake::TimedOut, _) => {}
                (Wake::Gone, _) => return,
            }
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

impl Device {
    pub(super) fn new(slot: Slot) -> io::Result<Self> {
        let vectors = Arc::new(Vectors { events: Mutex::default(), stopping: AtomicBool::new(false) });
        let (pumped, mut signals) = (Arc::clone(&vectors), slot.vectors(u64::MAX));
        let pump = std::thread::Builder::new().name("card-irq".into()).spawn(move || pumped.pump(&mut signals))?;
        Ok(Self {
            bar: if slot.has_bus() { slot.whole_bar() } else { slot.bar() },
            slot,
            config: ConfigSpace::new(),
            msix_table: [0; TABLE_BYTES],
            memory: CardMemory::none(),
            vectors,
            pump: Some(pump),
        })
    }

    /// The client is gone: bus master off first, then the function is reset and forgets what it was given. The wire goes on.
    pub(super) fn release(&mut self) {
        self.slot.set_memory(CardMemory::none());
        self.vectors.events().files = Default::default();
        self.memory = CardMemory::none();
        self.reset_function();
    }

    fn reset_function(&mut self) {
        self.config = ConfigSpace::new();
        self.msix_table = [0; TABLE_BYTES];
        self.follow_command();
        self.slot.reset_function();
    }

    /// Lets the card use the bus, or not.
    fn follow_command(&mut self) {
        let is_bus_master = self.config.is_bus_master();
        let is_msix_enabled = {
            let mut events = self.vectors.events();
            events.is_bus_master = is_bus_master;
            events.files.iter().any(Option::is_some)
        };
        // A card behind a bus keeps from memory by itself.
        let has_memory = is_bus_master || self.slot.has_bus();
        self.slot.set_memory(if has_memory { self.memory.clone() } else { CardMemory::none() });
        self.slot.set_function(FunctionState { is_bus_master, is_msix_enabled, is_msix_masked: false });
    }

    /// Fills the card's own MSI-X table as the host's kernel does when vectors are asked for: each goes to its own number.
    fn fill_table(&self) {
        let is_set = self.vectors.events().files.each_ref().map(Option::is_some);
        for (vector, is_set) in (0..).zip(is_set) {
            let at = MSIX_TABLE_AT + vector * MSIX_ENTRY_BYTES;
            let words = [MESSAGES_AT as u32, (MESSAGES_AT >> 32) as u32, vector, u32::from(!is_set)];
            for (value, at) in words.into_iter().zip((at..).step_by(4)) {
                self.bar.write32(at, value);
            }
        }
    }

    fn bar_read(&self, offset: u32, data: &mut [u8]) {
        let own = if self.slot.has_bus() { BAR_0_BYTES } else { BAR_BYTES };
        let word = |at: u32| match at {
            at if at < own => self.bar.read32(at).to_le_bytes(),
            at => self.table_word(at).map_or([0; 4], |at| {
                let table = &self.msix_table;
                [table[at], table[at + 1], table[at + 2], table[at + 3]]
            }),
        };
        for (bytes, at) in data.chunks_exact_mut(4).zip((offset..).step_by(4)) {
            bytes.copy_from_slice(&word(at));
        }
    }

    fn bar_write(&mut self, offset: u32, data: &[u8]) {
        let own = if self.slot.has_bus() { BAR_0_BYTES } else { BAR_BYTES };
        for (bytes, at) in data.chunks_exact(4).zip((offset..).step_by(4)) {
            if at < own {
                self.bar.write32(at, u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            } else if let Some(at) = self.table_word(at) {
                self.msix_table[at..at + 4].copy_from_slice(bytes);
            }
        }
    }

    /// The place of a word of BAR 0 in the MSI-X table, if it is there.
    fn table_word(&self, at: u32) -> Option<usize> {
        if self.slot.has_bus() {
            return None;
        }
        let at = at.checked_sub(MSIX_TABLE_AT)? as usize;
        (at < TABLE_BYTES).then_some(at)
    }
}

/// An access to BAR 0 is of 4 or 8 bytes, aligned, inside.
fn bar_offset(offset: u64, bytes: usize) -> io::Result<u32> {
    let good = matches!(bytes, 4 | 8) && offset.is_multiple_of(bytes as u64) && offset < u64::from(BAR_0_BYTES);
    if good { Ok(offset as u32) } else { Err(invalid("BAR 0 takes aligned accesses of 4 and 8 bytes")) }
}

fn config_offset(offset: u64, bytes: usize) -> io::Result<usize> {
    let end = offset.checked_add(bytes as u64);
    let good = end.is_some_and(|end| end <= CONFIG_BYTES as u64);
    if good { Ok(offset as usize) } else { Err(invalid("beyond the end of configuration space")) }
}

impl ServerBackend for Device {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_BAR0_REGION_INDEX => {
                let offset = bar_offset(offset, data.len())?;
                if self.config.has_memory_space() {
                    self.bar_read(offset, data);
                } else {
                    // Nobody answers.
                    data.fill(0xff);
                }
            }
            VFIO_PCI_CONFIG_REGION_INDEX => self.config.read(config_offset(offset, data.len())?, data),
            _ => return Err(invalid("the function has no such region")),
        }
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_BAR0_REGION_INDEX => {
                let offset = bar_offset(offset, data.len())?;
                if self.config.has_memory_space() {
                    self.bar_write(offset, data);
                }
            }
            VFIO_PCI_CONFIG_REGION_INDEX => match self.config.write(config_offset(offset, data.len())?, data) {
                Effect::None => {}
                Effect::Command => self.follow_command(),
                Effect::Reset => self.reset_function(),
            },
            _ => return Err(invalid("the function has no such region")),
        }
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        fd: Option<File>,
    ) -> io::Result<()> {
        let file = fd.ok_or_else(|| invalid("memory without a descriptor: this card cannot ask for it by message"))?;
        let access = Access { read: flags.contains(DmaMapFlags::READ), write: flags.contains(DmaMapFlags::WRITE) };
        self.memory = self.memory.with_file(address, &file, offset, size, access).map_err(io::Error::other)?;
        self.follow_command();
        Ok(())
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        self.memory = if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
            CardMemory::none()
        } else {
            self.memory.without(address, size).map_err(io::Error::other)?
        };
        // The answer goes out when the card has let go.
        self.follow_command();
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.reset_function();
        Ok(())
    }

    fn set_irqs(&mut self, index: u32, flags: u32, start: u32, count: u32, fds: Vec<File>) -> io::Result<()> {
        let (start, count) = (start as usize, count as usize);
        let end = start.checked_add(count).filter(|end| *end <= usize::from(VECTORS));
        let (VFIO_PCI_MSIX_IRQ_INDEX, Some(end)) = (index, end) else {
            // Kinds of interrupt that the card does not have can be switched off, as the ones that do not exist are.
            return if count == 0 { Ok(()) } else { Err(invalid("the function has MSI-X alone, of 8 vectors")) };
        };
        let mut events = self.vectors.events();
        let trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
        if flags == VFIO_IRQ_SET_DATA_NONE | trigger && count == 0 {
            events.files = Default::default();
        } else if flags == VFIO_IRQ_SET_DATA_EVENTFD | trigger && fds.len() == count {
            for (place, file) in events.files[start..end].iter_mut().zip(fds) {
                *place = Some(file);
            }
        } else {
            return Err(invalid("one event descriptor for each vector is wanted"));
        }
        drop(events);
        if self.slot.has_bus() {
            self.fill_table();
        }
        self.follow_command();
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.vectors.stopping.store(true, Ordering::Release);
        if let Some(pump) = self.pump.take() {
            // Its end is all that is wanted of it.
            let _ = pump.join();
        }
    }
}
