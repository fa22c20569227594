//! The journal at work: append, sync, load, confirm, erase.

use super::{
    Current, FrameRef, Journal, SEGMENT_BYTES_MAX, SegmentId, Storage, StorageError, StorageErrorKind,
    frame::{Body, BodyRef, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, Sealer},
};
use crate::arena::{BlockMemory, Entry, SealedBlock};

/// A segment that was confirmed to its end is erased at once from this size on; a smaller one waits for more.
const ERASE_BYTES_MIN: u64 = 256 * 1024;

impl<S: Storage> Journal<S> {
    /// Appends the PDUs of a block that the journal does not have yet. Not synced: see [`Journal::sync`].
    ///
    /// # Errors
    /// [`StorageError`]; what was appended of the block before stays, and appending the block again goes on behind it.
    pub(crate) fn append<B: BlockMemory>(&mut self, block: &SealedBlock<B>) -> Result<(), StorageError> {
        let mut first = match self.reached {
            Some((arena, number, _)) if arena == block.arena_id() && number > block.sequence() => return Ok(()),
            Some((arena, number, entry)) if arena == block.arena_id() && number == block.sequence() => entry,
            _ => 0,
        };
        // What was confirmed before the process died is not needed.
        first = first.max(block.confirmed());
        while first < block.len() {
            let start = block.start_of(first);
            let mut until = first + 1;
            while until < block.len() && (block.entry(until).end - start) as usize <= FRAME_BYTES_MAX {
                until += 1;
            }
            self.append_frame(block, first, until)?;
            first = until;
        }
        Ok(())
    }

    fn append_frame<B: BlockMemory>(
        &mut self,
        block: &SealedBlock<B>,
        first: u32,
        until: u32,
    ) -> Result<(), StorageError> {
        let start = block.start_of(first);
        let relative = |index| {
            let entry = block.entry(index);
            Entry { end: entry.end - start, ..entry }
        };
        let entries: Vec<Entry> = (first..until).map(relative).collect();
        let pdus = block.pdus(start..block.entry(until - 1).end);
        let origin = (block.arena_id(), block.sequence(), first);
        let body = BodyRef::Data { origin, entries: &entries, pdus };
        let (segment, offset, number, sealed_bytes) = self.write_frame(&body)?;
        let (len, bytes) = (entries.len() as u32, pdus.len() as u32);
        self.frames.push_back(FrameRef {
            segment,
            offset,
            sealed_bytes,
            number,
            len,
            bytes,
            confirmed: 0,
            entries: None,
        });
        self.reached = Some((origin.0, origin.1, until));
        Ok(())
    }

    fn write_frame(&mut self, body: &BodyRef<'_>) -> Result<(SegmentId, u64, u64, u32), StorageError> {
        if self.current.as_ref().is_some_and(|current| current.bytes >= SEGMENT_BYTES_MAX) {
            self.leave_segment();
        }
        if self.current.is_none() {
            self.begin_segment()?;
        }
        let current = self.current.as_mut().expect("there is one, or it was just begun");
        let (segment, offset, number) = (current.id, current.bytes, current.frames);
        let frame = current.sealer.seal(number, body, &mut self.scratch);
        // Its number is used up even if writing it fails: part of it may be on the disk.
        current.frames += 1;
        match self.storage.write(segment, offset, &frame) {
            Ok(()) => {
                current.bytes += frame.len() as u64;
                Ok((segment, offset, number, (frame.len() - FRAME_HEADER_BYTES) as u32))
            }
            Err(error) => {
                self.leave_segment();
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self) -> Result<(), StorageError> {
        let id = SegmentId(self.next_segment);
        self.next_segment += 1;
        self.storage.create(id)?;
        let (sealer, header) = Sealer::create(&self.key, self.entropy.as_mut(), id, self.session);
        self.storage.write(id, 0, &header)?;
        self.current = Some(Current { id, sealer, bytes: SEGMENT_HEADER_BYTES as u64, frames: 0 });
        Ok(())
    }

    /// Nothing more is written to the current segment.
    fn leave_segment(&mut self) {
        if let Some(current) = self.current.take() {
            self.older.push_back((current.id, current.sealer));
        }
    }

    /// Makes everything appended survive a power failure; only then may it be sent, and only then may the blocks it came from be
    /// given back.
    ///
    /// # Errors
    /// [`StorageError`]. What was not synced before is forgotten here and has to be appended again, into a new segment: after a
    /// failed sync nobody knows what the disk has.
    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        let mut last = None;
        for index in self.synced..self.frames.len() {
            let segment = self.frames[index].segment;
            if last == Some(segment) {
                continue;
            }
            last = Some(segment);
            if let Err(error) = self.storage.sync(segment) {
                self.forget_unsynced();
                return Err(error);
            }
        }
        (self.synced, self.reached_synced) = (self.frames.len(), self.reached);
        Ok(())
    }

    fn forget_unsynced(&mut self) {
        self.frames.truncate(self.synced);
        self.reached = self.reached_synced;
        self.leave_segment();
    }

    /// Whether something was appended and not synced.
    pub(crate) fn has_unsynced(&self) -> bool {
        self.synced < self.frames.len()
    }

    /// Frames that may be sent or wait for confirmation.
    pub(crate) fn len(&self) -> usize {
        self.synced
    }

    /// PDUs of frame `index`.
    pub(crate) fn frame_len(&self, index: usize) -> u32 {
        self.frames[index].len
    }

    /// PDUs of frame `index` that were confirmed.
    pub(crate) fn frame_confirmed(&self, index: usize) -> u32 {
        self.frames[index].confirmed
    }

    /// Bytes of PDUs in all frames.
    pub(crate) fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| u64::from(frame.bytes)).sum()
    }

    /// An entry of a frame that was loaded since it was last confirmed.
    pub(crate) fn entry(&self, index: usize, entry: u32) -> Entry {
        let entries = self.frames[index].entries.as_ref().expect("only frames that were loaded are asked");
        entries[entry as usize]
    }

    /// Reads a frame back, so that [`Journal::entry`] and [`Journal::pdus`] know it.
    ///
    /// # Errors
    /// [`StorageError`]; of kind `Io` also if the frame no longer opens.
    pub(crate) fn load(&mut self, index: usize) -> Result<(), StorageError> {
        let frame = &self.frames[index];
        let (segment, number) = (frame.segment, frame.number);
        if self.loaded.place == Some((segment, number)) && frame.entries.is_some() {
            return Ok(());
        }
        let mut bytes = vec![0; FRAME_HEADER_BYTES + frame.sealed_bytes as usize];
        self.storage.read(segment, frame.offset, &mut bytes)?;
        let sealer = match &self.current {
            Some(current) if current.id == segment => Some(&current.sealer),
            _ => self.older.iter().find(|(id, _)| *id == segment).map(|(_, sealer)| sealer),
        };
        let kind = bytes[4];
        match sealer.and_then(|sealer| sealer.open_frame(number, kind, &mut bytes[FRAME_HEADER_BYTES..])) {
            Some(Body::Data { entries, pdus, .. }) if entries.len() as u32 == frame.len => {
                self.loaded = super::Loaded { place: Some((segment, number)), pdus };
                self.frames[index].entries = Some(entries);
                Ok(())
            }
            _ => Err(StorageError {
                kind: StorageErrorKind::Io,
                operation: "read",
                segment: Some(segment),
                detail: format!("frame {number} no longer opens"),
            }),
        }
    }

    /// Visits the unconfirmed PDUs of a frame without keeping it loaded: number in the frame, entry, bytes.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub(crate) fn visit(&mut self, index: usize, mut visit: impl FnMut(u32, Entry, u64)) -> Result<(), StorageError> {
        let kept = self.frames[index].entries.take();
        let was_loaded = kept.is_some();
        let entries = match kept {
            Some(entries) => entries,
            None => {
                let loaded = core::mem::take(&mut self.loaded);
                self.load(index)?;
                self.loaded = loaded;
                self.frames[index].entries.take().unwrap_or_default()
            }
        };
        for (number, entry) in entries.iter().enumerate().skip(self.frames[index].confirmed as usize) {
            let start = number.checked_sub(1).map_or(0, |before| entries[before].end);
            visit(number as u32, *entry, u64::from(entry.end - start));
        }
        if was_loaded {
            self.frames[index].entries = Some(entries);
        }
        Ok(())
    }

    /// Bytes of the frame that was loaded last.
    pub(crate) fn pdus(&self, range: core::ops::Range<u32>) -> &[u8] {
        let limit = self.loaded.pdus.len();
        let end = (range.end as usize).min(limit);
        &self.loaded.pdus[(range.start as usize).min(end)..end]
    }

    /// Notes that frames before `frames`, and the first `entries` PDUs of that one, were confirmed. Answers how many frames went
    /// from the front.
    ///
    /// # Errors
    /// [`StorageError`]: the confirmation holds for this process, but after a restart more is sent again than would be needed.
    pub(crate) fn confirm(&mut self, frames: usize, entries: u32) -> Result<usize, StorageError> {
        let whole = frames.min(self.synced);
        let reached = self.frames.get(whole).filter(|_| whole < self.synced);
        let mark = match reached {
            Some(frame) => Some((frame.segment, frame.number, entries.min(frame.len))),
            None => self.frames.get(whole.wrapping_sub(1)).map(|frame| (frame.segment, frame.number, frame.len)),
        };
        if let (true, Some(frame)) = (whole < self.synced, self.frames.get_mut(whole)) {
            frame.confirmed = frame.confirmed.max(entries.min(frame.len));
        }
        self.frames.drain(..whole);
        self.synced -= whole;
        let marked = match mark {
            Some((segment, number, entries)) => self.write_frame(&BodyRef::Mark(segment, number, entries)).map(drop),
            None => Ok(()),
        };
        let erased = self.erase_confirmed();
        marked.and(erased).map(|()| whole)
    }

    /// Erases the segments of which nothing is needed any more.
    pub(super) fn erase_confirmed(&mut self) -> Result<(), StorageError> {
        let needed = self.frames.front().map(|frame| frame.segment);
        if needed.is_none() && self.current.as_ref().is_some_and(|current| current.bytes >= ERASE_BYTES_MIN) {
            self.leave_segment();
        }
        while let Some(&(segment, _)) = self.older.front() {
            if needed.is_some_and(|needed| segment >= needed) {
                break;
            }
            // The order matters: once the wrapped key is gone the content is, wherever the disk keeps copies of the rest.
            self.storage.write(segment, 0, &[0; SEGMENT_HEADER_BYTES])?;
            self.storage.sync(segment)?;
            self.storage.remove(segment)?;
            self.older.pop_front();
        }
        Ok(())
    }
}
