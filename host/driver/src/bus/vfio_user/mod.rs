//! A card in another process, reached by the vfio-user protocol over a Unix socket.
//!
//! [`VfioUserCard::open`] does what opening a function under VFIO does: it takes the function for itself, resets it, gives it the memory
//! that its rings are in, sets up its interrupts, and lets it use the bus. Whoever drops it, or dies, takes all of that back.
//!
//! # Blocking
//! A register read is a question and an answer; a card that does not answer within 10 s is gone from then on. Writes are posted.

mod connection;
mod message;

use super::event::{self, EventIrq, Lifeline};
use super::is_owners_register;
use crate::memory::HostMemory;
use crate::{Bar, Irq, Irqs};
use connection::Connection;
use message::{Command, DeviceInfo, DmaMap, DmaUnmap, IrqInfo, RegionAccess, RegionInfo, SetIrqs, Version};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use writ_abi::{limits::RECORD_RINGS, pci, registers::BAR_BYTES};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// Version of the protocol that is spoken.
const VERSION: Version = Version { major: U16::new(0), minor: U16::new(0) };
/// What this client can do: nothing beyond the protocol's defaults.
const CAPABILITIES: &[u8] = b"{\"capabilities\":{}}\0";
/// Offset of the command register in configuration space, and its bits.
const CONFIG_COMMAND_AT: u64 = 4;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_BUS_MASTER: u16 = 1 << 2;
const COMMAND_INTX_OFF: u16 = 1 << 10;
/// The errno with which a server refuses a second client.
const EBUSY: u32 = 16;
/// Vectors that are used: one a record ring, one for completions.
const VECTORS: usize = RECORD_RINGS + 1;

/// Why a card in another process cannot be used.
#[derive(Debug)]
pub enum VfioUserError {
    /// Nobody listens there, or may be reached.
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has the card.
    InUse,
    /// The server ended the connection: the card is gone.
    Gone,
    /// The server does not answer.
    Silent {
        /// How long was waited.
        waited: Duration,
    },
    /// The server breaks the protocol.
    Protocol(&'static str),
    /// The server speaks another version of the protocol.
    Version {
        /// The server's, major and minor.
        server: (u16, u16),
    },
    /// The server refused a request.
    Refused {
        /// Which: the protocol's number.
        command: u16,
        /// Why, as the server has it; 0: it does not say.
        errno: u32,
    },
    /// What answers is another device.
    WrongDevice {
        /// Its vendor.
        vendor: u16,
        /// Its device number.
        device: u16,
        /// Its subsystem number.
        subsystem: u16,
    },
    /// The device has less than a Writ card has.
    TooSmall {
        /// Of what.
        what: &'static str,
        /// How much it has.
        found: u64,
        /// How much is wanted.
        wanted: u64,
    },
    /// The memory belongs to this process alone. The caller is at fault.
    MemoryNotShared,
    /// Descriptors could not be made, or the socket failed.
    Io(io::Error),
}

impl std::fmt::Display for VfioUserError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect { path, source } => {
                write!(f, "card at {}: {source}; is its process running?", path.display())
            }
            Self::InUse => write!(f, "the card is in use by another process"),
            Self::Gone => write!(f, "the card is gone: its process ended the connection"),
            Self::Silent { waited } => write!(f, "the card's process has not answered for {} s", waited.as_secs()),
            Self::Protocol(what) => write!(f, "the card's process breaks the vfio-user protocol: {what}"),
            Self::Version { server: (major, minor) } => {
                write!(f, "the card's process speaks vfio-user {major}.{minor}, this host speaks 0.0 and 0.1")
            }
            Self::Refused { command, errno: 0 } => write!(f, "the card's process refused vfio-user command {command}"),
            Self::Refused { command, errno } => write!(
                f,
                "the card's process refused vfio-user command {command}: {}",
                io::Error::from_raw_os_error(errno.cast_signed())
            ),
            Self::WrongDevice { vendor, device, subsystem } => write!(
                f,
                "no Writ card: it is device {vendor:04x}:{device:04x}, subsystem {subsystem:04x}; {:04x}:{:04x}, {:04x} is wanted",
                pci::VENDOR,
                pci::DEVICE,
                pci::SUBSYSTEM
            ),
            Self::TooSmall { what, found, wanted } => write!(f, "no Writ card: {what} is {found}, {wanted} is wanted"),
            Self::MemoryNotShared => {
                write!(f, "card memory belongs to this process alone; a card in another one cannot reach it")
            }
            Self::Io(source) => write!(f, "card: {source}"),
        }
    }
}

impl std::error::Error for VfioUserError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

/// A card in another process, with the memory that it may reach. Dropping it takes the bus from the card, resets it, and leaves it to others.
pub struct VfioUserCard {
    function: Arc<Function>,
    memory: Arc<HostMemory>,
    events: [OwnedFd; VECTORS],
}

impl VfioUserCard {
    /// Takes the card that is served at `path` and gives it all of `memory`, which begins at [`HostMemory::BUS_BASE`] for it. The card
    /// was reset then; [`crate::Card::bring_up`] comes next.
    ///
    /// # Errors
    /// [`VfioUserError`]; the card is as it was, or reset.
    pub fn open(path: &Path, memory: Arc<HostMemory>) -> Result<Self, VfioUserError> {
        let file = memory.file().ok_or(VfioUserError::MemoryNotShared)?;
        let function = Function { connection: Connection::open(path)? };
        function.greet()?;
        function.check()?;
        function.connection.ask(Command::DeviceReset, &[], None)?;
        function.map(file.as_fd(), memory.len() as u64)?;
        let mut events = Vec::with_capacity(VECTORS);
        for vector in 0..VECTORS {
            let event = event::event().map_err(VfioUserError::Io)?;
            function.set_irq(vector as u32, event.as_fd())?;
            events.push(event);
        }
        function.set_command(COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_INTX_OFF)?;
        let events = events.try_into().map_err(|_| VfioUserError::Protocol("vectors are missing"))?;
        Ok(Self { function: Arc::new(function), memory, events })
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        Arc::new(VfioUserBar(Arc::clone(&self.function)))
    }

    /// The memory that the card can reach; it is a [`crate::Dma`].
    pub fn dma(&self) -> Arc<HostMemory> {
        Arc::clone(&self.memory)
    }

    /// The card's interrupts. Each is for one waiter: two that wait for the same take signals from one another.
    ///
    /// # Errors
    /// Those of the operating system, if there are no descriptors left.
    pub fn irqs(&self) -> io::Result<Irqs> {
        let mut clones = Vec::with_capacity(VECTORS);
        for event in &self.events {
            clones.push(event.try_clone()?);
        }
        let mut irqs = clones.into_iter().map(|event| -> Box<dyn Irq> {
            Box::new(EventIrq::new(event, Arc::clone(&self.function) as Arc<dyn Lifeline>))
        });
        // Records first, completions last: in the order of the vectors.
        Ok(Irqs::each(|| irqs.next().unwrap_or_else(|| Box::new(crate::NoIrq))))
    }

    /// Lets the card use the bus, or not. Without it the card writes nothing, reads nothing and signals nothing; registers go on.
    ///
    /// # Errors
    /// [`VfioUserError`]; nobody knows then whether the card writes.
    pub fn set_bus_master(&self, on: bool) -> Result<(), VfioUserError> {
        let bus_master = if on { COMMAND_BUS_MASTER } else { 0 };
        self.function.set_command(COMMAND_MEMORY | COMMAND_INTX_OFF | bus_master)
    }

    /// The descriptors that the card signals: one a record ring, then that of the completions.
    pub fn events(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.events.iter().map(AsFd::as_fd)
    }

    /// The connection to the card: it hangs up when the card is gone. Nothing may be read from it.
    pub fn lifeline(&self) -> BorrowedFd<'_> {
        self.function.lifeline()
    }
}

impl Drop for VfioUserCard {
    fn drop(&mut self) {
        // Bus master off first: nothing is written into our memory any more. A server that does not listen does the same when the
        // connection ends.
        let function = &self.function;
        let _ = function.set_command(COMMAND_INTX_OFF);
        let _ = function.connection.ask(Command::DeviceReset, &[], None);
        let _ = function.unmap(self.memory.len() as u64);
    }
}

impl std::fmt::Debug for VfioUserCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VfioUserCard").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// The function at the other end.
struct Function {
    connection: Connection,
}

impl Lifeline for Function {
    fn lifeline(&self) -> BorrowedFd<'_> {
        self.connection.watched()
    }
}

impl Function {
    fn greet(&self) -> Result<(), VfioUserError> {
        let busy = |error| match error {
            VfioUserError::Refused { errno: EBUSY, .. } => VfioUserError::InUse,
            other => other,
        };
        let body: [&[u8]; 2] = [VERSION.as_bytes(), CAPABILITIES];
        let version: Version = self.connection.ask_for(Command::Version, &body).map_err(busy)?;
        match (version.major.get(), version.minor.get()) {
            (0, 0 | 1) => Ok(()),
            server => Err(VfioUserError::Version { server }),
        }
    }

    /// Is it a PCI function with the parts that a Writ card has?
    fn check(&self) -> Result<(), VfioUserError> {
        let at_least = |what, found: u64, wanted: u64| {
            if found >= wanted { Ok(()) } else { Err(VfioUserError::TooSmall { what, found, wanted }) }
        };
        let bytes = U32::new(size_of::<DeviceInfo>() as u32);
        let empty = DeviceInfo { argument_bytes: bytes, flags: U32::new(0), regions: U32::new(0), irqs: U32::new(0) };
        let info: DeviceInfo = self.connection.ask_for(Command::DeviceInfo, &[empty.as_bytes()])?;
        if info.flags.get() & 3 != 3 {
            return Err(VfioUserError::Protocol("the device is no PCI function that can be reset"));
        }
        at_least("number of regions", info.regions.get().into(), u64::from(message::pci::CONFIG) + 1)?;
        at_least("number of kinds of interrupt", info.irqs.get().into(), u64::from(message::pci::MSIX) + 1)?;
        let mut ids = [0; 4];
        self.read(message::pci::CONFIG, 0, &mut ids)?;
        let mut subsystem = [0; 4];
        self.read(message::pci::CONFIG, 0x2c, &mut subsystem)?;
        let half = |bytes: &[u8; 4], at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let found = (half(&ids, 0), half(&ids, 2), half(&subsystem, 2));
        if found != (pci::VENDOR, pci::DEVICE, pci::SUBSYSTEM) {
            let (vendor, device, subsystem) = found;
            return Err(VfioUserError::WrongDevice { vendor, device, subsystem });
        }
        at_least("size of BAR 0", self.region_bytes(message::pci::BAR_0)?, BAR_BYTES.into())?;
        at_least("number of MSI-X vectors", self.vectors()?.into(), VECTORS as u64)
    }

    fn region_bytes(&self, index: u32) -> Result<u64, VfioUserError> {
        let question = RegionInfo {
            argument_bytes: U32::new(size_of::<RegionInfo>() as u32),
            flags: U32::new(0),
            index: U32::new(index),
            capability_offset: U32::new(0),
            bytes: U64::new(0),
            offset: U64::new(0),
        };
        let info: RegionInfo = self.connection.ask_for(Command::RegionInfo, &[question.as_bytes()])?;
        Ok(info.bytes.get())
    }

    fn vectors(&self) -> Result<u32, VfioUserError> {
        let question = IrqInfo {
            argument_bytes: U32::new(size_of::<IrqInfo>() as u32),
            flags: U32::new(0),
            index: U32::new(message::pci::MSIX),
            count: U32::new(0),
        };
        let info: IrqInfo = self.connection.ask_for(Command::IrqInfo, &[question.as_bytes()])?;
        Ok(info.count.get())
    }

    fn map(&self, file: BorrowedFd<'_>, bytes: u64) -> Result<(), VfioUserError> {
        let map = DmaMap {
            argument_bytes: U32::new(size_of::<DmaMap>() as u32),
            flags: U32::new(3),
            offset: U64::new(0),
            bus_address: U64::new(HostMemory::BUS_BASE),
            bytes: U64::new(bytes),
        };
        self.connection.ask(Command::DmaMap, &[map.as_bytes()], Some(file)).map(|_| ())
    }

    fn unmap(&self, bytes: u64) -> Result<(), VfioUserError> {
        let unmap = DmaUnmap {
            argument_bytes: U32::new(size_of::<DmaUnmap>() as u32),
            flags: U32::new(0),
            bus_address: U64::new(HostMemory::BUS_BASE),
            bytes: U64::new(bytes),
        };
        self.connection.ask(Command::DmaUnmap, &[unmap.as_bytes()], None).map(|_| ())
    }

    /// One descriptor a request: more is not in the protocol's defaults.
    fn set_irq(&self, vector: u32, event: BorrowedFd<'_>) -> Result<(), VfioUserError> {
        let set = SetIrqs {
            argument_bytes: U32::new(size_of::<SetIrqs>() as u32),
            flags: U32::new(message::SET_IRQS_EVENTFD_TRIGGER),
            index: U32::new(message::pci::MSIX),
            start: U32::new(vector),
            count: U32::new(1),
        };
        self.connection.ask(Command::SetIrqs, &[set.as_bytes()], Some(event)).map(|_| ())
    }

    /// Sets the command register, and sees whether the function follows.
    fn set_command(&self, command: u16) -> Result<(), VfioUserError> {
        let access = access(message::pci::CONFIG, CONFIG_COMMAND_AT, 2);
        self.connection.ask(Command::RegionWrite, &[access.as_bytes(), &command.to_le_bytes()], None)?;
        let mut found = [0; 2];
        self.read(message::pci::CONFIG, CONFIG_COMMAND_AT, &mut found)?;
        let wanted = COMMAND_MEMORY | COMMAND_BUS_MASTER;
        if (u16::from_le_bytes(found) ^ command) & wanted != 0 {
            return Err(VfioUserError::Protocol("the command register does not take what was written"));
        }
        Ok(())
    }

    fn read(&self, region: u32, offset: u64, data: &mut [u8]) -> Result<(), VfioUserError> {
        let access = access(region, offset, data.len() as u32);
        let answer = self.connection.ask(Command::RegionRead, &[access.as_bytes()], None)?;
        match answer.get(size_of::<RegionAccess>()..) {
            Some(found) if found.len() == data.len() => {
                data.copy_from_slice(found);
                Ok(())
            }
            _ => Err(VfioUserError::Protocol("a read gives more or less than was asked for")),
        }
    }
}

fn access(region: u32, offset: u64, count: u32) -> RegionAccess {
    RegionAccess { offset: U64::new(offset), region: U32::new(region), count: U32::new(count) }
}

/// BAR 0.
struct VfioUserBar(Arc<Function>);

impl Bar for VfioUserBar {
    fn read32(&self, offset: u32) -> u32 {
        let mut value = [0; 4];
        let read = is_owners_register(offset) && self.0.read(message::pci::BAR_0, offset.into(), &mut value).is_ok();
        if read { u32::from_le_bytes(value) } else { u32::MAX }
    }

    fn write32(&self, offset: u32, value: u32) {
        if is_owners_register(offset) {
            let access = access(message::pci::BAR_0, offset.into(), 4);
            // A card that is gone does nothing; the next read tells.
            let _ = self.0.connection.post(Command::RegionWrite, &[access.as_bytes(), &value.to_le_bytes()]);
        }
    }
}
