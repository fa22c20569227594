//! What waits to be sent or confirmed: blocks of the arena, or frames of the journal.

use super::Place;
use crate::{
    arena::{BlockMemory, Entry, FreeBlock, SealedBlock},
    journal::{Journal, Storage, StorageError},
};
use core::{fmt, ops::Range};
use std::collections::VecDeque;

/// A block with at most this many bytes of PDUs is appended to the one before, if there is room.
const MERGE_BYTES_MAX: u32 = 128 * 1024;

/// The two kinds of backlog. `base` is the number of the first unit (block or frame) that is still there.
pub(super) struct Backlog<B, S> {
    base: u64,
    free: VecDeque<FreeBlock<B>>,
    /// Without a journal: all of them, to be sent. With one: those that are not in it yet.
    blocks: VecDeque<SealedBlock<B>>,
    journal: Option<Journal<S>>,
    /// What was confirmed and is not noted in the journal yet.
    confirm_due: Option<Place>,
}

impl<B, S> fmt::Debug for Backlog<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").field("base", &self.base).field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl<B: BlockMemory, S: Storage> Backlog<B, S> {
    pub(super) fn new(journal: Option<Journal<S>>) -> Self {
        Self { base: 0, free: VecDeque::new(), blocks: VecDeque::new(), journal, confirm_due: None }
    }

    pub(super) fn push(&mut self, block: SealedBlock<B>) {
        if block.is_empty() {
            return self.free.push_back(block.free());
        }
        let mut rest = Some(block);
        if let Some(back) = self.blocks.back_mut() {
            rest = match rest.take() {
                Some(small) if small.bytes() <= MERGE_BYTES_MAX => match back.merge(small) {
                    Ok(freed) => {
                        self.free.push_back(freed);
                        None
                    }
                    Err(block) => Some(block),
                },
                other => other,
            };
        }
        self.blocks.extend(rest);
    }

    /// Brings blocks into the journal, syncs it, and only then gives them back. Does nothing without a journal.
    pub(super) fn spool(&mut self) -> Result<(), StorageError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        for block in &self.blocks {
            journal.append(block)?;
        }
        journal.sync()?;
        self.free.extend(self.blocks.drain(..).map(SealedBlock::free));
        Ok(())
    }

    /// Whether blocks wait for the journal.
    pub(super) fn has_unspooled(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !self.blocks.is_empty() || journal.has_unsynced())
    }

    pub(super) fn pop_free(&mut self) -> Option<FreeBlock<B>> {
        self.free.pop_front()
    }

    /// Units that may be sent or wait for confirmation.
    pub(super) fn units(&self) -> usize {
        self.journal.as_ref().map_or(self.blocks.len(), Journal::len)
    }

    /// The unit's index now, or `None` if it is gone or not there yet.
    pub(super) fn index(&self, unit: u64) -> Option<usize> {
        let index = usize::try_from(unit.checked_sub(self.base)?).ok()?;
        (index < self.units()).then_some(index)
    }

    pub(super) fn len(&self, index: usize) -> u32 {
        self.journal.as_ref().map_or_else(|| self.blocks[index].len(), |journal| journal.frame_len(index))
    }

    /// PDUs of the unit that a former process knew to be confirmed; 0 if there is no such unit.
    pub(super) fn confirmed(&self, index: usize) -> u32 {
        if index >= self.units() {
            return 0;
        }
        self.journal.as_ref().map_or_else(|| self.blocks[index].confirmed(), |journal| journal.frame_confirmed(index))
    }

    /// Makes a unit's PDUs and entries readable.
    pub(super) fn load(&mut self, index: usize) -> Result<(), StorageError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.load(index))
    }

    /// An entry of a unit that was loaded.
    pub(super) fn entry(&self, index: usize, entry: u32) -> Entry {
        self.journal.as_ref().map_or_else(|| self.blocks[index].entry(entry), |journal| journal.entry(index, entry))
    }

    pub(super) fn start_of(&self, index: usize, entry: u32) -> u32 {
        if entry == 0 { 0 } else { self.entry(index, entry - 1).end }
    }

    /// PDUs of the unit that was loaded last.
    pub(super) fn pdus(&self, index: usize, range: Range<u32>) -> &[u8] {
        self.journal
            .as_ref()
            .map_or_else(|| self.blocks[index].pdus(range.clone()), |journal| journal.pdus(range.clone()))
    }

    /// What lies before `place` is not needed any more. Memory is let go of at once; a journal notes it in
    /// [`Backlog::note_confirmed`].
    pub(super) fn confirm(&mut self, place: Place) {
        if self.journal.is_some() {
            self.confirm_due = Some(place);
            return;
        }
        let units = self.units_before(place);
        for block in self.blocks.drain(..units) {
            self.free.push_back(block.free());
        }
        self.base += units as u64;
        if let Some(block) = self.blocks.front_mut() {
            block.confirm(place.1);
        }
    }

    fn units_before(&self, place: Place) -> usize {
        usize::try_from(place.0.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.units())
    }

    /// Notes in the journal what was confirmed, and erases what is not needed any more. Blocks as long as the storage does.
    pub(super) fn note_confirmed(&mut self) -> Result<(), StorageError> {
        let Some(place) = self.confirm_due.take() else { return Ok(()) };
        let units = self.units_before(place);
        self.base += units as u64;
        self.journal.as_mut().map_or(Ok(()), |journal| journal.confirm(units, place.1).map(drop))
    }

    /// Visits every PDU that is here: its place, its entry, its bytes. Units that are not being sent are let go of again.
    pub(super) fn for_each(&mut self, mut visit: impl FnMut(Place, Entry, u64)) -> Result<(), StorageError> {
        if let Some(journal) = &mut self.journal {
            for index in 0..journal.len() {
                let place = self.base + index as u64;
                journal.visit(index, |entry, pdu, bytes| visit((place, entry), pdu, bytes))?;
            }
        }
        // With a journal the blocks come behind what is in it.
        let base = self.base + self.journal.as_ref().map_or(0, Journal::len) as u64;
        for (index, block) in self.blocks.iter().enumerate() {
            for entry in block.confirmed()..block.len() {
                let bytes = u64::from(block.entry(entry).end - block.start_of(entry));
                visit((base + index as u64, entry), block.entry(entry), bytes);
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        let blocks: u64 = self.blocks.iter().map(|block| u64::from(block.bytes())).sum();
        blocks + self.journal.as_ref().map_or(0, Journal::bytes)
    }
}
