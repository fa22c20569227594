//! The cards of this machine.

use crate::table::Table;
use crate::{exit, print};
use serde::Serialize;
use writ_driver::bus::sysfs::{Function, Numbers, Sysfs};

/// A card, as programs read it.
#[derive(Serialize)]
struct Card {
    address: String,
    is_writ: bool,
    /// ABI of the card; that of another design means nothing.
    abi_major: u8,
    numbers: String,
    driver: Option<String>,
    iommu_group: Option<u32>,
    /// What else is in that group.
    shares_with: Vec<String>,
    interfaces_up: Vec<String>,
    /// Whether writ-cardd can have it.
    ready: bool,
    /// What to do next.
    next: String,
}

impl Card {
    fn new(sysfs: &Sysfs, function: &Function) -> Self {
        let group = function.group.as_ref().filter(|group| !group.is_without_iommu);
        let others = group.into_iter().flat_map(|group| &group.members).filter(|member| **member != function.address);
        let next = next(sysfs, function, group.is_some());
        Self {
            address: function.address.to_string(),
            is_writ: function.numbers.is_writ(),
            abi_major: function.numbers.revision,
            numbers: function.numbers.to_string(),
            driver: function.driver.clone(),
            iommu_group: group.map(|group| group.number),
            shares_with: others.map(ToString::to_string).collect(),
            interfaces_up: function.interfaces.iter().filter(|each| each.is_up).map(|each| each.name.clone()).collect(),
            ready: next.is_none(),
            next: next.unwrap_or_else(|| format!("ready: writ card selftest --device {}", function.address)),
        }
    }
}

/// What the card needs before it can be used; `None`: nothing.
fn next(sysfs: &Sysfs, function: &Function, has_group: bool) -> Option<String> {
    let Function { address, numbers, .. } = function;
    if !numbers.is_writ() {
        Some("another design: load Writ's gateware".to_owned())
    } else if numbers.revision != Numbers::WRIT.revision {
        Some(format!("this host speaks ABI {}: install gateware and host of the same release", Numbers::WRIT.revision))
    } else if !has_group {
        Some("switch the IOMMU on: intel_iommu=on or amd_iommu=on".to_owned())
    } else if !function.is_with_vfio() {
        Some(format!("writ card bind {address}"))
    } else if !sysfs.container_node().exists() {
        Some("modprobe vfio-pci".to_owned())
    } else {
        None
    }
}

/// Prints them and gives the exit status.
pub(super) fn print(sysfs: &Sysfs, cards: &[Function], json: bool, out: &mut Vec<u8>) -> u8 {
    let cards: Vec<Card> = cards.iter().map(|card| Card::new(sysfs, card)).collect();
    if json {
        print::json("answer", &serde_json::json!({"is": "card_list", "cards": cards}), out);
        return exit::DONE;
    }
    let mut table = Table::new(&["address", "card", "driver", "#group", "shares with", "interfaces up", "next"]);
    for card in &cards {
        let what = if card.is_writ { format!("Writ, ABI {}", card.abi_major) } else { card.numbers.clone() };
        let list = |names: &[String]| if names.is_empty() { "-".to_owned() } else { names.join(" ") };
        table.row([
            card.address.clone(),
            what,
            card.driver.clone().unwrap_or_else(|| "-".to_owned()),
            card.iommu_group.map_or("-".to_owned(), |group| group.to_string()),
            list(&card.shares_with),
            list(&card.interfaces_up),
            card.next.clone(),
        ]);
    }
    table.print(out);
    if cards.is_empty() {
        let Numbers { vendor, device, .. } = Numbers::WRIT;
        eprintln!(
            "writ: no card in this machine: none of its PCI functions is {vendor:04x}:{device:04x} (lspci -d {vendor:04x}:); \
             a card whose gateware was just loaded shows after `echo 1 > /sys/bus/pci/rescan` as root"
        );
    }
    exit::DONE
}
