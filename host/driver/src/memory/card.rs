//! Memory shared between host and card, as the card sees it.

use super::Line;
use super::pages::Pages;
use std::fs::File;
use std::io;
use std::sync::Arc;
use writ_abi::limits::LINE_BYTES;

/// Windows start and end at multiples of this.
const WINDOW_ALIGN_BYTES: u64 = 4096;

/// What a card sees of hosts' memory: windows of its bus addresses behind which there is some. A value that never changes: whoever maps
/// or unmaps makes another one and gives it to the card.
#[derive(Debug, Clone, Default)]
pub struct CardMemory {
    /// By rising bus address, none over another.
    windows: Arc<[Window]>,
}

#[derive(Debug, Clone)]
struct Window {
    bus_base: u64,
    access: Access,
    pages: Arc<Pages>,
}

impl Window {
    fn bytes(&self) -> u64 {
        self.pages.len() as u64
    }

    /// First bus address behind it.
    fn end(&self) -> u64 {
        self.bus_base.saturating_add(self.bytes())
    }
}

/// What a card may do in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Read lines.
    pub read: bool,
    /// Write lines.
    pub write: bool,
}

impl Access {
    /// Both.
    pub const ALL: Self = Self { read: true, write: true };
}

/// The card named an address that is none of its memory. The card, or whoever set its rings up, is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFault {
    /// The address.
    pub bus_address: u64,
}

impl std::fmt::Display for MemoryFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "card reached for bus address {:#x}, which is not a line of its memory", self.bus_address)
    }
}

impl std::error::Error for MemoryFault {}

/// Why a window could not be opened or closed. Whoever asked for it is at fault, apart from `Io`; nothing has changed.
#[derive(Debug)]
pub enum WindowError {
    /// Address, offset or size is no multiple of 4096 bytes, the size is 0, or the end is beyond the last address.
    Bounds {
        /// First bus address.
        bus_base: u64,
        /// Bytes.
        bytes: u64,
    },
    /// Another window is there.
    Overlap {
        /// First bus address of the other one.
        bus_base: u64,
    },
    /// There are as many windows as there can be.
    Many,
    /// The file ends before the window does.
    Short {
        /// Bytes of the file.
        file_bytes: u64,
        /// Bytes that it has to have.
        wanted_bytes: u64,
    },
    /// Part of a window is to be closed, or what is no window.
    NotOpen {
        /// First bus address.
        bus_base: u64,
        /// Bytes.
        bytes: u64,
    },
    /// The operating system refused.
    Io(io::Error),
}

impl std::fmt::Display for WindowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bounds { bus_base, bytes } => {
                write!(
                    f,
                    "window of {bytes:#x} bytes at bus address {bus_base:#x}: whole pages of 4096 bytes are wanted"
                )
            }
            Self::Overlap { bus_base } => write!(f, "there is a window at bus address {bus_base:#x} already"),
            Self::Many => write!(f, "there are {} windows already", CardMemory::WINDOWS_MAX),
            Self::Short { file_bytes, wanted_bytes } => {
                write!(f, "the file has {file_bytes} bytes, the window reaches to byte {wanted_bytes}")
            }
            Self::NotOpen { bus_base, bytes } => {
                write!(f, "no window of exactly {bytes:#x} bytes at bus address {bus_base:#x}")
            }
            Self::Io(source) => write!(f, "window: {source}"),
        }
    }
}

impl std::error::Error for WindowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl CardMemory {
    /// Most windows.
    pub const WINDOWS_MAX: usize = 256;

    /// No memory at all: whatever the card reaches for is a fault.
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn of_pages(bus_base: u64, pages: Arc<Pages>) -> Self {
        Self { windows: Arc::from([Window { bus_base, access: Access::ALL, pages }]) }
    }

    /// The same with one more window: `bytes` bytes of `file` from byte `offset` on. The file has to keep its size for as long as any clone
    /// of the result lives: if it becomes shorter, the next access there ends this process.
    ///
    /// # Errors
    /// [`WindowError`].
    pub fn with_file(
        &self,
        bus_base: u64,
        file: &File,
        offset: u64,
        bytes: u64,
        access: Access,
    ) -> Result<Self, WindowError> {
        let bounds = WindowError::Bounds { bus_base, bytes };
        let aligned = [bus_base, offset, bytes].iter().all(|number| number.is_multiple_of(WINDOW_ALIGN_BYTES));
        let (Some(end), Some(wanted_bytes)) = (bus_base.checked_add(bytes), offset.checked_add(bytes)) else {
            return Err(bounds);
        };
        let Ok(length) = usize::try_from(bytes) else { return Err(bounds) };
        if !aligned || bytes == 0 {
            return Err(bounds);
        }
        if self.windows.len() >= Self::WINDOWS_MAX {
            return Err(WindowError::Many);
        }
        if let Some(other) = self.windows.iter().find(|other| other.bus_base < end && bus_base < other.end()) {
            return Err(WindowError::Overlap { bus_base: other.bus_base });
        }
        let file_bytes = file.metadata().map_err(WindowError::Io)?.len();
        if file_bytes < wanted_bytes {
            return Err(WindowError::Short { file_bytes, wanted_bytes });
        }
        let pages = Arc::new(Pages::of_file(file, offset, length).map_err(WindowError::Io)?);
        let mut windows = self.windows.to_vec();
        windows.push(Window { bus_base, access, pages });
        windows.sort_by_key(|window| window.bus_base);
        Ok(Self { windows: windows.into() })
    }

    /// The same without the windows between the two addresses.
    ///
    /// # Errors
    /// [`WindowError::NotOpen`] if there is none, or if one of them is only partly between them.
    pub fn without(&self, bus_base: u64, bytes: u64) -> Result<Self, WindowError> {
        let not_open = WindowError::NotOpen { bus_base, bytes };
        let Some(end) = bus_base.checked_add(bytes) else { return Err(not_open) };
        let touched = |window: &&Window| window.bus_base < end && bus_base < window.end();
        let whole = |window: &Window| bus_base <= window.bus_base && window.end() <= end;
        if !self.windows.iter().any(|window| touched(&window)) || !self.windows.iter().filter(touched).all(whole) {
            return Err(not_open);
        }
        Ok(Self { windows: self.windows.iter().filter(|window| !touched(window)).cloned().collect() })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`MemoryFault`] if the address is misaligned or outside, or the card may not read there.
    pub fn read_line(&self, bus_address: u64) -> Result<Line, MemoryFault> {
        let (pages, offset) = self.find(bus_address, |access| access.read)?;
        Ok(pages.load_line(offset))
    }

    /// Writes a line, its first word last and with release order: who loads that word with acquire order sees everything
    /// that was written before.
    ///
    /// # Errors
    /// [`MemoryFault`] if the address is misaligned or outside, or the card may not write there; nothing is written then.
    pub fn write_line(&self, bus_address: u64, line: &Line) -> Result<(), MemoryFault> {
        let (pages, offset) = self.find(bus_address, |access| access.write)?;
        pages.store_line(offset, line);
        Ok(())
    }

    /// First bus address, pointer to that byte, number of bytes and access of each window, for a card that is not written in Rust. The
    /// pointers are valid as long as `self` or any clone of it lives; whoever uses them accesses the mappings in aligned 32-bit words
    /// only, atomically, the first word of a line last and with release order.
    pub fn raw_parts(&self) -> impl Iterator<Item = (u64, *mut u8, usize, Access)> {
        self.windows.iter().map(|window| (window.bus_base, window.pages.base(), window.pages.len(), window.access))
    }

    fn find(&self, bus_address: u64, may: impl Fn(Access) -> bool) -> Result<(&Pages, usize), MemoryFault> {
        let fault = MemoryFault { bus_address };
        let window = match &*self.windows {
            [only] => only,
            windows => {
                let behind = windows.partition_point(|window| window.bus_base <= bus_address);
                behind.checked_sub(1).map(|at| &windows[at]).ok_or(fault)?
            }
        };
        let offset = bus_address.checked_sub(window.bus_base).filter(|offset| *offset < window.bytes()).ok_or(fault)?;
        let offset = usize::try_from(offset).map_err(|_| fault)?;
        if offset.is_multiple_of(LINE_BYTES) && may(window.access) { Ok((&window.pages, offset)) } else { Err(fault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{HostMemory, PageSize};

    const READ: Access = Access { read: true, write: false };
    const WRITE: Access = Access { read: false, write: true };

    #[test]
    fn windows_lead_to_their_part_of_the_file() {
        let host = HostMemory::shared(4 * 4096, PageSize::Small).expect("memory");
        let file = host.file().expect("shared");
        let card = CardMemory::none().with_file(0x10_0000, file, 4096, 4096, Access::ALL).expect("opened");
        let card = card.with_file(0x8000, file, 3 * 4096, 4096, READ).expect("opened");
        let card = card.with_file(0x9000, file, 0, 4096, WRITE).expect("opened");
        let line = [7; 64];
        card.write_line(0x10_0040, &line).expect("inside");
        assert_eq!(host.card().read_line(HostMemory::BUS_BASE + 4096 + 64), Ok(line));
        assert_eq!(card.read_line(0x10_0040), Ok(line));
        assert_eq!(card.read_line(0x8fc0), Ok([0; 64]));
        card.write_line(0x9fc0, &line).expect("inside");
        assert_eq!(host.card().read_line(HostMemory::BUS_BASE + 4096 - 64), Ok(line));
        for outside in [0, 0x7fc0, 0xa000, 0xf_ffc0, 0x10_1000, u64::MAX - 63] {
            assert_eq!(card.read_line(outside), Err(MemoryFault { bus_address: outside }));
            assert_eq!(card.write_line(outside, &line), Err(MemoryFault { bus_address: outside }));
        }
        assert!(card.write_line(0x8000, &line).is_err(), "for reading only");
        assert!(card.read_line(0x9000).is_err(), "for writing only");
        assert!(card.read_line(0x10_0020).is_err(), "no line begins there");
        assert_eq!(
            card.raw_parts().map(|(base, _, bytes, _)| (base, bytes)).collect::<Vec<_>>(),
            [(0x8000, 4096), (0x9000, 4096), (0x10_0000, 4096)]
        );
    }

    #[test]
    fn impossible_windows_are_refused() {
        let host = HostMemory::shared(2 * 4096, PageSize::Small).expect("memory");
        let file = host.file().expect("shared");
        let card = CardMemory::none().with_file(0x4000, file, 0, 8192, Access::ALL).expect("opened");
        let refused =
            |base, offset, bytes| card.with_file(base, file, offset, bytes, Access::ALL).expect_err("refused");
        for (base, offset, bytes) in
            [(0x100, 0, 4096), (0, 64, 4096), (0, 0, 64), (0, 0, 0), (u64::MAX - 4095, 0, 8192)]
        {
            assert!(
                matches!(refused(base, offset, bytes), WindowError::Bounds { .. }),
                "{base:#x} {offset:#x} {bytes}"
            );
        }
        assert!(matches!(refused(0, u64::MAX - 4095, 4096), WindowError::Bounds { .. }));
        assert!(matches!(refused(0x3000, 0, 8192), WindowError::Overlap { bus_base: 0x4000 }));
        assert!(matches!(refused(0x5000, 0, 4096), WindowError::Overlap { bus_base: 0x4000 }));
        let short = refused(0x10_0000, 4096, 8192);
        assert!(matches!(short, WindowError::Short { file_bytes: 8192, wanted_bytes: 12288 }), "{short}");
        assert!(
            card.with_file(0x6000, file, 0, 4096, Access::ALL).is_ok()
                && card.with_file(0x2000, file, 0, 8192, READ).is_ok()
        );
    }

    #[test]
    fn windows_are_closed_whole() {
        let host = HostMemory::shared(4096, PageSize::Small).expect("memory");
        let file = host.file().expect("shared");
        let mut card = CardMemory::none();
        for page in 1..=4 {
            card = card.with_file(page << 12, file, 0, 4096, Access::ALL).expect("opened");
        }
        for (base, bytes) in [(0x5000, 0x1000), (0x1800, 0x1000), (0x1000, 0x800), (0, 0), (0x1000, u64::MAX)] {
            assert!(card.without(base, bytes).is_err(), "{base:#x} {bytes:#x}");
        }
        let less = card.without(0x2000, 0x2000).expect("closed");
        assert_eq!([0x1000, 0x2000, 0x3000, 0x4000].map(|at| less.read_line(at).is_ok()), [true, false, false, true]);
        assert!(card.read_line(0x2000).is_ok(), "the value before is what it was");
        assert!(card.without(0, 0x10_0000).expect("closed").raw_parts().next().is_none());
    }

    #[test]
    fn there_is_an_end_to_windows() {
        let host = HostMemory::shared(4096, PageSize::Small).expect("memory");
        let file = host.file().expect("shared");
        let mut card = CardMemory::none();
        for page in 0..CardMemory::WINDOWS_MAX as u64 {
            card = card.with_file(page << 12, file, 0, 4096, Access::ALL).expect("opened");
        }
        assert!(matches!(card.with_file(1 << 40, file, 0, 4096, Access::ALL), Err(WindowError::Many)));
    }
}
