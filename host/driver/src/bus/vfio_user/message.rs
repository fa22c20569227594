//! Messages of the vfio-user protocol, as far as a driver needs them. [libvfio-user, docs/vfio-user.rst, protocol version 0.1]

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Largest message that this side takes.
pub(super) const MESSAGE_BYTES_MAX: usize = 1 << 16;

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Command {
    Version = 1,
    DmaMap = 2,
    DmaUnmap = 3,
    DeviceInfo = 4,
    RegionInfo = 5,
    IrqInfo = 7,
    SetIrqs = 8,
    RegionRead = 9,
    RegionWrite = 10,
    DeviceReset = 13,
}

/// In [`Header::flags`].
pub(super) mod flags {
    /// An answer. Otherwise a request.
    pub(in super::super) const REPLY: u32 = 1;
    /// Both kinds of message.
    pub(in super::super) const TYPE_MASK: u32 = 0xf;
    /// No answer is wanted.
    pub(in super::super) const NO_REPLY: u32 = 1 << 4;
    /// The request failed: see [`super::Header::error`].
    pub(in super::super) const ERROR: u32 = 1 << 5;
}

/// What every message begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    /// Chosen by who asks; comes back with the answer.
    pub(super) id: U16,
    pub(super) command: U16,
    /// Bytes of the whole message.
    pub(super) bytes: U32,
    pub(super) flags: U32,
    /// An errno, with [`flags::ERROR`].
    pub(super) error: U32,
}

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 16;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Version {
    pub(super) major: U16,
    pub(super) minor: U16,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DmaMap {
    pub(super) argument_bytes: U32,
    /// 1: the device may read, 2: it may write.
    pub(super) flags: U32,
    pub(super) offset: U64,
    pub(super) bus_address: U64,
    pub(super) bytes: U64,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DmaUnmap {
    pub(super) argument_bytes: U32,
    pub(super) flags: U32,
    pub(super) bus_address: U64,
    pub(super) bytes: U64,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DeviceInfo {
    pub(super) argument_bytes: U32,
    /// 1: can be reset, 2: a PCI function.
    pub(super) flags: U32,
    pub(super) regions: U32,
    pub(super) irqs: U32,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct RegionInfo {
    pub(super) argument_bytes: U32,
    /// 1: readable, 2: writable.
    pub(super) flags: U32,
    pub(super) index: U32,
    pub(super) capability_offset: U32,
    pub(super) bytes: U64,
    pub(super) offset: U64,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct IrqInfo {
    pub(super) argument_bytes: U32,
    /// 1: signals an eventfd.
    pub(super) flags: U32,
    pub(super) index: U32,
    pub(super) count: U32,
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SetIrqs {
    pub(super) argument_bytes: U32,
    pub(super) flags: U32,
    pub(super) index: U32,
    pub(super) start: U32,
    pub(super) count: U32,
}

/// The data is an eventfd, and what is set is what happens on an interrupt.
pub(super) const SET_IRQS_EVENTFD_TRIGGER: u32 = 1 << 2 | 1 << 5;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct RegionAccess {
    pub(super) offset: U64,
    pub(super) region: U32,
    pub(super) count: U32,
}

/// Numbers of regions and interrupts of a PCI function, as in Linux's `vfio.h`.
pub(super) mod pci {
    /// Region: BAR 0.
    pub(in super::super) const BAR_0: u32 = 0;
    /// Region: configuration space.
    pub(in super::super) const CONFIG: u32 = 7;
    /// Interrupts: MSI-X.
    pub(in super::super) const MSIX: u32 = 2;
}

const _: () = assert!(size_of::<Header>() == HEADER_BYTES && size_of::<DmaMap>() == 32);
const _: () = assert!(size_of::<RegionInfo>() == 32 && size_of::<SetIrqs>() == 20 && size_of::<RegionAccess>() == 16);
