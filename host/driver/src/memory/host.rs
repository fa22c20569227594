//! Memory shared between host and card, as the host sees it.

use super::Line;
use super::card::CardMemory;
use super::pages::Pages;
use super::shared::{self, PageSize, SharedError};
use super::words;
use crate::{Dma, DmaError};
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use writ_abi::limits::LINE_BYTES;

/// Regions start at multiples of this.
const REGION_ALIGN_BYTES: usize = 4096;
/// Largest memory, bytes.
pub(super) const BYTES_MAX: usize = 1 << 40;

/// One page-aligned mapping that the card reaches by bus address.
///
/// Regions are cut from it one behind the other and never come back, because a card that was not stopped properly may write
/// into them at any time. Whoever brings the card up again uses the regions that it has.
#[derive(Debug)]
pub struct HostMemory {
    pages: Arc<Pages>,
    /// First byte that no region has yet.
    next: Mutex<usize>,
    /// What other processes can map; `None`: memory of this process alone.
    file: Option<File>,
}

impl HostMemory {
    /// Bus address of the first byte. Above 4 GiB, so that a card that loses the upper half of an address is found out, and
    /// far from 0, so that one that was never told an address is, too.
    pub const BUS_BASE: u64 = 0x12_0000_0000;

    /// Maps `bytes` bytes, rounded up to a page, zeroed. They belong to this process alone: a card has to live in it.
    ///
    /// # Errors
    /// Those of the operating system; zero bytes and more than 1 TiB are `InvalidInput`.
    pub fn new(bytes: usize) -> io::Result<Arc<Self>> {
        if bytes == 0 || bytes > BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("card memory of {bytes} bytes")));
        }
        Ok(Self::of(Pages::anonymous(bytes.next_multiple_of(REGION_ALIGN_BYTES))?, None))
    }

    /// Maps `bytes` bytes, rounded up to a page of the wanted size, zeroed, that other processes can map: see [`HostMemory::file`].
    /// All of it is there at once, so that a lack of memory shows here and not as a fault in the middle of a write. It can neither
    /// grow nor shrink afterwards.
    ///
    /// # Errors
    /// [`SharedError`]; there is no silent change to smaller pages. Whoever wants one asks again and says so.
    pub fn shared(bytes: usize, pages: PageSize) -> Result<Arc<Self>, SharedError> {
        let (file, bytes) = shared::make(bytes, pages)?;
        let mapped = Pages::of_file(&file, 0, bytes).map_err(|source| shared::why(bytes, pages, source))?;
        Ok(Self::of(mapped, Some(file)))
    }

    /// Maps all of a file that [`HostMemory::shared`] made, in this or another process. No region has any of it yet.
    ///
    /// # Errors
    /// [`SharedError::NotSealed`] for a file that others could make shorter, [`SharedError::Io`].
    pub fn adopt(file: File) -> Result<Arc<Self>, SharedError> {
        let bytes = shared::sealed_bytes(&file)?;
        let pages =
            Pages::of_file(&file, 0, bytes).map_err(|source| SharedError::Io { doing: "mapping it", source })?;
        Ok(Self::of(pages, Some(file)))
    }

    fn of(pages: Pages, file: Option<File>) -> Arc<Self> {
        Arc::new(Self { pages: Arc::new(pages), next: Mutex::new(0), file })
    }

    /// What another process has to map to see this memory; `None` if it belongs to this process alone.
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// The view that a card in this process has: bus addresses, whole lines, every access checked.
    pub fn card(self: &Arc<Self>) -> CardMemory {
        CardMemory::of_pages(Self::BUS_BASE, Arc::clone(&self.pages))
    }

    /// The first byte, as this process reaches it; for whoever maps it for a card. Valid as long as `self` lives.
    pub(crate) fn base(&self) -> *const u8 {
        self.pages.base()
    }

    /// Bytes of the mapping.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Never: an empty mapping cannot be made.
    pub fn is_empty(&self) -> bool {
        self.pages.len() == 0
    }
}

impl Dma for Arc<HostMemory> {
    fn allocate(&self, lines: usize) -> Result<Region, DmaError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let available_bytes = self.pages.len() - *next;
        let wanted_bytes =
            lines.max(1).checked_mul(LINE_BYTES).and_then(|bytes| bytes.checked_next_multiple_of(REGION_ALIGN_BYTES));
        match wanted_bytes {
            Some(wanted) if wanted <= available_bytes => {
                let offset = *next;
                *next += wanted;
                Ok(Region { memory: Arc::clone(self), offset, lines })
            }
            _ => Err(DmaError { wanted_bytes: wanted_bytes.unwrap_or(usize::MAX), available_bytes }),
        }
    }
}

/// A run of lines that one owner on the host side shares with the card.
#[derive(Debug)]
pub struct Region {
    memory: Arc<HostMemory>,
    offset: usize,
    lines: usize,
}

impl Region {
    /// Address of the first line, as the card has to use it.
    pub fn bus_address(&self) -> u64 {
        HostMemory::BUS_BASE + self.offset as u64
    }

    /// Lines of the region.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Copies line `line` out.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn read_line(&self, line: usize) -> Line {
        self.memory.pages.load_line(self.at(line))
    }

    /// Copies a line in, first word last.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn write_line(&mut self, line: usize, content: &Line) {
        self.memory.pages.store_line(self.at(line), content);
    }

    /// The first four bytes of line `line`, little-endian, with acquire order: what the card wrote before it wrote this index
    /// is visible afterwards.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn load_index(&self, line: usize) -> u32 {
        self.memory.pages.load_index(self.at(line))
    }

    /// Keeps two numbers in line `line`, so that whoever maps the memory after this process was killed finds these two, or the two of before, and
    /// never one of each. The line is for this only; zeroed it holds two zeros.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn store_pair(&mut self, line: usize, pair: [u32; 2]) {
        words::store_pair(self.memory.pages.words(self.at(line)), pair);
    }

    /// The two numbers that [`Region::store_pair`] kept last.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn load_pair(&self, line: usize) -> [u32; 2] {
        words::load_pair(self.memory.pages.words(self.at(line)))
    }

    /// Sets all lines to zero.
    pub fn clear(&mut self) {
        for line in 0..self.lines {
            self.write_line(line, &[0; LINE_BYTES]);
        }
    }

    /// `count` lines from line `first` on, in place.
    ///
    /// # Safety
    /// - An index loaded with [`Region::load_index`] said that the card has finished these lines.
    /// - The card is not told that it may reuse them while the slice lives. (A card that breaks this rule, as a broken device
    ///   can, makes the content of the slice unreliable; the records' CRCs are there for that.)
    ///
    /// # Panics
    /// If the region does not have these lines.
    pub unsafe fn bytes(&self, first: usize, count: usize) -> &[u8] {
        assert!(first <= self.lines && count <= self.lines - first, "lines outside the region");
        // SAFETY: nobody writes the lines while the slice lives, by this function's contract.
        unsafe { self.memory.pages.bytes(self.offset + first * LINE_BYTES, count * LINE_BYTES) }
    }

    fn at(&self, line: usize) -> usize {
        assert!(line < self.lines, "line outside the region");
        self.offset + line * LINE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryFault;

    #[test]
    fn regions_are_apart_and_end() {
        let memory = HostMemory::new(3 * 4096).expect("mapped");
        let mut first = memory.allocate(64).expect("one page");
        let mut second = memory.allocate(1).expect("one line");
        assert_eq!(first.bus_address(), HostMemory::BUS_BASE);
        assert_eq!(second.bus_address(), HostMemory::BUS_BASE + 4096);
        first.write_line(63, &[1; 64]);
        second.write_line(0, &[2; 64]);
        assert_eq!((first.read_line(63), second.read_line(0)), ([1; 64], [2; 64]));
        assert_eq!(memory.allocate(65).err(), Some(DmaError { wanted_bytes: 8192, available_bytes: 4096 }));
        assert!(memory.allocate(usize::MAX).is_err());
        assert!(memory.allocate(64).is_ok(), "a refusal takes nothing");
        second.clear();
        assert_eq!(second.read_line(0), [0; 64]);
    }

    #[test]
    fn a_pair_is_never_half_of_each() {
        let memory = HostMemory::new(4096).expect("mapped");
        let mut region = memory.allocate(2).expect("room");
        assert_eq!(region.load_pair(1), [0, 0]);
        for number in 1..5 {
            region.store_pair(1, [number, 10 * number]);
            assert_eq!(region.load_pair(1), [number, 10 * number]);
            // Killed in the middle of the next one: the place that does not count is half written.
            words::store_half_of_a_pair(memory.pages.words(64), 99);
            assert_eq!(region.load_pair(1), [number, 10 * number]);
        }
        assert_eq!(region.read_line(0), [0; 64]);
    }

    #[test]
    fn the_card_reaches_its_memory_and_nothing_else() {
        let memory = HostMemory::new(4096).expect("mapped");
        let region = memory.allocate(64).expect("all of it");
        let card = memory.card();
        let mut line = [0; 64];
        line[..4].copy_from_slice(&0x0102_0304_u32.to_le_bytes());
        line[63] = 9;
        card.write_line(region.bus_address() + 64, &line).expect("inside");
        assert_eq!(region.load_index(1), 0x0102_0304);
        assert_eq!(region.read_line(1), line);
        assert_eq!(card.read_line(region.bus_address() + 64), Ok(line));
        let base = HostMemory::BUS_BASE;
        for bad in [0, 64, base - 64, base + 1, base + 32, base + 4096, base + 8192, u64::MAX, u64::MAX - 63] {
            assert_eq!(card.write_line(bad, &line), Err(MemoryFault { bus_address: bad }), "{bad:#x}");
            assert!(card.read_line(bad).is_err());
        }
    }

    #[test]
    fn an_index_publishes_what_was_written_before_it() {
        let memory = HostMemory::new(1 << 20).expect("mapped");
        let data = memory.allocate(1024).expect("data");
        let index = memory.allocate(1).expect("index");
        let (data_at, index_at, card) = (data.bus_address(), index.bus_address(), memory.card());
        let writer = std::thread::spawn(move || {
            for line in 0..1024_u32 {
                card.write_line(data_at + 64 * u64::from(line), &[(line % 251) as u8 + 1; 64]).expect("inside");
                let mut published = [0; 64];
                published[..4].copy_from_slice(&(line + 1).to_le_bytes());
                card.write_line(index_at, &published).expect("inside");
            }
        });
        let mut seen = 0;
        while seen < 1024 {
            let ready = index.load_index(0) as usize;
            for line in seen..ready {
                // SAFETY: the index says that the writer has finished the line, and it writes each line once.
                let bytes = unsafe { data.bytes(line, 1) };
                assert_eq!(bytes, [(line % 251) as u8 + 1; 64]);
            }
            seen = ready;
        }
        writer.join().expect("no fault");
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(HostMemory::new(0).is_err());
        assert!(HostMemory::new(usize::MAX).is_err());
    }
}
