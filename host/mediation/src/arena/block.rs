//! One block: filling it, reading it, confirming it, giving it back.

use super::{
    BlockMemory,
    layout::{
        BLOCK_ARENA_AT, BLOCK_BYTES, BLOCK_CHECK_AT, BLOCK_COMMIT_AT, BLOCK_CONFIRMED_AT, BLOCK_DESTINATION_AT,
        BLOCK_INTERFACE_AT, BLOCK_MAGIC, BLOCK_MAGIC_AT, BLOCK_SEQUENCE_AT, ENTRY_BYTES, HEADER_BYTES, barrier,
        load_u16, load_u32, load_u64, mix, store,
    },
};
use crate::units::{ContextIndex, DestinationIndex, Interface, RecordNumber, SessionKey};
use core::{fmt, ops::Range};

/// One PDU in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where the PDU ends, counted in bytes of PDUs from the start of the block. It starts where the one before ends.
    pub end: u32,
    /// The numbering that it belongs to.
    pub context: ContextIndex,
    /// Its number, low 32 bits.
    pub sequence: u32,
    /// The card's record that it was made from; zero for an event.
    pub record: RecordNumber,
    /// Packets in it; 0 for an event (begin, end, notice).
    pub packets: u16,
    /// Whether `record` means something.
    pub has_record: bool,
    /// Whether it took `sequence` from the numbering; cINReset does not.
    pub numbered: bool,
}

impl Entry {
    /// `packets`, the flags and the record's ring as one word.
    pub(crate) fn meta(&self) -> u32 {
        let flags = u32::from(self.has_record) << 16 | u32::from(self.numbered) << 17;
        u32::from(self.packets) | flags | u32::from(self.record.ring) << 24
    }

    /// Puts an entry together from its words as they are stored.
    pub(crate) fn from_words(end: u32, context: u32, sequence: u32, record: u32, meta: u32) -> Self {
        Self {
            end,
            context: ContextIndex(context),
            sequence,
            record: RecordNumber { ring: (meta >> 24) as u8, sequence: record },
            packets: meta as u16,
            has_record: meta >> 16 & 1 == 1,
            numbered: meta >> 17 & 1 == 1,
        }
    }

    fn check(&self, block_sequence: u64, index: u32) -> u32 {
        let words = [
            block_sequence,
            u64::from(index) << 32 | u64::from(self.end),
            u64::from(self.context.0) << 32 | u64::from(self.sequence),
            u64::from(self.record.sequence) << 32 | u64::from(self.meta()),
        ];
        (mix(&words) >> 16) as u32
    }
}

/// A block's memory and what its header says, kept beside it.
struct Block<B> {
    memory: B,
    key: SessionKey,
    arena_id: u64,
    sequence: u64,
    bytes: u32,
    entries: u32,
}

impl<B> fmt::Debug for Block<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("key", &self.key)
            .field("sequence", &self.sequence)
            .field("bytes", &self.bytes)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

const fn entry_at(index: u32) -> usize {
    BLOCK_BYTES - (index as usize + 1) * ENTRY_BYTES
}

fn static_check(key: SessionKey, arena_id: u64, sequence: u64) -> u64 {
    mix(&[u64::from(key.destination.0) << 8 | key.interface as u64, arena_id, sequence])
}

impl<B: BlockMemory> Block<B> {
    fn free_bytes(&self) -> usize {
        BLOCK_BYTES - HEADER_BYTES - self.bytes as usize - self.entries as usize * ENTRY_BYTES
    }

    fn entry(&self, index: u32) -> Entry {
        let (memory, at) = (self.memory.as_ref(), entry_at(index));
        let [end, context, sequence, record, meta] = [0, 4, 8, 12, 16].map(|word| load_u32(memory, at + word));
        Entry::from_words(end, context, sequence, record, meta)
    }

    fn store_entry(&mut self, index: u32, entry: &Entry) {
        let mut bytes = [0; ENTRY_BYTES];
        store(&mut bytes, 0, &entry.end.to_le_bytes());
        store(&mut bytes, 4, &entry.context.0.to_le_bytes());
        store(&mut bytes, 8, &entry.sequence.to_le_bytes());
        store(&mut bytes, 12, &entry.record.sequence.to_le_bytes());
        store(&mut bytes, 16, &entry.meta().to_le_bytes());
        store(&mut bytes, 20, &entry.check(self.sequence, index).to_le_bytes());
        store(&mut self.memory, entry_at(index), &bytes);
    }

    fn store_commit(&mut self, bytes: u32, entries: u32) {
        barrier();
        let word = u64::from(bytes) | u64::from(entries) << 32;
        store(&mut self.memory, BLOCK_COMMIT_AT, &word.to_le_bytes());
        barrier();
        (self.bytes, self.entries) = (bytes, entries);
    }
}

/// The block that the encoder fills for a session.
#[derive(Debug)]
pub struct OpenBlock<B>(Block<B>);

impl<B: BlockMemory> OpenBlock<B> {
    pub(super) fn format(mut memory: B, key: SessionKey, arena_id: u64, sequence: u64) -> Self {
        store(&mut memory, BLOCK_MAGIC_AT, &0_u32.to_le_bytes());
        barrier();
        store(&mut memory, BLOCK_INTERFACE_AT, &[key.interface as u8]);
        store(&mut memory, BLOCK_DESTINATION_AT, &key.destination.0.to_le_bytes());
        store(&mut memory, BLOCK_ARENA_AT, &arena_id.to_le_bytes());
        store(&mut memory, BLOCK_SEQUENCE_AT, &sequence.to_le_bytes());
        store(&mut memory, BLOCK_COMMIT_AT, &[0; 24]);
        store(&mut memory, BLOCK_CHECK_AT, &static_check(key, arena_id, sequence).to_le_bytes());
        barrier();
        store(&mut memory, BLOCK_MAGIC_AT, &BLOCK_MAGIC.to_le_bytes());
        Self(Block { memory, key, arena_id, sequence, bytes: 0, entries: 0 })
    }

    #[inline]
    pub(crate) fn has_room(&self, pdu_bytes: usize) -> bool {
        self.0.free_bytes() >= pdu_bytes + ENTRY_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.entries == 0
    }

    /// Where the next PDU is to be written; as long as it can be.
    #[inline]
    pub(crate) fn space(&mut self) -> &mut [u8] {
        let start = HEADER_BYTES + self.0.bytes as usize;
        let end = entry_at(self.0.entries);
        &mut self.0.memory.as_mut()[start..end]
    }

    /// Accepts the PDU of `pdu_bytes` that was just written into [`OpenBlock::space`]. `entry.end` is filled in here.
    #[inline]
    pub(crate) fn commit(&mut self, pdu_bytes: usize, mut entry: Entry) {
        let index = self.0.entries;
        entry.end = self.0.bytes + pdu_bytes as u32;
        self.0.store_entry(index, &entry);
        self.0.store_commit(entry.end, index + 1);
    }

    pub(super) fn seal(self) -> SealedBlock<B> {
        SealedBlock { block: self.0, confirmed: 0 }
    }
}

/// A block on its way to the peer. It keeps what was confirmed in its memory, so that a restart re-sends no more than it must.
#[derive(Debug)]
pub struct SealedBlock<B> {
    block: Block<B>,
    confirmed: u32,
}

impl<B: BlockMemory> SealedBlock<B> {
    /// Reads a block back after a restart. `None` if the memory holds no block of this arena; the second value counts entries that
    /// the commit word promised and that are damaged (they and what follows are cut off).
    pub(super) fn recover(memory: B, arena_id: u64) -> Result<(Self, u32), B> {
        let bytes = memory.as_ref();
        let interface = Interface::from_bits(bytes[BLOCK_INTERFACE_AT]);
        let (magic, sequence) = (load_u32(bytes, BLOCK_MAGIC_AT), load_u64(bytes, BLOCK_SEQUENCE_AT));
        let Some(interface) = interface.filter(|_| magic == BLOCK_MAGIC && load_u64(bytes, BLOCK_ARENA_AT) == arena_id)
        else {
            return Err(memory);
        };
        let key = SessionKey { destination: DestinationIndex(load_u16(bytes, BLOCK_DESTINATION_AT)), interface };
        if load_u64(bytes, BLOCK_CHECK_AT) != static_check(key, arena_id, sequence) {
            return Err(memory);
        }
        let promised = load_u32(bytes, BLOCK_COMMIT_AT + 4).min(((BLOCK_BYTES - HEADER_BYTES) / ENTRY_BYTES) as u32);
        let confirmed = load_u32(bytes, BLOCK_CONFIRMED_AT + 4);
        let mut block = Block { memory, key, arena_id, sequence, bytes: 0, entries: 0 };
        for index in 0..promised {
            let entry = block.entry(index);
            let stated = load_u32(block.memory.as_ref(), entry_at(index) + 20);
            let fits = HEADER_BYTES + entry.end as usize <= entry_at(index) && entry.end > block.bytes;
            if stated != entry.check(sequence, index) || !fits {
                break;
            }
            (block.bytes, block.entries) = (entry.end, index + 1);
        }
        let damaged = promised - block.entries;
        let confirmed = confirmed.min(block.entries);
        Ok((Self { block, confirmed }, damaged))
    }

    /// The session that it belongs to.
    pub fn key(&self) -> SessionKey {
        self.block.key
    }

    /// Its number; later blocks of an arena have higher ones.
    pub fn sequence(&self) -> u64 {
        self.block.sequence
    }

    /// Identity of the arena that it belongs to.
    pub fn arena_id(&self) -> u64 {
        self.block.arena_id
    }

    /// PDUs in it.
    pub fn len(&self) -> u32 {
        self.block.entries
    }

    /// Whether there is no PDU in it.
    pub fn is_empty(&self) -> bool {
        self.block.entries == 0
    }

    /// Bytes of PDUs in it.
    pub fn bytes(&self) -> u32 {
        self.block.bytes
    }

    /// PDUs that were confirmed, counted from the first.
    pub fn confirmed(&self) -> u32 {
        self.confirmed
    }

    /// The entry of PDU `index`.
    ///
    /// # Panics
    /// If `index` is not below [`SealedBlock::len`].
    pub fn entry(&self, index: u32) -> Entry {
        assert!(index < self.block.entries, "a block of {} PDUs was asked for number {index}", self.block.entries);
        self.block.entry(index)
    }

    /// Where PDU `index` starts.
    pub fn start_of(&self, index: u32) -> u32 {
        if index == 0 { 0 } else { self.entry(index - 1).end }
    }

    /// Bytes of PDUs; PDUs stand one after the other.
    pub fn pdus(&self, range: Range<u32>) -> &[u8] {
        let limit = self.block.bytes;
        let (start, end) = (range.start.min(limit) as usize, range.end.min(limit) as usize);
        &self.block.memory.as_ref()[HEADER_BYTES + start.min(end)..HEADER_BYTES + end]
    }

    /// Notes that the first `entries` PDUs were confirmed. Never goes back.
    pub fn confirm(&mut self, entries: u32) {
        let entries = entries.clamp(self.confirmed, self.block.entries);
        let bytes = self.start_of_or_end(entries);
        let word = u64::from(bytes) | u64::from(entries) << 32;
        store(&mut self.block.memory, BLOCK_CONFIRMED_AT, &word.to_le_bytes());
        self.confirmed = entries;
    }

    fn start_of_or_end(&self, entry: u32) -> u32 {
        if entry == 0 { 0 } else { self.block.entry(entry - 1).end }
    }

    /// Appends the PDUs of a later block of the same session and frees that one, so that a trickle of PDUs does not hold a block
    /// each. Refused if they do not fit or were partly confirmed.
    ///
    /// # Errors
    /// The later block, unchanged.
    pub fn merge(&mut self, later: Self) -> Result<FreeBlock<B>, Self> {
        let needed = later.block.bytes as usize + later.block.entries as usize * ENTRY_BYTES;
        let related = later.block.key == self.block.key
            && later.block.arena_id == self.block.arena_id
            && later.block.sequence > self.block.sequence;
        if !related || later.confirmed > 0 || needed > self.block.free_bytes() {
            return Err(later);
        }
        let (base, first) = (self.block.bytes, self.block.entries);
        let target = HEADER_BYTES + base as usize;
        store(&mut self.block.memory, target, later.pdus(0..later.block.bytes));
        for index in 0..later.block.entries {
            let mut entry = later.block.entry(index);
            entry.end += base;
            self.block.store_entry(first + index, &entry);
        }
        // Killed before this store: they are in the later block. Killed before the next one, which frees that: in both, and they go out twice.
        self.block.store_commit(base + later.block.bytes, first + later.block.entries);
        Ok(later.free())
    }

    /// Gives the memory back. What was in it is gone.
    pub fn free(mut self) -> FreeBlock<B> {
        store(&mut self.block.memory, BLOCK_MAGIC_AT, &0_u32.to_le_bytes());
        barrier();
        FreeBlock { key: self.block.key, arena_id: self.block.arena_id, memory: self.block.memory }
    }
}

/// Memory on its way back to the encoder.
pub struct FreeBlock<B> {
    key: SessionKey,
    arena_id: u64,
    memory: B,
}

impl<B> FreeBlock<B> {
    /// The session that it belonged to.
    pub fn key(&self) -> SessionKey {
        self.key
    }

    pub(super) fn into_parts(self) -> (SessionKey, u64, B) {
        (self.key, self.arena_id, self.memory)
    }
}

impl<B> fmt::Debug for FreeBlock<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeBlock").field("key", &self.key).finish_non_exhaustive()
    }
}
