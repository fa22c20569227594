//! Indices that one process writes and another one carries to the card.

use super::pages::Pages;
use super::shared::{self, PageSize, SharedError};
use std::fs::File;
use writ_abi::limits::{LINE_BYTES, RECORD_RINGS};
use writ_abi::registers::rings;

/// A page of index registers: the consumer indices of the record rings and the producer index of the command ring. Each stands in a line of its
/// own. They are the registers that are written all the time, so writing them must not cost a message.
#[derive(Debug)]
pub struct IndexPage {
    pages: Pages,
    file: File,
}

impl IndexPage {
    /// Indices of a page.
    pub const COUNT: usize = RECORD_RINGS + 1;

    /// A new page, all zeros.
    ///
    /// # Errors
    /// [`SharedError`].
    pub fn new() -> Result<Self, SharedError> {
        let (file, _) = shared::make(PageSize::Small.bytes(), PageSize::Small)?;
        Self::adopt(file)
    }

    /// Maps the page that another process has made.
    ///
    /// # Errors
    /// [`SharedError::NotSealed`], [`SharedError::Size`] if it is no page, [`SharedError::Io`].
    pub fn adopt(file: File) -> Result<Self, SharedError> {
        let bytes = shared::sealed_bytes(&file)?;
        if bytes != PageSize::Small.bytes() {
            return Err(SharedError::Size { bytes });
        }
        let pages =
            Pages::of_file(&file, 0, bytes).map_err(|source| SharedError::Io { doing: "mapping indices", source })?;
        Ok(Self { pages, file })
    }

    /// What another process has to map.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The register of an index, a byte offset in BAR 0.
    ///
    /// # Panics
    /// If there is no such index.
    pub const fn register(index: usize) -> u32 {
        assert!(index < Self::COUNT);
        if index < RECORD_RINGS {
            rings::RECORD_CONSUMER_AT + index as u32 * rings::RECORD_STRIDE
        } else {
            rings::COMMAND_PRODUCER_AT
        }
    }

    /// The index of a register, if it has one here.
    pub fn index_of(register: u32) -> Option<usize> {
        (0..Self::COUNT).find(|index| Self::register(*index) == register)
    }

    /// Reads an index. What was written before it in the other process is visible afterwards.
    ///
    /// # Panics
    /// If there is no such index.
    pub fn load(&self, index: usize) -> u32 {
        assert!(index < Self::COUNT);
        self.pages.load_index(index * LINE_BYTES)
    }

    /// Writes an index, with release order.
    ///
    /// # Panics
    /// If there is no such index.
    pub fn store(&self, index: usize, value: u32) {
        assert!(index < Self::COUNT);
        self.pages.store_index(index * LINE_BYTES, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::HostMemory;

    #[test]
    fn both_processes_have_the_same_indices() {
        let here = IndexPage::new().expect("made");
        let there = IndexPage::adopt(here.file().try_clone().expect("a descriptor")).expect("mapped");
        for index in 0..IndexPage::COUNT {
            assert_eq!(there.load(index), 0);
            here.store(index, 7 + index as u32);
            assert_eq!(IndexPage::index_of(IndexPage::register(index)), Some(index));
        }
        assert_eq!((0..IndexPage::COUNT).map(|index| there.load(index)).collect::<Vec<_>>(), [7, 8, 9, 10, 11]);
        assert_eq!(IndexPage::index_of(rings::ENABLE_AT), None);
        let other = HostMemory::shared(8192, PageSize::Small).expect("memory");
        let refused = IndexPage::adopt(other.file().expect("shared").try_clone().expect("a descriptor"));
        assert!(matches!(refused, Err(SharedError::Size { bytes: 8192 })));
    }
}
