//! From the kernel's driver to vfio-pci and back: what has to hold, and the writes that do it.

use crate::print;
use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use writ_driver::bus::sysfs::{Function, Numbers, PciAddress, Sysfs, SysfsError, VFIO_DRIVER};

/// One write into one of the kernel's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// The file.
    pub(crate) path: PathBuf,
    /// What is written, without the line feed.
    pub(crate) text: String,
}

/// What has to be written so that a card changes hands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    address: PciAddress,
    /// Whether vfio-pci shall have it afterwards.
    to_vfio: bool,
    driver_before: Option<String>,
    /// In order. None: it is so already.
    pub(crate) steps: Vec<Step>,
}

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The kernel's files say nothing of it.
    Sysfs(SysfsError),
    /// Something else is at that address.
    NotWrit(PciAddress, Numbers),
    /// No IOMMU guards it.
    NoIommu(PciAddress),
    /// vfio-pci is not loaded.
    NoVfio,
    /// Network interfaces of it that are up.
    InterfacesUp(PciAddress, Vec<String>),
    /// Functions that no process may get along with it, with their drivers.
    Neighbours(PciAddress, u32, Vec<(PciAddress, Option<String>)>),
    /// Another process has it: the file that it keeps open.
    InUse(PciAddress, PathBuf),
    /// This user may not.
    NotRoot,
}

impl From<SysfsError> for Refused {
    fn from(error: SysfsError) -> Self {
        Self::Sysfs(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysfs(error) => write!(f, "{error}"),
            Self::NotWrit(address, found) => write!(
                f,
                "{address} is no Writ card: it is {found}; {} is wanted; `writ card list` shows the cards of this machine",
                Numbers::WRIT
            ),
            Self::NoIommu(address) => write!(
                f,
                "the IOMMU does not guard {address}: switch VT-d or AMD-Vi on in the firmware's setup, add `intel_iommu=on` or `amd_iommu=on` to \
                 the kernel's command line, and start the machine again"
            ),
            Self::NoVfio => write!(f, "{VFIO_DRIVER} is not loaded: type `modprobe {VFIO_DRIVER}` as root"),
            Self::InterfacesUp(address, names) => write!(
                f,
                "{address} is in use as a network interface ({}): take it down (`ip link set {} down`), or say --force",
                names.join(", "),
                names.first().map_or("NAME", String::as_str)
            ),
            Self::Neighbours(address, group, others) => {
                write!(f, "the IOMMU cannot tell {address} from others in its group {group}:")?;
                for (other, driver) in others {
                    write!(f, " {other} ({})", driver.as_deref().unwrap_or("no driver"))?;
                }
                write!(
                    f,
                    "; put the card into a slot that has a group of its own, or switch ACS on in the firmware's setup; if nobody needs the \
                     others, give them to {VFIO_DRIVER} as well"
                )
            }
            Self::InUse(address, node) => write!(
                f,
                "another process has the card at {address}, most likely writ-cardd: `fuser -v {}` names it; stop it first",
                node.display()
            ),
            Self::NotRoot => {
                write!(f, "only root writes these files: type it again with `sudo`, or look first with --dry-run")
            }
        }
    }
}

/// Why a plan was not carried out to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The kernel did not take a write.
    Write {
        /// Which.
        step: Step,
        /// What it said.
        source: io::Error,
        /// Writes before it, which are done.
        done: usize,
    },
    /// All was written, but another driver has the card.
    NotTaken {
        /// The card.
        address: PciAddress,
        /// Which.
        driver: Option<String>,
    },
    /// It cannot be seen any more.
    Sysfs(SysfsError),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { step, source, done } => write!(
                f,
                "writing {:?} into {}: {source}; {done} writes before it are done (`writ card list` shows how it stands now, \
                 `dmesg | tail` may say why)",
                step.text,
                step.path.display()
            ),
            Self::NotTaken { address, driver } => write!(
                f,
                "all is written, but {} has {address}; `dmesg | tail` may say why",
                driver.as_deref().unwrap_or("no driver")
            ),
            Self::Sysfs(error) => write!(f, "all is written, but the card cannot be seen any more: {error}"),
        }
    }
}

/// What changes the machine.
pub(crate) trait Kernel {
    /// Writes into one of the kernel's files.
    fn write(&self, path: &Path, text: &str) -> io::Result<()>;
    /// Whether somebody has the group behind this file.
    fn is_held(&self, group_node: &Path) -> bool;
}

/// The machine itself.
pub(crate) struct System;

impl Kernel for System {
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        // Never a new file: one that is not there is a kernel that cannot do it.
        OpenOptions::new().write(true).open(path)?.write_all(format!("{text}\n").as_bytes())
    }

    fn is_held(&self, group_node: &Path) -> bool {
        // A group can be open once. If we may not open it at all, the writes will tell.
        let opened = OpenOptions::new().read(true).write(true).open(group_node);
        opened.is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
    }
}

/// What gives a card to vfio-pci.
pub(crate) fn bind(sysfs: &Sysfs, address: PciAddress, force: bool) -> Result<Plan, Refused> {
    let card = writ_card(sysfs, address)?;
    let driver_before = card.driver.clone();
    if card.is_with_vfio() {
        return Ok(Plan { address, to_vfio: true, driver_before, steps: Vec::new() });
    }
    let group = card.group.as_ref().filter(|group| !group.is_without_iommu).ok_or(Refused::NoIommu(address))?;
    let mut neighbours = Vec::new();
    for member in group.members.iter().filter(|member| **member != address) {
        let other = sysfs.function(*member)?;
        if !other.is_bridge() && !other.is_with_vfio() {
            neighbours.push((*member, other.driver));
        }
    }
    if !neighbours.is_empty() {
        return Err(Refused::Neighbours(address, group.number, neighbours));
    }
    let up = || card.interfaces.iter().filter(|each| each.is_up).map(|each| each.name.clone());
    if !force && up().next().is_some() {
        return Err(Refused::InterfacesUp(address, up().collect()));
    }
    let vfio = sysfs.driver_path(VFIO_DRIVER);
    if !vfio.exists() {
        return Err(Refused::NoVfio);
    }
    let mut steps = vec![Step { path: override_path(sysfs, address), text: VFIO_DRIVER.to_owned() }];
    if let Some(driver) = &driver_before {
        steps.push(Step { path: sysfs.driver_path(driver).join("unbind"), text: address.to_string() });
    }
    steps.push(Step { path: vfio.join("bind"), text: address.to_string() });
    Ok(Plan { address, to_vfio: true, driver_before, steps })
}

/// What gives a card back to whichever driver of the kernel wants it.
pub(crate) fn unbind(sysfs: &Sysfs, address: PciAddress, kernel: &dyn Kernel) -> Result<Plan, Refused> {
    let card = writ_card(sysfs, address)?;
    let path = override_path(sysfs, address);
    let is_kept = std::fs::read_to_string(&path).is_ok_and(|text| text.trim() == VFIO_DRIVER);
    let is_with_vfio = card.is_with_vfio();
    let mut steps = Vec::new();
    if is_with_vfio {
        // The kernel would wait until the other process lets go, and this command with it.
        let node = card.group.as_ref().map(|group| sysfs.group_node(group.number));
        if let Some(node) = node.filter(|node| kernel.is_held(node)) {
            return Err(Refused::InUse(address, node));
        }
        steps.push(Step { path: sysfs.driver_path(VFIO_DRIVER).join("unbind"), text: address.to_string() });
    }
    if is_kept || is_with_vfio {
        // Empty: any driver may have it.
        steps.push(Step { path, text: String::new() });
        steps.push(Step { path: sysfs.probe_path(), text: address.to_string() });
    }
    Ok(Plan { address, to_vfio: false, driver_before: card.driver, steps })
}

fn writ_card(sysfs: &Sysfs, address: PciAddress) -> Result<Function, Refused> {
    let card = sysfs.function(address)?;
    if card.numbers.is_writ() { Ok(card) } else { Err(Refused::NotWrit(address, card.numbers)) }
}

fn override_path(sysfs: &Sysfs, address: PciAddress) -> PathBuf {
    sysfs.device_path(address).join("driver_override")
}

impl Plan {
    /// Writes it all, and sees whether the card has changed hands.
    pub(crate) fn carry_out(&self, sysfs: &Sysfs, kernel: &dyn Kernel) -> Result<(), Stopped> {
        for (done, step) in self.steps.iter().enumerate() {
            let written = kernel.write(&step.path, &step.text);
            written.map_err(|source| Stopped::Write { step: step.clone(), source, done })?;
        }
        let card = sysfs.function(self.address).map_err(Stopped::Sysfs)?;
        if card.is_with_vfio() == self.to_vfio {
            Ok(())
        } else {
            Err(Stopped::NotTaken { address: self.address, driver: card.driver })
        }
    }

    pub(crate) fn print(&self, applied: bool, json: bool, out: &mut Vec<u8>) {
        let Self { address, steps, driver_before, .. } = self;
        if json {
            let change = serde_json::json!({
                "is": "card_change", "address": address.to_string(), "applied": applied, "driver_before": driver_before, "writes": steps,
            });
            print::json("answer", &change, out);
            return;
        }
        let mut table = Table::new(&[if applied { "written" } else { "would be written" }, "into"]);
        for step in steps {
            let text = if step.text.is_empty() { "(an empty line)" } else { &step.text };
            table.row([text.to_owned(), step.path.display().to_string()]);
        }
        table.print(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{CARD, Tree};
    use super::*;
    use std::cell::RefCell;

    /// Does to a made-up tree what the kernel does to its own when these files are written.
    struct Double<'a> {
        tree: &'a Tree,
        written: RefCell<Vec<String>>,
        is_held: bool,
    }

    impl<'a> Double<'a> {
        fn new(tree: &'a Tree) -> Self {
            Self { tree, written: RefCell::default(), is_held: false }
        }

        fn written(&self) -> Vec<String> {
            self.written.take()
        }

        fn attach(&self, address: &str, driver: &str) -> io::Result<()> {
            let wanted = self.tree.read(&format!("{}/driver_override", Tree::device(address)));
            let is_wanted = wanted.trim() == driver || (wanted.trim() == "(null)" && driver != VFIO_DRIVER);
            if !is_wanted || self.tree.driver(address).is_some() {
                return Err(rustix::io::Errno::NODEV.into());
            }
            self.tree.set_driver(address, Some(driver));
            Ok(())
        }
    }

    impl Kernel for Double<'_> {
        fn write(&self, path: &Path, text: &str) -> io::Result<()> {
            let path = path.strip_prefix(self.tree.sys()).expect("below the root").to_string_lossy().into_owned();
            self.written.borrow_mut().push(format!("{path} <- {text}"));
            let parts: Vec<&str> = path.split('/').collect();
            match parts[..] {
                ["bus", "pci", "devices", address, "driver_override"] => {
                    let text = if text.is_empty() { "(null)" } else { text };
                    self.tree.write(&format!("{}/driver_override", Tree::device(address)), &format!("{text}\n"));
                    Ok(())
                }
                ["bus", "pci", "drivers", driver, "unbind"] if self.tree.driver(text).as_deref() == Some(driver) => {
                    self.tree.set_driver(text, None);
                    Ok(())
                }
                ["bus", "pci", "drivers", driver, "bind"] => self.attach(text, driver),
                // Whether or not there is a driver that wants it, this write is taken.
                ["bus", "pci", "drivers_probe"] => self.attach(text, "xdma").or(Ok(())),
                _ => Err(rustix::io::Errno::NODEV.into()),
            }
        }

        fn is_held(&self, _: &Path) -> bool {
            self.is_held
        }
    }

    fn card() -> PciAddress {
        CARD.parse().expect("an address")
    }

    fn refused(tree: &Tree) -> String {
        bind(&tree.sysfs(), card(), false).expect_err("refused").to_string()
    }

    #[test]
    fn a_card_goes_to_vfio_and_back() {
        let tree = Tree::new();
        let (sysfs, double) = (tree.sysfs(), Double::new(&tree));
        let plan = bind(&sysfs, card(), false).expect("fit");
        plan.carry_out(&sysfs, &double).expect("done");
        assert_eq!(
            double.written(),
            [
                format!("bus/pci/devices/{CARD}/driver_override <- vfio-pci"),
                format!("bus/pci/drivers/xdma/unbind <- {CARD}"),
                format!("bus/pci/drivers/vfio-pci/bind <- {CARD}"),
            ]
        );
        assert_eq!(tree.driver(CARD).as_deref(), Some("vfio-pci"));
        assert_eq!(bind(&sysfs, card(), false).expect("fit").steps, [], "nothing is left to do");

        let plan = unbind(&sysfs, card(), &double).expect("free");
        plan.carry_out(&sysfs, &double).expect("done");
        assert_eq!(
            double.written(),
            [
                format!("bus/pci/drivers/vfio-pci/unbind <- {CARD}"),
                format!("bus/pci/devices/{CARD}/driver_override <- "),
                format!("bus/pci/drivers_probe <- {CARD}"),
            ]
        );
        assert_eq!(tree.driver(CARD).as_deref(), Some("xdma"), "who had it has it again");
        assert_eq!(unbind(&sysfs, card(), &double).expect("free").steps, []);
    }

    #[test]
    fn a_card_without_a_driver_is_bound_too() {
        let tree = Tree::new();
        tree.set_driver(CARD, None);
        let (sysfs, double) = (tree.sysfs(), Double::new(&tree));
        bind(&sysfs, card(), false).expect("fit").carry_out(&sysfs, &double).expect("done");
        assert_eq!(double.written().len(), 2);
        assert_eq!(tree.driver(CARD).as_deref(), Some("vfio-pci"));
        // Bound by override but lost since: the override goes, too.
        tree.set_driver(CARD, None);
        unbind(&sysfs, card(), &double).expect("free").carry_out(&sysfs, &double).expect("done");
        assert_eq!(tree.driver(CARD).as_deref(), Some("xdma"));
    }

    #[test]
    fn a_network_interface_that_is_up_is_left_alone() {
        let tree = Tree::new();
        tree.write(&format!("{}/net/ens7/flags", Tree::device(CARD)), "0x1002\n");
        bind(&tree.sysfs(), card(), false).expect("it is down");
        tree.write(&format!("{}/net/ens7/flags", Tree::device(CARD)), "0x1003\n");
        let said = refused(&tree);
        assert!(said.contains("ip link set ens7 down") && said.contains("--force"), "{said}");
        assert_eq!(bind(&tree.sysfs(), card(), true).expect("forced").steps.len(), 3);
    }

    #[test]
    fn what_shares_the_group_decides() {
        let tree = Tree::new();
        // Bridges, and what vfio has already, may be there.
        tree.add_function("0000:3a:00.0", "0x060400", Some("pcieport"), 7);
        tree.add_function("0000:3b:00.1", "0x028000", Some("vfio-pci"), 7);
        bind(&tree.sysfs(), card(), false).expect("fit");
        tree.add_function("0000:3b:00.2", "0x010802", Some("nvme"), 7);
        tree.add_function("0000:3b:00.3", "0x020000", None, 7);
        for force in [false, true] {
            let said = bind(&tree.sysfs(), card(), force).expect_err("refused").to_string();
            for part in ["group 7", "0000:3b:00.2 (nvme)", "0000:3b:00.3 (no driver)", "a slot that", "ACS"] {
                assert!(said.contains(part), "{part}: {said}");
            }
            assert!(!said.contains("3a:00.0") && !said.contains("3b:00.1"), "{said}");
        }
    }

    #[test]
    fn machines_that_are_not_ready_say_what_to_type() {
        let tree = Tree::new();
        tree.write("sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
        assert!(refused(&tree).contains("intel_iommu=on"));
        let tree = Tree::new();
        tree.remove(&format!("{}/iommu_group", Tree::device(CARD)));
        assert!(refused(&tree).contains("amd_iommu=on"));
        let tree = Tree::new();
        tree.remove_folder("sys/bus/pci/drivers/vfio-pci");
        assert!(refused(&tree).contains("`modprobe vfio-pci`"));
        let tree = Tree::new();
        tree.write(&format!("{}/subsystem_device", Tree::device(CARD)), "0x0007\n");
        let said = refused(&tree);
        assert!(said.contains("is no Writ card") && said.contains(":0007"), "{said}");
        let double = Double::new(&tree);
        assert!(matches!(unbind(&tree.sysfs(), card(), &double), Err(Refused::NotWrit(..))));
        let nobody = bind(&tree.sysfs(), "0000:99:00.0".parse().expect("an address"), true).expect_err("nothing there");
        assert!(nobody.to_string().contains("writ card list"), "{nobody}");
    }

    #[test]
    fn a_card_that_somebody_has_is_not_taken_away() {
        let tree = Tree::new();
        tree.set_driver(CARD, Some("vfio-pci"));
        let double = Double { is_held: true, ..Double::new(&tree) };
        let said = unbind(&tree.sysfs(), card(), &double).expect_err("held").to_string();
        assert!(said.contains("writ-cardd") && said.contains("vfio/7"), "{said}");
        assert_eq!(double.written(), [""; 0]);
        // A file that is free, and one that is not there, are nobody's.
        assert!(!System.is_held(&tree.sysfs().group_node(7)) && !System.is_held(Path::new("/nonexistent/7")));
    }

    #[test]
    fn a_kernel_that_does_not_follow_is_told_of() {
        /// Takes all writes but one, and does nothing.
        struct Stubborn(usize, RefCell<usize>);
        impl Kernel for Stubborn {
            fn write(&self, _: &Path, _: &str) -> io::Result<()> {
                let at = self.1.replace_with(|at| *at + 1);
                if at == self.0 { Err(rustix::io::Errno::INVAL.into()) } else { Ok(()) }
            }

            fn is_held(&self, _: &Path) -> bool {
                false
            }
        }
        let tree = Tree::new();
        let plan = bind(&tree.sysfs(), card(), false).expect("fit");
        let stopped =
            |at| plan.carry_out(&tree.sysfs(), &Stubborn(at, RefCell::new(0))).expect_err("stopped").to_string();
        let said = stopped(2);
        assert!(said.contains("vfio-pci/bind") && said.contains("2 writes before it are done"), "{said}");
        let said = stopped(9);
        assert!(said.contains("xdma has 0000:3b:00.0") && said.contains("dmesg"), "{said}");
    }

    #[test]
    fn files_are_written_and_never_made() {
        let tree = Tree::new();
        let path = tree.sys().join("bus/pci/drivers/vfio-pci/bind");
        System.write(&path, CARD).expect("there");
        assert_eq!(std::fs::read_to_string(path).expect("there"), format!("{CARD}\n"));
        let missing = tree.sys().join("bus/pci/drivers/none/bind");
        assert_eq!(System.write(&missing, CARD).expect_err("not there").kind(), io::ErrorKind::NotFound);
        assert!(!missing.exists());
    }
}
