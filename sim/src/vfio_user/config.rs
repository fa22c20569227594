//! PCI configuration space of the card, as the hard block has it.

use writ_abi::pci;

/// Bytes of a PCI Express function's configuration space. Behind the first 256 there is nothing.
pub(super) const CONFIG_BYTES: usize = 4096;
/// Bytes that hold something.
const USED_BYTES: usize = 256;

const COMMAND_AT: usize = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_BUS_MASTER: u16 = 1 << 2;
const COMMAND_INTX_OFF: u16 = 1 << 10;
const BAR_0_AT: usize = 0x10;
const EXPRESS_AT: usize = 0x40;
const DEVICE_CONTROL_AT: usize = EXPRESS_AT + 8;
const MSIX_AT: usize = 0x80;
const MSIX_CONTROL_AT: usize = MSIX_AT + 2;
/// A 64-bit memory BAR, not prefetchable.
const BAR_KIND: u32 = 0b0100;
/// In the device capabilities: the function can be reset by itself.
const CAN_RESET: u32 = 1 << 28;
/// In the device control register: reset the function.
const RESET: u16 = 1 << 15;

/// What a write asks for besides storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Bus master or memory space changed.
    Command,
    /// Function-level reset.
    Reset,
}

pub(super) struct ConfigSpace {
    bytes: [u8; USED_BYTES],
    /// Bits that take what is written.
    writable: [u8; USED_BYTES],
}

impl ConfigSpace {
    /// As after a reset: no memory space, no bus master, no interrupts.
    pub(super) fn new() -> Self {
        let mut space = Self { bytes: [0; USED_BYTES], writable: [0; USED_BYTES] };
        space.set(0x00, &pci::VENDOR.to_le_bytes());
        space.set(0x02, &pci::DEVICE.to_le_bytes());
        space.allow(COMMAND_AT, &(COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_INTX_OFF).to_le_bytes());
        // There is a list of capabilities.
        space.set(0x06, &(1_u16 << 4).to_le_bytes());
        space.set(0x08, &(pci::CLASS << 8 | u32::from(pci::REVISION)).to_le_bytes());
        space.set(BAR_0_AT, &BAR_KIND.to_le_bytes());
        // A host that writes all ones reads the size.
        space.allow(BAR_0_AT, &(!(pci::BAR_0_BYTES - 1)).to_le_bytes());
        space.allow(BAR_0_AT + 4, &u32::MAX.to_le_bytes());
        space.set(0x2c, &pci::SUBSYSTEM_VENDOR.to_le_bytes());
        space.set(0x2e, &pci::SUBSYSTEM.to_le_bytes());
        space.set(0x34, &[EXPRESS_AT as u8]);
        // PCI Express, version 2, an endpoint.
        space.set(EXPRESS_AT, &[0x10, MSIX_AT as u8, 0x02, 0x00]);
        space.set(EXPRESS_AT + 4, &CAN_RESET.to_le_bytes());
        space.allow(DEVICE_CONTROL_AT, &0x7fff_u16.to_le_bytes());
        space.set(MSIX_AT, &[0x11, 0x00]);
        space.set(MSIX_CONTROL_AT, &(pci::VECTORS - 1).to_le_bytes());
        space.allow(MSIX_CONTROL_AT, &0xc000_u16.to_le_bytes());
        // Both stand in BAR 0.
        space.set(MSIX_AT + 4, &pci::MSIX_TABLE_AT.to_le_bytes());
        space.set(MSIX_AT + 8, &pci::MSIX_PENDING_AT.to_le_bytes());
        space
    }

    fn set(&mut self, at: usize, value: &[u8]) {
        self.bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn allow(&mut self, at: usize, mask: &[u8]) {
        self.writable[at..at + mask.len()].copy_from_slice(mask);
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// The function may use the bus.
    pub(super) fn is_bus_master(&self) -> bool {
        self.half(COMMAND_AT) & COMMAND_BUS_MASTER != 0
    }

    /// BAR 0 answers.
    pub(super) fn has_memory_space(&self) -> bool {
        self.half(COMMAND_AT) & COMMAND_MEMORY != 0
    }

    /// Reads; what nothing stands behind is 0.
    pub(super) fn read(&self, at: usize, data: &mut [u8]) {
        for (i, byte) in data.iter_mut().enumerate() {
            *byte = self.bytes.get(at + i).copied().unwrap_or(0);
        }
    }

    /// Writes the bits that can be written.
    pub(super) fn write(&mut self, at: usize, data: &[u8]) -> Effect {
        let before = self.half(COMMAND_AT);
        let mut reset = false;
        for (at, new) in (at..).zip(data) {
            let (Some(byte), Some(mask)) = (self.bytes.get_mut(at), self.writable.get(at)) else { continue };
            *byte = *byte & !mask | new & mask;
            reset |= at == DEVICE_CONTROL_AT + 1 && *new & (RESET >> 8) as u8 != 0;
        }
        match (reset, (before ^ self.half(COMMAND_AT)) & (COMMAND_MEMORY | COMMAND_BUS_MASTER) != 0) {
            (true, _) => Effect::Reset,
            (false, true) => Effect::Command,
            (false, false) => Effect::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(space: &ConfigSpace, at: usize) -> u32 {
        let mut bytes = [0; 4];
        space.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn a_host_that_enumerates_finds_its_way() {
        let mut space = ConfigSpace::new();
        assert_eq!(word(&space, 0), u32::from(pci::DEVICE) << 16 | u32::from(pci::VENDOR));
        assert_eq!(word(&space, 8) >> 8, pci::CLASS);
        // Header type 0, one function.
        assert_eq!(word(&space, 0x0c), 0);
        assert_eq!(space.write(BAR_0_AT, &[0xff; 8]), Effect::None);
        let size = !u64::from(word(&space, BAR_0_AT) & !0xf) & 0xffff_ffff;
        assert_eq!((size + 1, word(&space, BAR_0_AT + 4)), (u64::from(pci::BAR_0_BYTES), u32::MAX));
        let (mut at, mut found) = (word(&space, 0x34) as usize & 0xff, Vec::new());
        while at != 0 {
            found.push(word(&space, at) & 0xff);
            at = word(&space, at) as usize >> 8 & 0xff;
        }
        assert_eq!(found, [0x10, 0x11]);
        assert_eq!(word(&space, MSIX_AT) >> 16 & 0x7ff, u32::from(pci::VECTORS) - 1);
        assert_eq!(word(&space, 0x800), 0, "no extended capability");
    }

    #[test]
    fn only_what_can_be_written_is() {
        let mut space = ConfigSpace::new();
        assert_eq!(space.write(0, &[0; 4]), Effect::None);
        assert_eq!(word(&space, 0) as u16, pci::VENDOR);
        assert!(!space.is_bus_master() && !space.has_memory_space());
        assert_eq!(space.write(COMMAND_AT, &[0xff, 0xff]), Effect::Command);
        assert!(space.is_bus_master() && space.has_memory_space());
        assert_eq!(word(&space, COMMAND_AT) as u16, COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_INTX_OFF);
        assert_eq!(space.write(COMMAND_AT, &[0x06, 0x04]), Effect::None, "nothing new");
        assert_eq!(space.write(COMMAND_AT, &[0x02]), Effect::Command);
        assert!(!space.is_bus_master());
        assert_eq!(space.write(DEVICE_CONTROL_AT, &[0x10, 0x00]), Effect::None);
        assert_eq!(space.write(DEVICE_CONTROL_AT, &[0x10, 0x80]), Effect::Reset);
        assert_eq!(word(&space, DEVICE_CONTROL_AT) >> 15 & 1, 0, "reads as 0");
        // Over the end of what there is.
        assert_eq!(space.write(254, &[0xff; 8]), Effect::None);
        assert_eq!(word(&space, 254), 0);
    }
}
