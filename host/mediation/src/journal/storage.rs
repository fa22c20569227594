//! What a journal asks of the outside: files, a key, randomness.

use core::fmt;

/// Number of a segment; later ones have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);

/// What went wrong with the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// No room.
    Full,
    /// The system refused or failed.
    Io,
}

/// A failed storage operation. The disk or its owner is at fault; nothing that was synced is lost by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageError {
    /// What kind of failure.
    pub kind: StorageErrorKind,
    /// The operation, like `write`.
    pub operation: &'static str,
    /// The segment.
    pub segment: Option<SegmentId>,
    /// What the system said.
    pub detail: String,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StorageErrorKind::Full => "no room left",
            StorageErrorKind::Io => "the system failed",
        };
        write!(f, "journal storage, {}", self.operation)?;
        if let Some(SegmentId(number)) = self.segment {
            write!(f, " of segment {number}")?;
        }
        write!(f, ": {what}: {}", self.detail)
    }
}

impl core::error::Error for StorageError {}

/// Numbered files. The daemon keeps one folder a session; the simulator keeps bytes and loses what was not synced.
pub trait Storage: Send {
    /// The segments that exist, in any order.
    fn list(&mut self) -> Result<Vec<SegmentId>, StorageError>;
    /// Makes an empty segment, so that it is still there after a power failure (sync the folder).
    fn create(&mut self, segment: SegmentId) -> Result<(), StorageError>;
    /// Writes at an offset, extending the segment where needed. After an error anything between nothing and all was written.
    fn write(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) -> Result<(), StorageError>;
    /// Returns when everything written to the segment before will survive a power failure. After an error nothing is known about
    /// it.
    fn sync(&mut self, segment: SegmentId) -> Result<(), StorageError>;
    /// Reads exactly `into.len()` bytes at an offset; fewer is an error.
    fn read(&mut self, segment: SegmentId, offset: u64, into: &mut [u8]) -> Result<(), StorageError>;
    /// Length of the segment.
    fn bytes(&mut self, segment: SegmentId) -> Result<u64, StorageError>;
    /// Cuts the segment to a length.
    fn truncate(&mut self, segment: SegmentId, bytes: u64) -> Result<(), StorageError>;
    /// Removes the segment.
    fn remove(&mut self, segment: SegmentId) -> Result<(), StorageError>;
}

/// Key of one session's journal; it wraps the segments' data keys. `Debug` shows nothing.
#[derive(Clone)]
pub struct JournalKey(pub [u8; 32]);

impl fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalKey(<redacted>)")
    }
}

/// Source of randomness. It has to be the system's, except in the simulator.
pub trait Entropy: Send {
    /// Fills `into` with random bytes.
    fn fill(&mut self, into: &mut [u8]);
}

impl<F: FnMut(&mut [u8]) + Send> Entropy for F {
    fn fill(&mut self, into: &mut [u8]) {
        self(into);
    }
}
