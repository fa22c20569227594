//! Why a board cannot be had, and what to type.

use crate::bus::sysfs::{Numbers, PciAddress, SysfsError, VFIO_DRIVER};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

/// Why a card on this machine's bus cannot be used.
#[derive(Debug)]
pub enum VfioError {
    /// The kernel's files say nothing of it: above all, there is nothing at that address.
    Sysfs(SysfsError),
    /// What is there is another device, or a card of another ABI.
    WrongDevice {
        /// Where.
        address: PciAddress,
        /// What it says it is.
        found: Numbers,
    },
    /// There is no IOMMU, or it is off: a card could write anywhere.
    NoIommu {
        /// The card.
        address: PciAddress,
    },
    /// The kernel, or one of its other drivers, has the card.
    NotBound {
        /// The card.
        address: PciAddress,
        /// Which driver.
        driver: Option<String>,
    },
    /// VFIO's files are not there.
    NoNode {
        /// The missing one.
        path: PathBuf,
    },
    /// This user may not open one of VFIO's files.
    Permission {
        /// Which.
        path: PathBuf,
        /// This process's uid.
        uid: u32,
    },
    /// The kernel forbids it, though the files are this user's.
    Forbidden {
        /// The card.
        address: PciAddress,
        /// What it said.
        source: io::Error,
    },
    /// Another process has the card.
    InUse {
        /// The card.
        address: PciAddress,
        /// The file that is open elsewhere.
        path: PathBuf,
    },
    /// The kernel refused to open the card for another reason.
    Open {
        /// The card.
        address: PciAddress,
        /// What it said.
        source: io::Error,
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
    /// The IOMMU does not reach the bus addresses of the card's memory.
    BusAddresses {
        /// What is wanted.
        wanted: Range<u64>,
        /// What it reaches; both ends belong to it.
        reached: Vec<(u64, u64)>,
    },
    /// The size of the memory is no multiple of the IOMMU's pages.
    Alignment {
        /// Bytes of the memory.
        bytes: usize,
        /// Bytes of an IOMMU page.
        page_bytes: usize,
    },
    /// The kernel does not lock as much memory for this process.
    LockedMemory {
        /// Bytes of the card's memory.
        bytes: usize,
        /// The limit, bytes; `None`: there is none, so memory itself is short.
        limit: Option<u64>,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel does not map the memory for another reason.
    Map(io::Error),
    /// The command register does not take what was written.
    Command {
        /// What was written.
        wrote: u16,
        /// What it holds.
        found: u16,
    },
    /// The kernel refused something else.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl From<SysfsError> for VfioError {
    fn from(error: SysfsError) -> Self {
        Self::Sysfs(error)
    }
}

impl fmt::Display for VfioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysfs(error) => write!(f, "{error}"),
            Self::WrongDevice { address, found } if found.is_writ() => write!(
                f,
                "the card at {address} speaks ABI {}, this host speaks ABI {}: install gateware and host of the same release",
                found.revision,
                Numbers::WRIT.revision
            ),
            Self::WrongDevice { address, found } => write!(
                f,
                "no Writ card at {address}: it is {found}; {} is wanted; `writ card list` shows the cards of this machine",
                Numbers::WRIT
            ),
            Self::NoIommu { address } => write!(
                f,
                "the IOMMU does not guard {address}, so a card there could write anywhere: switch VT-d or AMD-Vi on in the firmware's setup, \
                 add `intel_iommu=on` (Intel) or `amd_iommu=on` (AMD) to the kernel's command line, and start the machine again; \
                 `dmesg | grep -e DMAR -e AMD-Vi` shows whether it is on"
            ),
            Self::NotBound { address, driver: Some(driver) } => write!(
                f,
                "the kernel's driver {driver} has {address}, not {VFIO_DRIVER}: type `writ card bind {address}` as root"
            ),
            Self::NotBound { address, driver: None } => {
                write!(f, "{address} is not bound to {VFIO_DRIVER}: type `writ card bind {address}` as root")
            }
            Self::NoNode { path } => {
                write!(f, "{} is not there: type `modprobe vfio-pci` as root, and bind the card again", path.display())
            }
            Self::Permission { path, uid } => write!(
                f,
                "uid {uid} may not open {path}: type `chown {uid} {path}` as root (until the next start), or make it last with a udev rule, \
                 see host/driver/README.md",
                path = path.display()
            ),
            Self::Forbidden { address, source } => write!(
                f,
                "the kernel forbids this process {address} ({source}), though the files in /dev/vfio are its own: in a service unit, add \
                 `DeviceAllow=char-vfio rw` and `DeviceAllow=/dev/vfio/vfio rw`; or the IOMMU cannot keep interrupts apart, which `dmesg | tail` says"
            ),
            Self::InUse { address, path } => write!(
                f,
                "another process has the card at {address}, most likely writ-cardd: it keeps {path} open; `fuser -v {path}` names it, \
                 and `systemctl stop writ-cardd.socket writ-cardd.service` ends it",
                path = path.display()
            ),
            Self::Open { address, source } => write!(
                f,
                "the kernel does not hand out {address}: {source}; `dmesg | tail` may say why, `writ card list` shows what shares its group"
            ),
            Self::TooSmall { what, found, wanted } => write!(f, "no Writ card: {what} is {found}, {wanted} is wanted"),
            Self::BusAddresses { wanted, reached } => out_of_reach(f, wanted, reached),
            Self::Alignment { bytes, page_bytes } => write!(
                f,
                "card memory of {bytes} bytes is no multiple of the IOMMU's page of {page_bytes} bytes: choose larger pages (2m)"
            ),
            Self::LockedMemory { bytes, limit, source } => not_locked(f, *bytes, *limit, source),
            Self::Map(source) => write!(f, "the IOMMU does not take the card's memory: {source}"),
            Self::Command { wrote, found } => write!(
                f,
                "the card's command register holds {found:#06x} after {wrote:#06x} was written: it is gone or broken; `writ card list` shows whether it is there"
            ),
            Self::Io { doing, source } => write!(f, "card: {doing}: {source}"),
        }
    }
}

fn out_of_reach(f: &mut fmt::Formatter<'_>, wanted: &Range<u64>, reached: &[(u64, u64)]) -> fmt::Result {
    let (first, last) = (wanted.start, wanted.end.saturating_sub(1));
    write!(f, "the IOMMU does not reach {first:#x} to {last:#x}, where the card's memory is to be; it reaches")?;
    for (first, last) in reached {
        write!(f, " {first:#x} to {last:#x}")?;
    }
    write!(f, "; give the card less memory, or use a machine with a wider IOMMU")
}

fn not_locked(f: &mut fmt::Formatter<'_>, bytes: usize, limit: Option<u64>, source: &io::Error) -> fmt::Result {
    write!(f, "the kernel locks no {bytes} bytes of card memory for this process ({source}); ")?;
    match limit {
        Some(limit) => write!(
            f,
            "RLIMIT_MEMLOCK is {limit} bytes: `LimitMEMLOCK=infinity` in the systemd unit, or `ulimit -l unlimited` as root before it is started"
        ),
        None => write!(f, "there is no limit on it, so memory is short: give the card less memory"),
    }
}

impl std::error::Error for VfioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sysfs(error) => Some(error),
            Self::Open { source, .. }
            | Self::Forbidden { source, .. }
            | Self::LockedMemory { source, .. }
            | Self::Map(source)
            | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
