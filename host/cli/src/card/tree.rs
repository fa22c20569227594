//! A made-up machine for tests: the kernel's files of a Writ card at [`CARD`], in IOMMU group 7, in the hands of the driver `xdma`.
#![allow(dead_code, reason = "two test programs use different parts")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use writ_driver::bus::sysfs::{Numbers, Sysfs};

/// Where the card is.
pub(crate) const CARD: &str = "0000:3b:00.0";

/// The folder; it goes when this is dropped.
pub(crate) struct Tree(PathBuf);

impl Tree {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let tree = Self(std::env::temp_dir().join(format!("writ-cli-sysfs-{}-{number}", std::process::id())));
        for driver in ["vfio-pci", "xdma"] {
            for file in ["bind", "unbind"] {
                tree.write(&format!("sys/bus/pci/drivers/{driver}/{file}"), "");
            }
        }
        tree.write("sys/bus/pci/drivers_probe", "");
        tree.write("dev/vfio/vfio", "");
        tree.write("dev/vfio/7", "");
        tree.add_function(CARD, "0x028000", Some("xdma"), 7);
        for (name, number) in [
            ("vendor", Numbers::WRIT.vendor),
            ("device", Numbers::WRIT.device),
            ("subsystem_vendor", Numbers::WRIT.subsystem_vendor),
            ("subsystem_device", Numbers::WRIT.subsystem),
        ] {
            tree.write(&format!("{}/{name}", Self::device(CARD)), &format!("{number:#06x}\n"));
        }
        tree.write(&format!("{}/revision", Self::device(CARD)), &format!("{:#04x}\n", Numbers::WRIT.revision));
        tree
    }

    /// Another function, of another vendor.
    pub(crate) fn add_function(&self, address: &str, class: &str, driver: Option<&str>, group: u32) {
        let device = Self::device(address);
        for name in ["vendor", "device", "subsystem_vendor", "subsystem_device"] {
            self.write(&format!("{device}/{name}"), "0x8086\n");
        }
        self.write(&format!("{device}/revision"), "0x01\n");
        self.write(&format!("{device}/class"), &format!("{class}\n"));
        self.write(&format!("{device}/driver_override"), "(null)\n");
        self.write(&format!("sys/kernel/iommu_groups/{group}/devices/{address}/at"), "");
        self.link(&format!("{device}/iommu_group"), &format!("sys/kernel/iommu_groups/{group}"));
        self.set_driver(address, driver);
    }

    /// The folder of a function, from the tree's root.
    pub(crate) fn device(address: &str) -> String {
        format!("sys/bus/pci/devices/{address}")
    }

    pub(crate) fn sys(&self) -> PathBuf {
        self.0.join("sys")
    }

    pub(crate) fn dev(&self) -> PathBuf {
        self.0.join("dev")
    }

    pub(crate) fn sysfs(&self) -> Sysfs {
        Sysfs::at(self.sys(), self.dev())
    }

    pub(crate) fn driver(&self, address: &str) -> Option<String> {
        let link = fs::read_link(self.0.join(Self::device(address)).join("driver")).ok()?;
        Some(link.file_name()?.to_string_lossy().into_owned())
    }

    pub(crate) fn set_driver(&self, address: &str, driver: Option<&str>) {
        let at = format!("{}/driver", Self::device(address));
        match driver {
            Some(driver) => self.link(&at, &format!("sys/bus/pci/drivers/{driver}")),
            None => drop(fs::remove_file(self.0.join(at))),
        }
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("there")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("made");
        fs::write(path, text).expect("written");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).expect("was there");
    }

    pub(crate) fn remove_folder(&self, path: &str) {
        fs::remove_dir_all(self.0.join(path)).expect("was there");
    }

    fn link(&self, at: &str, to: &str) {
        let _ = fs::remove_file(self.0.join(at));
        symlink(self.0.join(to), self.0.join(at)).expect("linked");
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
