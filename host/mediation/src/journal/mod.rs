//! Sealed spool of HI2 and X2: everything is here, and synced, before it is sent. Storage, keys and randomness are arguments.
//!
//! # Form
//! A journal is a number of *segments* (files). A segment starts with a header that holds the segment's data key, wrapped by the
//! session's journal key; then frames follow: `length u32 | kind u8 | 3 zero octets | sealed octets`, little-endian. A frame is
//! sealed with AES-256-GCM under the segment's key; its nonce is the frame's number in the segment, so that no nonce is used twice,
//! and segment, session, kind and number are authenticated. A *data* frame holds whole PDUs of one block with their index entries,
//! at most [`FRAME_BYTES_MAX`] of them unless one PDU is longer. A *mark* frame says how far the peer confirmed.
//!
//! # Crashes
//! Nothing is appended to a segment that an earlier process wrote, or that gave an error: a new one with a new key is begun, so a
//! torn tail is cut at the last frame that opens, and no nonce returns. What is found twice (written again after an error) counts
//! once. Marks are not synced: after a power failure at most a little more is sent again.
//!
//! # Erasing
//! A segment whose frames are all confirmed is erased: its wrapped key is overwritten and synced before the file goes.
//!
//! # Threads and blocking
//! [`Storage`] calls block for as long as the disk takes. Run a journalled session where that is allowed.

mod frame;
mod queue;
mod storage;

pub use frame::FRAME_BYTES_MAX;
pub use storage::{Entropy, JournalKey, SegmentId, Storage, StorageError, StorageErrorKind};

use crate::{arena::Entry, units::SessionKey};
use core::fmt;
use frame::{Body, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, Sealer};
use std::collections::VecDeque;

/// A segment takes no further frames beyond this size.
pub const SEGMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What an opened journal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalRecovery {
    /// PDUs that go out again.
    pub pdus: u64,
    /// Packets in them.
    pub packets: u64,
    /// Bytes cut from the end of the last segment: what was being written when the process died.
    pub torn_bytes: u64,
    /// Segments of which a part does not open: the disk is damaged, or the key is another one.
    pub damaged_segments: u64,
    /// Frames that are as long as they should be and do not open; what stands behind them in their segments is out of reach. After
    /// a power cut they may never have been synced; while the machine stayed up they are damage.
    pub damaged_frames: u64,
}

/// Where a data frame stands, and how much is in it.
#[derive(Debug)]
struct FrameRef {
    segment: SegmentId,
    offset: u64,
    sealed_bytes: u32,
    number: u64,
    len: u32,
    bytes: u32,
    confirmed: u32,
    /// Its index entries, from when it was loaded to be sent until it is confirmed.
    entries: Option<Vec<Entry>>,
}

/// The PDUs of the frame that was loaded last.
#[derive(Default)]
struct Loaded {
    place: Option<(SegmentId, u64)>,
    pdus: Vec<u8>,
}

/// The segment that takes new frames.
struct Current {
    id: SegmentId,
    sealer: Sealer,
    bytes: u64,
    frames: u64,
}

/// The journal of one session.
pub struct Journal<S> {
    storage: S,
    key: JournalKey,
    entropy: Box<dyn Entropy>,
    session: SessionKey,
    /// Data frames that are not confirmed, in order.
    frames: VecDeque<FrameRef>,
    /// Frames at the front of `frames` that are synced and may be sent.
    synced: usize,
    /// Segments that take no more frames and still hold something, in order.
    older: VecDeque<(SegmentId, Sealer)>,
    current: Option<Current>,
    next_segment: u64,
    /// Arena, block and entry up to which this journal has everything.
    reached: Option<(u64, u64, u32)>,
    /// The same for what is synced.
    reached_synced: Option<(u64, u64, u32)>,
    loaded: Loaded,
    scratch: Vec<u8>,
}

impl<S> fmt::Debug for Journal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("session", &self.session)
            .field("frames", &self.frames.len())
            .field("synced", &self.synced)
            .finish_non_exhaustive()
    }
}

/// The last mark that was found.
type Mark = Option<(SegmentId, u64, u32)>;

impl<S: Storage> Journal<S> {
    /// Opens the journal of `session` and reads what an earlier process left.
    ///
    /// # Errors
    /// [`StorageError`] of the storage. Damage is no error: it is counted in [`JournalRecovery`].
    pub fn open(
        mut storage: S,
        key: JournalKey,
        entropy: Box<dyn Entropy>,
        session: SessionKey,
    ) -> Result<(Self, JournalRecovery), StorageError> {
        let mut segments = storage.list()?;
        segments.sort_unstable();
        let last = segments.last().copied();
        let next_segment = last.map_or(Some(1), |last| last.0.checked_add(1)).ok_or_else(|| StorageError {
            kind: StorageErrorKind::Io,
            operation: "list",
            segment: last,
            detail: "no segment can follow this one".into(),
        })?;
        let mut journal = Self {
            storage,
            key,
            entropy,
            session,
            frames: VecDeque::new(),
            synced: 0,
            older: VecDeque::new(),
            current: None,
            next_segment,
            reached: None,
            reached_synced: None,
            loaded: Loaded::default(),
            scratch: Vec::new(),
        };
        let recovery = journal.recover(&segments)?;
        Ok((journal, recovery))
    }

    fn recover(&mut self, segments: &[SegmentId]) -> Result<JournalRecovery, StorageError> {
        let mut recovery = JournalRecovery::default();
        let mut mark = None;
        for (index, &segment) in segments.iter().enumerate() {
            let bytes = self.storage.bytes(segment)?;
            let Some(sealer) = self.read_header(segment, bytes)? else {
                // Killed while it was being made or erased: no frame of it can be opened by anyone. One that looks whole is another
                // key's, or damaged; it is left where it is.
                if self.is_blank(segment, bytes)? {
                    self.storage.remove(segment)?;
                } else {
                    recovery.damaged_segments += 1;
                }
                continue;
            };
            let end = self.scan(segment, &sealer, bytes, &mut mark, &mut recovery)?;
            if end < bytes && index + 1 == segments.len() {
                recovery.torn_bytes = bytes - end;
                self.storage.truncate(segment, end)?;
                self.storage.sync(segment)?;
            } else if end < bytes {
                // A process that went on in a new segment after an error leaves a tail as well, so this is no proof of damage.
                recovery.torn_bytes += bytes - end;
            }
            self.older.push_back((segment, sealer));
        }
        // The frames were in the page cache of a process that died; whether they are on disk is known only after a sync.
        for (segment, _) in &self.older {
            self.storage.sync(*segment)?;
        }
        (self.synced, self.reached_synced) = (self.frames.len(), self.reached);
        if let Some((segment, number, entries)) = mark {
            let done = self.frames.iter().take_while(|frame| (frame.segment, frame.number) < (segment, number)).count();
            self.drop_front(done, &mut recovery)?;
            if let Some(frame) =
                self.frames.front_mut().filter(|frame| (frame.segment, frame.number) == (segment, number))
            {
                frame.confirmed = entries.min(frame.len);
            }
            let partial = usize::from(self.frames.front().is_some_and(|frame| frame.confirmed > 0));
            self.forget_confirmed(partial, &mut recovery)?;
        }
        self.erase_confirmed()?;
        Ok(recovery)
    }

    /// Drops `count` confirmed frames that were found, and takes them out of the count.
    fn drop_front(&mut self, count: usize, recovery: &mut JournalRecovery) -> Result<(), StorageError> {
        for frame in self.frames.range_mut(..count) {
            frame.confirmed = frame.len;
        }
        self.forget_confirmed(count, recovery)?;
        self.frames.drain(..count);
        self.synced -= count;
        Ok(())
    }

    fn forget_confirmed(&mut self, count: usize, recovery: &mut JournalRecovery) -> Result<(), StorageError> {
        for index in 0..count {
            self.load(index)?;
            let frame = &mut self.frames[index];
            let confirmed = frame.entries.take().unwrap_or_default();
            let confirmed = &confirmed[..frame.confirmed as usize];
            recovery.pdus -= confirmed.len() as u64;
            recovery.packets -= confirmed.iter().map(|entry| u64::from(entry.packets)).sum::<u64>();
        }
        Ok(())
    }

    fn read_header(&mut self, segment: SegmentId, bytes: u64) -> Result<Option<Sealer>, StorageError> {
        let mut header = [0; SEGMENT_HEADER_BYTES];
        if bytes < SEGMENT_HEADER_BYTES as u64 {
            return Ok(None);
        }
        self.storage.read(segment, 0, &mut header)?;
        Ok(Sealer::open(&self.key, &header, segment, self.session))
    }

    /// Whether there is no whole wrapped key in it: cut short while it was being made, or overwritten from the front while it was
    /// being erased.
    fn is_blank(&mut self, segment: SegmentId, bytes: u64) -> Result<bool, StorageError> {
        let mut header = [0; SEGMENT_HEADER_BYTES];
        if bytes < SEGMENT_HEADER_BYTES as u64 {
            return Ok(true);
        }
        self.storage.read(segment, 0, &mut header)?;
        Ok(header[0] == 0)
    }

    /// Reads the frames of a segment, and answers where the last one that opens ends.
    fn scan(
        &mut self,
        segment: SegmentId,
        sealer: &Sealer,
        bytes: u64,
        mark: &mut Mark,
        recovery: &mut JournalRecovery,
    ) -> Result<u64, StorageError> {
        let (mut offset, mut number) = (SEGMENT_HEADER_BYTES as u64, 0);
        loop {
            let mut header = [0; FRAME_HEADER_BYTES];
            if offset + FRAME_HEADER_BYTES as u64 > bytes {
                return Ok(offset);
            }
            self.storage.read(segment, offset, &mut header)?;
            let Some((sealed_bytes, kind)) = frame::parse_frame_header(header) else {
                recovery.damaged_frames += 1;
                return Ok(offset);
            };
            let body_at = offset + FRAME_HEADER_BYTES as u64;
            if body_at + u64::from(sealed_bytes) > bytes {
                return Ok(offset);
            }
            let mut sealed = vec![0; sealed_bytes as usize];
            self.storage.read(segment, body_at, &mut sealed)?;
            let Some(body) = sealer.open_frame(number, kind, &mut sealed) else {
                recovery.damaged_frames += 1;
                return Ok(offset);
            };
            match body {
                Body::Mark(segment, number, entries) => *mark = Some((segment, number, entries)).max(*mark),
                Body::Data { origin, entries, pdus } => {
                    let until = origin.2 + entries.len() as u32;
                    let seen = self
                        .reached
                        .is_some_and(|(arena, block, entry)| arena == origin.0 && (block, entry) >= (origin.1, until));
                    if !seen {
                        self.reached = Some((origin.0, origin.1, until));
                        recovery.pdus += entries.len() as u64;
                        recovery.packets += entries.iter().map(|entry| u64::from(entry.packets)).sum::<u64>();
                        self.frames.push_back(FrameRef {
                            segment,
                            offset,
                            sealed_bytes,
                            number,
                            len: entries.len() as u32,
                            bytes: pdus.len() as u32,
                            confirmed: 0,
                            entries: None,
                        });
                    }
                }
            }
            offset = body_at + u64::from(sealed_bytes);
            number += 1;
        }
    }
}
