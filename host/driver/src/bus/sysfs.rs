//! What the kernel's files say of PCI functions: numbers, driver, IOMMU group, network interfaces. Reads only.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use writ_abi::pci;

/// The kernel's driver that hands a function to a process.
pub const VFIO_DRIVER: &str = "vfio-pci";
/// Class of bridges, the upper byte of the class code.
const CLASS_BRIDGE: u32 = 0x06;
/// The interface flag that stands for "up".
const IFF_UP: u32 = 1;

/// Where a PCI function is: domain, bus, device, function, as in `0000:3b:00.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

/// Text that is no address of a PCI function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no address of a PCI function; one looks like 0000:3b:00.0, and `lspci -D` prints them",
            self.0
        )
    }
}

impl std::error::Error for AddressError {}

impl FromStr for PciAddress {
    type Err = AddressError;

    /// Domain of 4 to 8 hexadecimal digits (without it: 0000), bus and device of 2, function of 1.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let number = |digits: &str, length: std::ops::RangeInclusive<usize>, below: u32| {
            let good = length.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            good.then(|| u32::from_str_radix(digits, 16).ok()).flatten().filter(|number| *number <= below)
        };
        let byte = |digits: &str, length: usize, below: u32| {
            number(digits, length..=length, below).and_then(|number| u8::try_from(number).ok())
        };
        let parse = || {
            let (front, function) = text.rsplit_once('.')?;
            let (front, device) = front.rsplit_once(':')?;
            let (domain, bus) = front.rsplit_once(':').unwrap_or(("0000", front));
            Some(Self {
                domain: number(domain, 4..=8, u32::MAX)?,
                bus: byte(bus, 2, 0xff)?,
                device: byte(device, 2, 0x1f)?,
                function: byte(function, 1, 7)?,
            })
        };
        parse().ok_or_else(|| AddressError(text.to_owned()))
    }
}

/// The numbers by which a function says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Vendor.
    pub vendor: u16,
    /// Device.
    pub device: u16,
    /// Subsystem vendor.
    pub subsystem_vendor: u16,
    /// Subsystem.
    pub subsystem: u16,
    /// Revision.
    pub revision: u8,
}

impl Numbers {
    /// Those of a Writ card that this host understands.
    pub const WRIT: Self = Self {
        vendor: pci::VENDOR,
        device: pci::DEVICE,
        subsystem_vendor: pci::SUBSYSTEM_VENDOR,
        subsystem: pci::SUBSYSTEM,
        revision: pci::REVISION,
    };

    /// Whether this is a Writ card, of whatever revision.
    pub fn is_writ(&self) -> bool {
        Self { revision: pci::REVISION, ..*self } == Self::WRIT
    }

    /// Whether it is a card with the same hard block, whatever it was made into.
    pub fn is_same_hardware(&self) -> bool {
        (self.vendor, self.device) == (pci::VENDOR, pci::DEVICE)
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vendor, device, subsystem_vendor, subsystem, revision } = self;
        write!(f, "{vendor:04x}:{device:04x}, subsystem {subsystem_vendor:04x}:{subsystem:04x}, revision {revision}")
    }
}

/// A network interface that a function's driver has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it was taken up.
    pub is_up: bool,
}

/// What an IOMMU cannot keep apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub number: u32,
    /// The functions in it, the one that was asked about too.
    pub members: Vec<PciAddress>,
    /// There is no IOMMU behind it: the kernel was told to do without.
    pub is_without_iommu: bool,
}

/// A function on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Where it is.
    pub address: PciAddress,
    /// What it says it is.
    pub numbers: Numbers,
    /// Class code, 24 bits.
    pub class: u32,
    /// The kernel's driver that has it.
    pub driver: Option<String>,
    /// Its IOMMU group; `None`: there is no IOMMU, or it is off.
    pub group: Option<Group>,
    /// Its network interfaces.
    pub interfaces: Vec<Interface>,
}

impl Function {
    /// Whether it is a bridge, which groups may hold besides the card.
    pub fn is_bridge(&self) -> bool {
        self.class >> 16 == CLASS_BRIDGE
    }

    /// Whether a process can have it.
    pub fn is_with_vfio(&self) -> bool {
        self.driver.as_deref() == Some(VFIO_DRIVER)
    }
}

/// Why nothing can be said of a function.
#[derive(Debug)]
pub enum SysfsError {
    /// There is none at that address.
    NoDevice(PciAddress),
    /// One of the kernel's files cannot be read.
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the kernel's files holds something else than it should.
    Content {
        /// Which.
        path: PathBuf,
        /// What.
        found: String,
    },
}

impl fmt::Display for SysfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDevice(address) => write!(
                f,
                "there is no PCI function at {address}: `writ card list` shows the cards of this machine; if one was just put in, \
                 `echo 1 > /sys/bus/pci/rescan` as root"
            ),
            Self::Read { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Content { path, found } => {
                write!(f, "{} holds {found:?}, which is not what this kernel file should hold", path.display())
            }
        }
    }
}

impl std::error::Error for SysfsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The kernel's files: those of a running system, or a tree in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysfs {
    sys: PathBuf,
    dev: PathBuf,
}

impl Default for Sysfs {
    /// `/sys` and `/dev`.
    fn default() -> Self {
        Self::at("/sys", "/dev")
    }
}

impl Sysfs {
    /// Files below other folders than `/sys` and `/dev`.
    pub fn at(sys: impl Into<PathBuf>, dev: impl Into<PathBuf>) -> Self {
        Self { sys: sys.into(), dev: dev.into() }
    }

    /// The folder of a function.
    pub fn device_path(&self, address: PciAddress) -> PathBuf {
        self.sys.join("bus/pci/devices").join(address.to_string())
    }

    /// The folder of a driver for PCI functions. It is there as long as the driver is loaded.
    pub fn driver_path(&self, driver: &str) -> PathBuf {
        self.sys.join("bus/pci/drivers").join(driver)
    }

    /// The file that has the kernel look for a driver for a function.
    pub fn probe_path(&self) -> PathBuf {
        self.sys.join("bus/pci/drivers_probe")
    }

    /// The file that stands for all of VFIO.
    pub fn container_node(&self) -> PathBuf {
        self.dev.join("vfio/vfio")
    }

    /// The file that stands for a group. Whoever has it open has the group.
    pub fn group_node(&self, group: u32) -> PathBuf {
        self.dev.join("vfio").join(group.to_string())
    }

    /// What is known of a function.
    ///
    /// # Errors
    /// [`SysfsError`].
    pub fn function(&self, address: PciAddress) -> Result<Function, SysfsError> {
        let path = self.device_path(address);
        if !path.exists() {
            return Err(SysfsError::NoDevice(address));
        }
        let half = |name: &str| Ok(number(&path.join(name), u32::from(u16::MAX))? as u16);
        let numbers = Numbers {
            vendor: half("vendor")?,
            device: half("device")?,
            subsystem_vendor: half("subsystem_vendor")?,
            subsystem: half("subsystem_device")?,
            revision: number(&path.join("revision"), u32::from(u8::MAX))? as u8,
        };
        Ok(Function {
            address,
            numbers,
            class: number(&path.join("class"), 0xff_ffff)?,
            driver: link_name(&path.join("driver"))?,
            group: self.group(&path)?,
            interfaces: interfaces(&path.join("net"))?,
        })
    }

    /// The addresses of all functions, in order.
    ///
    /// # Errors
    /// [`SysfsError::Read`] if the bus cannot be listed.
    pub fn addresses(&self) -> Result<Vec<PciAddress>, SysfsError> {
        addresses(&self.sys.join("bus/pci/devices"))
    }

    /// All functions with the hardware of a Writ card, in order of their addresses.
    ///
    /// # Errors
    /// [`SysfsError`].
    pub fn cards(&self) -> Result<Vec<Function>, SysfsError> {
        let mut cards = Vec::new();
        for address in self.addresses()? {
            match self.function(address) {
                Ok(function) if function.numbers.is_same_hardware() => cards.push(function),
                // It was taken out meanwhile.
                Ok(_) | Err(SysfsError::NoDevice(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(cards)
    }

    fn group(&self, device: &Path) -> Result<Option<Group>, SysfsError> {
        let path = device.join("iommu_group");
        let Some(name) = link_name(&path)? else { return Ok(None) };
        let number: u32 = name.parse().map_err(|_| SysfsError::Content { path: path.clone(), found: name })?;
        // Only groups that VFIO made without an IOMMU have a name.
        let name = fs::read_to_string(path.join("name")).unwrap_or_default();
        let is_without_iommu = name.trim() == "vfio-noiommu";
        Ok(Some(Group { number, members: addresses(&path.join("devices"))?, is_without_iommu }))
    }
}

/// The last part of what a link points to; `None`: there is no such link.
fn link_name(path: &Path) -> Result<Option<String>, SysfsError> {
    match fs::read_link(path) {
        Ok(target) => Ok(target.file_name().map(|name| name.to_string_lossy().into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SysfsError::Read { path: path.to_path_buf(), source }),
    }
}

/// A file with one number, `0x` and hexadecimal digits.
fn number(path: &Path, most: u32) -> Result<u32, SysfsError> {
    let text = fs::read_to_string(path).map_err(|source| SysfsError::Read { path: path.to_path_buf(), source })?;
    let number = text.trim().strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let found = || text.trim().chars().take(40).collect();
    number
        .filter(|number| *number <= most)
        .ok_or_else(|| SysfsError::Content { path: path.to_path_buf(), found: found() })
}

/// Names in a folder; none if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, SysfsError> {
    let read = |source| SysfsError::Read { path: folder.to_path_buf(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(read)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(read)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn addresses(folder: &Path) -> Result<Vec<PciAddress>, SysfsError> {
    // Groups may hold what is on no PCI bus; such a thing shares nothing with a card.
    let mut found: Vec<PciAddress> = names(folder)?.iter().filter_map(|name| name.parse().ok()).collect();
    found.sort_unstable();
    Ok(found)
}

fn interfaces(folder: &Path) -> Result<Vec<Interface>, SysfsError> {
    let interface = |name: String| {
        let flags = number(&folder.join(&name).join("flags"), u32::MAX)?;
        Ok(Interface { name, is_up: flags & IFF_UP != 0 })
    };
    names(folder)?.into_iter().map(interface).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A made-up tree with one Writ card at `0000:3b:00.0`, in group 7 with a bridge.
    pub(crate) struct Tree(PathBuf);

    impl Tree {
        pub(crate) const CARD: &str = "0000:3b:00.0";

        pub(crate) fn new() -> Self {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let tree = Self(std::env::temp_dir().join(format!("writ-sysfs-{}-{number}", std::process::id())));
            let (vendor, subsystem) = (format!("{:#06x}", pci::VENDOR), format!("{:#06x}", pci::SUBSYSTEM));
            for (name, text) in [
                ("vendor", vendor.clone()),
                ("device", format!("{:#06x}", pci::DEVICE)),
                ("subsystem_vendor", vendor),
                ("subsystem_device", subsystem),
                ("revision", format!("{:#04x}", pci::REVISION)),
                ("class", format!("{:#08x}", pci::CLASS)),
            ] {
                tree.write(&format!("sys/bus/pci/devices/{}/{name}", Self::CARD), &format!("{text}\n"));
                let bridge = if name == "class" { "0x060400" } else { "0x01" };
                tree.write(&format!("sys/bus/pci/devices/0000:3a:00.0/{name}"), bridge);
            }
            for address in [Self::CARD, "0000:3a:00.0"] {
                tree.write(&format!("sys/kernel/iommu_groups/7/devices/{address}/at"), "");
                tree.link(&format!("sys/bus/pci/devices/{address}/iommu_group"), "sys/kernel/iommu_groups/7");
            }
            tree.write("sys/bus/pci/drivers/vfio-pci/bind", "");
            tree.link(&format!("sys/bus/pci/devices/{}/driver", Self::CARD), "sys/bus/pci/drivers/vfio-pci");
            for node in ["vfio", "7"] {
                tree.write(&format!("dev/vfio/{node}"), "");
            }
            tree
        }

        pub(crate) fn sysfs(&self) -> Sysfs {
            Sysfs::at(self.0.join("sys"), self.0.join("dev"))
        }

        pub(crate) fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, text).expect("written");
        }

        pub(crate) fn write_card(&self, name: &str, text: &str) {
            self.write(&format!("sys/bus/pci/devices/{}/{name}", Self::CARD), text);
        }

        pub(crate) fn link(&self, at: &str, to: &str) {
            let _ = fs::remove_file(self.0.join(at));
            symlink(self.0.join(to), self.0.join(at)).expect("linked");
        }

        pub(crate) fn remove(&self, path: &str) {
            fs::remove_file(self.0.join(path)).expect("was there");
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn addresses_are_read_and_printed() {
        for text in ["0000:3b:00.0", "10000:00:1f.7", "ffff:ff:00.1"] {
            assert_eq!(text.parse::<PciAddress>().expect(text).to_string(), text);
        }
        assert_eq!("3B:00.0".parse::<PciAddress>().expect("short").to_string(), "0000:3b:00.0");
        for text in [
            "",
            "3b",
            "3b:00",
            ":3b:00.0",
            "0000:3b:00.8",
            "0000:3b:20.0",
            "0000:3b:0.0",
            "000:3b:00.0",
            "0000:3b:00.0 ",
            "+000:3b:00.0",
            "0000:3b:00.00",
            "0000:0000:3b:00.0",
            "../3b:00.0",
            "0000:3g:00.0",
        ] {
            let error = text.parse::<PciAddress>().expect_err(text).to_string();
            assert!(error.contains("lspci -D"), "{error}");
        }
    }

    #[test]
    fn a_card_is_found_with_all_that_belongs_to_it() {
        let tree = Tree::new();
        tree.write_card("net/eth7/flags", "0x1003\n");
        tree.write_card("net/eth8/flags", "0x1002\n");
        let cards = tree.sysfs().cards().expect("a good tree");
        let [card] = &cards[..] else { panic!("{cards:?}") };
        assert_eq!(card.address.to_string(), Tree::CARD);
        assert_eq!((card.numbers, card.class), (Numbers::WRIT, pci::CLASS));
        assert!(card.numbers.is_writ() && card.is_with_vfio() && !card.is_bridge());
        let group = card.group.as_ref().expect("it has one");
        assert_eq!((group.number, group.members.len(), group.is_without_iommu), (7, 2, false));
        let up: Vec<_> = card.interfaces.iter().map(|each| (each.name.as_str(), each.is_up)).collect();
        assert_eq!(up, [("eth7", true), ("eth8", false)]);
        let bridge = tree.sysfs().function(group.members[0]).expect("there");
        assert!(bridge.is_bridge() && bridge.driver.is_none());
    }

    #[test]
    fn files_that_hold_nonsense_are_named() {
        let tree = Tree::new();
        let address = Tree::CARD.parse().expect("an address");
        for text in ["", "10ee", "0x", "0x12345", "0xzz"] {
            tree.write_card("vendor", text);
            let error = tree.sysfs().function(address).expect_err(text).to_string();
            assert!(error.contains("/vendor") && error.contains("holds"), "{error}");
        }
        tree.remove(&format!("sys/bus/pci/devices/{}/vendor", Tree::CARD));
        assert!(matches!(tree.sysfs().function(address), Err(SysfsError::Read { .. })));
        let gone = "0000:ff:00.0".parse().expect("an address");
        let error = tree.sysfs().function(gone).expect_err("nothing there").to_string();
        assert!(error.contains("0000:ff:00.0") && error.contains("writ card list"), "{error}");
        let empty = Sysfs::at("/nonexistent", "/nonexistent");
        assert_eq!(empty.cards().expect("a machine without PCI"), []);
    }
}
