//! Memory shared between host and card.

use super::Line;
use crate::{Dma, DmaError};
use memmap2::MmapMut;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use writ_abi::limits::LINE_BYTES;

/// Words of a line.
const LINE_WORDS: usize = LINE_BYTES / 4;
/// Regions start at multiples of this.
const REGION_ALIGN_BYTES: usize = 4096;

/// One page-aligned anonymous mapping that the card reaches by bus address.
///
/// Regions are cut from it one behind the other and never come back, because a card that was not stopped properly may write
/// into them at any time. Whoever brings the card up again uses the regions that it has.
pub struct HostMemory {
    base: NonNull<u8>,
    bytes: usize,
    /// First byte that no region has yet.
    next: Mutex<usize>,
    /// Owns the pages behind `base`; never touched again, for `base` is the only way to them.
    _mapping: MmapMut,
}

// SAFETY: `base` points into pages that `_mapping` owns and that live as long as `self`. All shared access goes through atomic
// words, apart from `Region::bytes`, whose caller takes over the duty to keep writers out.
unsafe impl Send for HostMemory {}
// SAFETY: as above.
unsafe impl Sync for HostMemory {}

impl HostMemory {
    /// Bus address of the first byte. Above 4 GiB, so that a card that loses the upper half of an address is found out, and
    /// far from 0, so that one that was never told an address is, too.
    pub const BUS_BASE: u64 = 0x12_0000_0000;

    /// Maps `bytes` bytes, rounded up to a page, zeroed.
    ///
    /// # Errors
    /// Those of the operating system; zero bytes and more than 1 TiB are `InvalidInput`.
    pub fn new(bytes: usize) -> io::Result<Arc<Self>> {
        if bytes == 0 || bytes > 1 << 40 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("card memory of {bytes} bytes")));
        }
        let bytes = bytes.next_multiple_of(REGION_ALIGN_BYTES);
        let mut mapping = MmapMut::map_anon(bytes)?;
        let base = NonNull::from(&mut mapping[..]).cast();
        Ok(Arc::new(Self { base, bytes, next: Mutex::new(0), _mapping: mapping }))
    }

    /// The view that a card in this process has: bus addresses, whole lines, every access checked.
    pub fn card(self: &Arc<Self>) -> CardMemory {
        CardMemory { memory: Arc::clone(self) }
    }

    /// Bytes of the mapping.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Never: an empty mapping cannot be made.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The words of the line at `offset`.
    ///
    /// # Panics
    /// If the line is misaligned or outside: callers check or own the line.
    fn words(&self, offset: usize) -> &[AtomicU32; LINE_WORDS] {
        assert!(offset.is_multiple_of(LINE_BYTES) && offset < self.bytes && self.bytes - offset >= LINE_BYTES);
        // SAFETY: the line is inside the mapping (asserted), which lives as long as `self`; the mapping starts at a page and
        // `offset` is a multiple of 64, so the words are aligned; `AtomicU32` may alias other atomics of the same size, and
        // plain references exist only to lines that nobody writes (`Region::bytes`).
        unsafe { self.base.add(offset).cast::<[AtomicU32; LINE_WORDS]>().as_ref() }
    }

    fn load_line(&self, offset: usize) -> Line {
        let mut line = [0; LINE_BYTES];
        for (bytes, word) in line.chunks_exact_mut(4).zip(self.words(offset)) {
            bytes.copy_from_slice(&word.load(Ordering::Acquire).to_ne_bytes());
        }
        line
    }

    fn store_line(&self, offset: usize, line: &Line) {
        let words = self.words(offset);
        let value = |i: usize| u32::from_ne_bytes([line[4 * i], line[4 * i + 1], line[4 * i + 2], line[4 * i + 3]]);
        for (i, word) in words.iter().enumerate().skip(1) {
            word.store(value(i), Ordering::Relaxed);
        }
        words[0].store(value(0), Ordering::Release);
    }
}

impl std::fmt::Debug for HostMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the content: it is intercepted traffic.
        f.debug_struct("HostMemory").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Dma for Arc<HostMemory> {
    fn allocate(&self, lines: usize) -> Result<Region, DmaError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let available_bytes = self.bytes - *next;
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
        self.memory.load_line(self.at(line))
    }

    /// Copies a line in, first word last.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn write_line(&mut self, line: usize, content: &Line) {
        self.memory.store_line(self.at(line), content);
    }

    /// The first four bytes of line `line`, little-endian, with acquire order: what the card wrote before it wrote this index
    /// is visible afterwards.
    ///
    /// # Panics
    /// If the region has no such line.
    pub fn load_index(&self, line: usize) -> u32 {
        u32::from_le(self.memory.words(self.at(line))[0].load(Ordering::Acquire))
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
        // SAFETY: inside the region (asserted), so inside the mapping, which lives as long as `self`; nobody writes the lines while the
        // slice lives, by this function's contract; bytes have no alignment and every value is valid.
        unsafe {
            let start = self.memory.base.add(self.offset + first * LINE_BYTES).as_ptr();
            std::slice::from_raw_parts(start, count * LINE_BYTES)
        }
    }

    fn at(&self, line: usize) -> usize {
        assert!(line < self.lines, "line outside the region");
        self.offset + line * LINE_BYTES
    }
}

/// What a card in this process sees of [`HostMemory`].
#[derive(Debug, Clone)]
pub struct CardMemory {
    memory: Arc<HostMemory>,
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

impl CardMemory {
    /// Reads a line.
    ///
    /// # Errors
    /// [`MemoryFault`] if the address is misaligned or outside.
    pub fn read_line(&self, bus_address: u64) -> Result<Line, MemoryFault> {
        Ok(self.memory.load_line(self.offset(bus_address)?))
    }

    /// Writes a line, its first word last and with release order: who loads that word with acquire order sees everything
    /// that was written before.
    ///
    /// # Errors
    /// [`MemoryFault`] if the address is misaligned or outside; nothing is written then.
    pub fn write_line(&self, bus_address: u64, line: &Line) -> Result<(), MemoryFault> {
        self.memory.store_line(self.offset(bus_address)?, line);
        Ok(())
    }

    /// First bus address, pointer to that byte, and number of bytes, for a card that is not written in Rust. The pointer is valid as
    /// long as `self` or any clone of it lives; whoever uses it accesses the mapping in aligned 32-bit words only, atomically,
    /// the first word of a line last and with release order.
    pub fn raw_parts(&self) -> (u64, *mut u8, usize) {
        (HostMemory::BUS_BASE, self.memory.base.as_ptr(), self.memory.bytes)
    }

    fn offset(&self, bus_address: u64) -> Result<usize, MemoryFault> {
        let fault = MemoryFault { bus_address };
        let offset = bus_address.checked_sub(HostMemory::BUS_BASE).ok_or(fault)?;
        let offset = usize::try_from(offset).map_err(|_| fault)?;
        if offset.is_multiple_of(LINE_BYTES) && offset < self.memory.bytes { Ok(offset) } else { Err(fault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
