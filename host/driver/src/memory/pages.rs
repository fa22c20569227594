//! Pages that are mapped once and reached as atomic words.

use super::Line;
use super::words::{self, LINE_WORDS};
use memmap2::{MmapMut, MmapOptions};
use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use writ_abi::limits::LINE_BYTES;

/// A mapping that somebody else writes, too.
pub(super) struct Pages {
    base: NonNull<u8>,
    bytes: usize,
    /// Owns the pages behind `base`; never touched again, for `base` is the only way to them.
    _mapping: MmapMut,
}

// SAFETY: `base` points into pages that `_mapping` owns and that live as long as `self`. All shared access goes through atomic
// words, apart from `Pages::bytes`, whose caller takes over the duty to keep writers out.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// Zeroed memory of this process alone.
    pub(super) fn anonymous(bytes: usize) -> io::Result<Self> {
        Ok(Self::of(MmapMut::map_anon(bytes)?))
    }

    /// A part of a file, shared with everybody who maps it.
    ///
    /// A file that is made shorter while it is mapped ends this process with SIGBUS at the next access behind its end. Memory made by
    /// [`super::HostMemory::shared`] is sealed against that; of other files the caller has to be sure.
    pub(super) fn of_file(file: &File, offset: u64, bytes: usize) -> io::Result<Self> {
        // SAFETY: nobody gets a reference to the mapping; the pages are only touched as atomic words or under the contract of
        // `Pages::bytes`, so what others write into them at any time is no undefined behaviour here.
        let mapping = unsafe { MmapOptions::new().offset(offset).len(bytes).map_mut(file) }?;
        Ok(Self::of(mapping))
    }

    fn of(mut mapping: MmapMut) -> Self {
        let base = NonNull::from(&mut mapping[..]).cast();
        Self { base, bytes: mapping.len(), _mapping: mapping }
    }

    /// Bytes of the mapping.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    /// The first byte. Valid as long as `self` lives; for aligned, atomic 32-bit accesses.
    pub(super) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The words of the line at `offset`.
    ///
    /// # Panics
    /// If the line is misaligned or outside: callers check or own the line.
    pub(super) fn words(&self, offset: usize) -> &[AtomicU32; LINE_WORDS] {
        assert!(offset.is_multiple_of(LINE_BYTES) && offset < self.bytes && self.bytes - offset >= LINE_BYTES);
        // SAFETY: the line is inside the mapping (asserted), which lives as long as `self`; the mapping starts at a page and
        // `offset` is a multiple of 64, so the words are aligned; `AtomicU32` may alias other atomics of the same size, and
        // plain references exist only to lines that nobody writes (`Pages::bytes`).
        unsafe { self.base.add(offset).cast::<[AtomicU32; LINE_WORDS]>().as_ref() }
    }

    pub(super) fn load_line(&self, offset: usize) -> Line {
        let mut line = [0; LINE_BYTES];
        words::load_line(self.words(offset), &mut line);
        line
    }

    pub(super) fn store_line(&self, offset: usize, line: &Line) {
        words::store_line(self.words(offset), line);
    }

    /// The index in the first word of the line at `offset`; see [`words::load_index`].
    pub(super) fn load_index(&self, offset: usize) -> u32 {
        words::load_index(&self.words(offset)[0])
    }

    /// Writes the index in the first word of the line at `offset`; see [`words::store_index`].
    pub(super) fn store_index(&self, offset: usize, value: u32) {
        words::store_index(&self.words(offset)[0], value);
    }

    /// `count` bytes from `offset` on, in place.
    ///
    /// # Safety
    /// Nobody writes them while the slice lives.
    ///
    /// # Panics
    /// If they are outside.
    pub(super) unsafe fn bytes(&self, offset: usize, count: usize) -> &[u8] {
        assert!(offset <= self.bytes && count <= self.bytes - offset, "bytes outside the mapping");
        // SAFETY: inside the mapping (asserted), which lives as long as `self`; nobody writes there, by this function's contract;
        // bytes have no alignment and every value is valid.
        unsafe { std::slice::from_raw_parts(self.base.add(offset).as_ptr(), count) }
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the content: it is intercepted traffic.
        f.debug_struct("Pages").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
