//! Where a card is that this process is to own, and the card when it has it: on this machine's bus, or in another process.

use super::sysfs::{PciAddress, Sysfs};
use super::vfio::{VfioCard, VfioError};
use super::vfio_user::{VfioUserCard, VfioUserError};
use crate::memory::HostMemory;
use crate::{Bar, Irqs};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a card is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A function on this machine's bus.
    Device(PciAddress),
    /// The socket of a process that serves it by the vfio-user protocol.
    Socket(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Why a card cannot be had.
#[derive(Debug)]
pub enum PlaceError {
    /// On this machine's bus.
    Device(VfioError),
    /// In another process.
    Socket(VfioUserError),
}

impl PlaceError {
    /// Whether another process has it.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Device(VfioError::InUse { .. }) | Self::Socket(VfioUserError::InUse))
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => write!(f, "{error}"),
            Self::Socket(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for PlaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Device(error) => Some(error),
            Self::Socket(error) => Some(error),
        }
    }
}

/// A card that this process owns. Dropping it resets it.
#[derive(Debug)]
pub enum OwnedCard {
    /// A board.
    Device(VfioCard),
    /// A card in another process.
    Socket(VfioUserCard),
}

impl OwnedCard {
    /// Takes the card at `place`, resets it, and gives it all of `memory`. `sysfs`: where the kernel's files are.
    ///
    /// # Errors
    /// [`PlaceError`]; the card is as it was, or reset.
    pub fn open(sysfs: &Sysfs, place: &Place, memory: Arc<HostMemory>) -> Result<Self, PlaceError> {
        match place {
            Place::Device(address) => {
                VfioCard::open(sysfs, *address, memory).map(Self::Device).map_err(PlaceError::Device)
            }
            Place::Socket(path) => VfioUserCard::open(path, memory).map(Self::Socket).map_err(PlaceError::Socket),
        }
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        match self {
            Self::Device(card) => card.bar(),
            Self::Socket(card) => card.bar(),
        }
    }

    /// The memory that the card can reach; it is a [`crate::Dma`].
    pub fn dma(&self) -> Arc<HostMemory> {
        match self {
            Self::Device(card) => card.dma(),
            Self::Socket(card) => card.dma(),
        }
    }

    /// The card's interrupts. Each is for one waiter.
    ///
    /// # Errors
    /// Those of the operating system, if there are no descriptors left.
    pub fn irqs(&self) -> io::Result<Irqs> {
        match self {
            Self::Device(card) => card.irqs(),
            Self::Socket(card) => card.irqs(),
        }
    }

    /// The descriptors that the card signals: one a record ring, then that of the completions.
    pub fn events(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Device(card) => card.events().collect(),
            Self::Socket(card) => card.events().collect(),
        }
    }

    /// A descriptor that hangs up when the card is gone. Nothing may be read from it.
    pub fn lifeline(&self) -> BorrowedFd<'_> {
        match self {
            Self::Device(card) => card.lifeline(),
            Self::Socket(card) => card.lifeline(),
        }
    }
}
