//! A simulated card as a PCI function that another process reaches by the vfio-user protocol.
//!
//! The protocol's server is the crate `vfio_user`; here is what it serves: configuration space with the numbers of [`writ_abi::pci`], BAR 0 with
//! the registers and the MSI-X tables, interrupts through event descriptors, and the client's memory through descriptors that it maps.
//!
//! # As vfio-pci does
//! - One client at a time. Another one is answered `EBUSY`.
//! - When the connection ends, however it ends, bus master goes off, the function is reset, and what was mapped is let go: the card is disarmed.
//!   The wire does not notice.
//! - Without bus master the card reaches no memory and signals nothing. Without memory space BAR 0 reads as all ones.
//!
//! # What a client can do
//! The crate panics on some messages that no client sends. That ends the connection like any other fault of the client, no more.
//! A client that makes a mapped file shorter ends this process: see [`writ_driver::memory::CardMemory::with_file`].

mod config;
mod device;
mod door;

use crate::service::{Slot, remove_stale};
use device::Device;
use door::Door;
use rustix::event::{PollFd, PollFlags};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS, VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
};
use vfio_user::{IrqInfo, ServerRegion};
use writ_abi::pci::{BAR_0_BYTES, VECTORS};

/// What happens at the card's socket.
#[derive(Debug)]
pub enum Occasion {
    /// A client has the card.
    Taken,
    /// It is gone; bus master is off, the card was reset.
    Left,
    /// It did not go by itself: what it sent was no protocol.
    Broken(String),
}

impl std::fmt::Display for Occasion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken => write!(f, "a client has the card"),
            Self::Left => write!(f, "the client is gone: bus master off, card reset"),
            Self::Broken(why) => write!(f, "the connection was ended: {why}"),
        }
    }
}

/// Why the card cannot be served.
#[derive(Debug)]
pub enum ServeError {
    /// The socket could not be had.
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Out of threads or descriptors.
    Io(io::Error),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket { path, source } => write!(f, "card socket {}: {source}", path.display()),
            Self::Io(source) => write!(f, "card socket: {source}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Socket { source, .. } | Self::Io(source) => Some(source),
        }
    }
}

/// A card's socket, for its owner alone.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
}

impl Socket {
    /// Listens at `path`. A socket that is left over there is replaced.
    ///
    /// # Errors
    /// [`ServeError::Socket`] if something else is there, or somebody listens there.
    pub fn open(path: &Path) -> Result<Self, ServeError> {
        let fail = |source| ServeError::Socket { path: path.to_path_buf(), source };
        remove_stale(path).map_err(fail)?;
        let listener = UnixListener::bind(path).map_err(fail)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(fail)?;
        // Two threads take from it: neither may wait for a client that the other one has got.
        listener.set_nonblocking(true).map_err(fail)?;
        Ok(Self { listener })
    }

    /// Serves the card to one client after the other, for ever.
    ///
    /// # Errors
    /// [`ServeError::Io`].
    pub fn serve(&self, slot: Slot, mut told: impl FnMut(Occasion)) -> Result<std::convert::Infallible, ServeError> {
        let mut device = Device::new(slot).map_err(ServeError::Io)?;
        loop {
            self.wait()?;
            let listener = self.listener.try_clone().map_err(ServeError::Io)?;
            let server = vfio_user::Server::from_owned_fd(listener.into(), true, irqs(), regions());
            let door = Door::shut(&self.listener).map_err(ServeError::Io)?;
            told(Occasion::Taken);
            let ended = catch_unwind(AssertUnwindSafe(|| server.run(&mut device)));
            device.release();
            drop(door);
            match ended {
                // The client was turned away at the door, or gave up before it was let in.
                Ok(Err(vfio_user::Error::SocketAccept(_))) | Ok(Ok(())) => {}
                Ok(Err(error)) => told(Occasion::Broken(error.to_string())),
                Err(_) => told(Occasion::Broken("a message that is none".to_owned())),
            }
            told(Occasion::Left);
        }
    }

    /// Waits for a client.
    fn wait(&self) -> Result<(), ServeError> {
        loop {
            match rustix::event::poll(&mut [PollFd::new(&self.listener, PollFlags::IN)], None) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(ServeError::Io(errno.into())),
            }
        }
    }
}

fn regions() -> Vec<ServerRegion> {
    let region = |index: u32| {
        let size = match index {
            VFIO_PCI_BAR0_REGION_INDEX => u64::from(BAR_0_BYTES),
            VFIO_PCI_CONFIG_REGION_INDEX => config::CONFIG_BYTES as u64,
            _ => 0,
        };
        let flags = if size > 0 { VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE } else { 0 };
        let argsz = size_of::<vfio_region_info>() as u32;
        let region_info = vfio_region_info { argsz, index, size, flags, ..Default::default() };
        ServerRegion { region_info, sparse_areas: Vec::new(), mmap_fd: None }
    };
    (0..VFIO_PCI_NUM_REGIONS).map(region).collect()
}

fn irqs() -> Vec<IrqInfo> {
    let irq = |index: u32| match index {
        VFIO_PCI_MSIX_IRQ_INDEX => IrqInfo { index, flags: VFIO_IRQ_INFO_EVENTFD, count: VECTORS.into() },
        _ => IrqInfo { index, flags: 0, count: 0 },
    };
    (0..VFIO_PCI_NUM_IRQS).map(irq).collect()
}
