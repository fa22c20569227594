//! What can be known before anything is opened, and what the kernel's refusals mean.

use super::VfioError;
use crate::bus::sysfs::{Function, Numbers, PciAddress, Sysfs};
use rustix::fs::Access;
use std::io;
use std::path::{Path, PathBuf};

/// A card that may be opened, as far as files tell.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) address: PciAddress,
    /// The folder of the function.
    pub(super) path: PathBuf,
    /// What everybody opens who uses VFIO.
    container_node: PathBuf,
    /// What another process that has the card has open.
    group_node: PathBuf,
}

/// Is a Writ card there that VFIO could hand out?
pub(super) fn look(sysfs: &Sysfs, address: PciAddress) -> Result<Candidate, VfioError> {
    let function = sysfs.function(address)?;
    check_numbers(address, function.numbers)?;
    let is_with_vfio = function.is_with_vfio();
    let Function { driver, group, .. } = function;
    let group = group.filter(|group| !group.is_without_iommu).ok_or(VfioError::NoIommu { address })?;
    if !is_with_vfio {
        return Err(VfioError::NotBound { address, driver });
    }
    let (container_node, group_node) = (sysfs.container_node(), sysfs.group_node(group.number));
    for path in [&container_node, &group_node] {
        if !path.exists() {
            return Err(VfioError::NoNode { path: path.clone() });
        }
    }
    Ok(Candidate { address, path: sysfs.device_path(address), container_node, group_node })
}

/// Refuses everything but a Writ card of this host's ABI.
pub(super) fn check_numbers(address: PciAddress, found: Numbers) -> Result<(), VfioError> {
    if found == Numbers::WRIT { Ok(()) } else { Err(VfioError::WrongDevice { address, found }) }
}

/// What it means that the kernel did not open group, container or device.
pub(super) fn refused(candidate: &Candidate, source: io::Error) -> VfioError {
    let may_open = |path: &Path| rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok();
    explain(candidate, source, may_open)
}

fn explain(candidate: &Candidate, source: io::Error, may_open: impl Fn(&Path) -> bool) -> VfioError {
    let Candidate { address, container_node, group_node, .. } = candidate;
    let address = *address;
    let closed = || [container_node, group_node].into_iter().find(|path| !may_open(path));
    match source.kind() {
        io::ErrorKind::ResourceBusy => VfioError::InUse { address, path: group_node.clone() },
        io::ErrorKind::NotFound => VfioError::NoNode { path: group_node.clone() },
        io::ErrorKind::PermissionDenied => match closed() {
            Some(path) => VfioError::Permission { path: path.clone(), uid: rustix::process::geteuid().as_raw() },
            None => VfioError::Forbidden { address, source },
        },
        _ => VfioError::Open { address, source },
    }
}

/// What it means that the kernel did not map `bytes` bytes. `limit`: of locked memory, bytes.
///
/// `pci_driver` gives the kernel's answer as text only.
pub(super) fn not_mapped(bytes: usize, limit: Option<u64>, source: io::Error) -> VfioError {
    let is_no_memory = source.raw_os_error() == Some(rustix::io::Errno::NOMEM.raw_os_error())
        || source.to_string().ends_with(&format!("(os error {})", rustix::io::Errno::NOMEM.raw_os_error()));
    if is_no_memory { VfioError::LockedMemory { bytes, limit, source } } else { VfioError::Map(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::sysfs::tests::Tree;

    fn look_at(tree: &Tree) -> Result<Candidate, VfioError> {
        look(&tree.sysfs(), Tree::CARD.parse().expect("an address"))
    }

    fn said(tree: &Tree) -> String {
        look_at(tree).expect_err("refused").to_string()
    }

    fn has(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in: {text}");
        }
    }

    #[test]
    fn a_card_that_is_ready_is_taken() {
        let candidate = look_at(&Tree::new()).expect("ready");
        assert!(candidate.group_node.ends_with("vfio/7") && candidate.path.ends_with(Tree::CARD));
    }

    #[test]
    fn other_cards_are_refused_by_their_numbers() {
        for name in ["vendor", "device", "subsystem_vendor", "subsystem_device"] {
            let tree = Tree::new();
            tree.write_card(name, "0x1234\n");
            assert!(matches!(look_at(&tree), Err(VfioError::WrongDevice { .. })), "{name}");
            has(&said(&tree), &["no Writ card at 0000:3b:00.0", "1234", "10ee:903f", "writ card list"]);
        }
        let tree = Tree::new();
        tree.write_card("revision", "0x63\n");
        has(&said(&tree), &["ABI 99", "same release"]);
    }

    #[test]
    fn every_refusal_says_what_to_type() {
        let nobody =
            look(&Tree::new().sysfs(), "0000:99:00.0".parse().expect("an address")).expect_err("nothing there");
        has(&nobody.to_string(), &["0000:99:00.0", "writ card list", "rescan"]);

        let driver = format!("sys/bus/pci/devices/{}/driver", Tree::CARD);
        let tree = Tree::new();
        tree.link(&driver, "sys/bus/pci/drivers/xdma");
        has(&said(&tree), &["xdma", "`writ card bind 0000:3b:00.0`"]);
        tree.remove(&driver);
        has(&said(&tree), &["not bound to vfio-pci", "`writ card bind 0000:3b:00.0`"]);

        let tree = Tree::new();
        tree.remove(&format!("sys/bus/pci/devices/{}/iommu_group", Tree::CARD));
        has(&said(&tree), &["intel_iommu=on", "amd_iommu=on", "VT-d"]);
        let tree = Tree::new();
        tree.write("sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
        has(&said(&tree), &["intel_iommu=on", "could write anywhere"]);

        for node in ["dev/vfio/vfio", "dev/vfio/7"] {
            let tree = Tree::new();
            tree.remove(node);
            has(&said(&tree), &[&node[4..], "`modprobe vfio-pci`"]);
        }
    }

    #[test]
    fn refusals_of_the_kernel_are_understood() {
        let candidate = look_at(&Tree::new()).expect("ready");
        let said = |errno: rustix::io::Errno, closed: &str| {
            explain(&candidate, errno.into(), |path| !path.ends_with(closed)).to_string()
        };
        has(&said(rustix::io::Errno::BUSY, "none"), &["another process", "writ-cardd", "fuser -v"]);
        for errno in [rustix::io::Errno::ACCESS, rustix::io::Errno::PERM] {
            has(&said(errno, "vfio/7"), &["may not open", "vfio/7`", "chown", "udev"]);
            has(&said(errno, "vfio/vfio"), &["may not open", "vfio/vfio`"]);
            // The files are open to us: it is something behind them.
            has(&said(errno, "none"), &["interrupt", "dmesg", "DeviceAllow=char-vfio rw"]);
        }
        has(&said(rustix::io::Errno::NOENT, "none"), &["modprobe vfio-pci"]);
        has(&said(rustix::io::Errno::NODEV, "none"), &["does not hand out 0000:3b:00.0", "dmesg"]);
    }

    #[test]
    fn locked_memory_names_its_limit() {
        let errno = || io::Error::from(rustix::io::Errno::NOMEM);
        // As pci_driver puts it.
        let text = io::Error::other(format!("Failed to set up IOMMU mapping: {}", errno()));
        for source in [errno(), text] {
            let said = not_mapped(32 << 20, Some(8 << 20), source).to_string();
            has(&said, &["33554432", "RLIMIT_MEMLOCK is 8388608", "LimitMEMLOCK=infinity", "ulimit -l"]);
        }
        has(&not_mapped(4096, None, errno()).to_string(), &["less memory"]);
        let other = io::Error::from(rustix::io::Errno::INVAL);
        assert!(matches!(not_mapped(4096, Some(1), other), VfioError::Map(_)));
    }
}
