//! The context table: one row a numbering, with the next number to give out. It lives in the same memory as the blocks.

use super::{
    BlockMemory,
    layout::{
        BLOCK_BYTES, ROW_BYTES, ROW_CHECK_AT, ROW_CIN_AT, ROW_CORRELATION_AT, ROW_DESTINATION_AT, ROW_FINGERPRINT_AT,
        ROW_INTERFACE_AT, ROW_KIND_AT, ROW_MAGIC, ROW_MAGIC_AT, ROW_NEXT_AT, ROW_RECORD_AT, ROW_TASK_AT,
        TABLE_BLOCK_SEQUENCE_AT, barrier, load_u16, load_u32, load_u64, mix, store,
    },
};
use crate::units::{ContextIndex, DestinationIndex, Interface, RecordNumber, SessionKey, TaskIndex};
use core::fmt;
use writ_handover::ids::Cin;

/// What is numbered. Each kind counts for itself within (destination, LIID, CIN) or (destination, XID, correlation id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SequenceKind {
    /// IRI PS-PDUs.
    Iri = 0,
    /// Content PS-PDUs.
    Content = 1,
    /// HI1 notices, which go out on HI2 without a CIN.
    Notification = 2,
    /// X2 PDUs.
    X2 = 3,
    /// X3 PDUs.
    X3 = 4,
    /// Hashes over IRI PS-PDUs.
    IriHash = 5,
    /// Signatures over those.
    IriSignature = 6,
    /// Hashes over content PS-PDUs.
    ContentHash = 7,
    /// Signatures over those.
    ContentSignature = 8,
    /// Nothing that goes out: numbers of the packets' numbering that lost packets used up are counted here.
    Lost = 9,
}

impl SequenceKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Iri,
        Self::Content,
        Self::Notification,
        Self::X2,
        Self::X3,
        Self::IriHash,
        Self::IriSignature,
        Self::ContentHash,
        Self::ContentSignature,
        Self::Lost,
    ];

    /// Numbers of hashes and signatures, which go beside what was intercepted.
    pub const fn is_integrity(self) -> bool {
        matches!(self, Self::IriHash | Self::IriSignature | Self::ContentHash | Self::ContentSignature)
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Iri),
            1 => Some(Self::Content),
            2 => Some(Self::Notification),
            3 => Some(Self::X2),
            4 => Some(Self::X3),
            5 => Some(Self::IriHash),
            6 => Some(Self::IriSignature),
            7 => Some(Self::ContentHash),
            8 => Some(Self::ContentSignature),
            9 => Some(Self::Lost),
            _ => None,
        }
    }
}

/// What a numbering belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextKey {
    /// The task.
    pub task: TaskIndex,
    /// The session that the PDUs go through.
    pub session: SessionKey,
    /// What is numbered.
    pub kind: SequenceKind,
    /// Communication identity number; for X2/X3 it numbers the runs of the task.
    pub cin: Cin,
    /// Digest of XID and LIID: a task index that was given to another task is not mistaken for the old one.
    pub fingerprint: [u8; 16],
}

/// A numbering as it was found after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextState {
    /// Its row.
    pub index: ContextIndex,
    /// What it belongs to.
    pub key: ContextKey,
    /// X2/X3 correlation id.
    pub correlation_id: u64,
    /// Next number to give out.
    pub next_sequence: u64,
    /// Last record of the card that became a PDU of it.
    pub last_record: Option<RecordNumber>,
    /// Accepted PDUs that are not confirmed.
    pub buffered_pdus: u64,
    /// Packets in them.
    pub buffered_packets: u64,
}

/// Rows of [`ROW_BYTES`] in the first blocks of the arena. Row 0 of the first block is the table's own header.
pub(crate) struct ContextTable<B> {
    memory: Vec<B>,
    used: Vec<bool>,
}

impl<B> fmt::Debug for ContextTable<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextTable").field("rows", &self.used.len()).finish_non_exhaustive()
    }
}

const ROWS_PER_BLOCK: usize = BLOCK_BYTES / ROW_BYTES;

impl<B: BlockMemory> ContextTable<B> {
    /// Takes the memory as it is. Rows that do not check are free.
    pub(super) fn load(memory: Vec<B>) -> Self {
        let rows = memory.len() * ROWS_PER_BLOCK - 1;
        let mut table = Self { memory, used: vec![false; rows] };
        for index in 0..rows {
            table.used[index] = table.read(ContextIndex(index as u32)).is_some();
        }
        table
    }

    pub(super) fn rows_total(&self) -> usize {
        self.used.len()
    }

    pub(super) fn rows_used(&self) -> usize {
        self.used.iter().filter(|&&used| used).count()
    }

    pub(super) fn store_next_block_sequence(&mut self, sequence: u64) {
        store(&mut self.memory[0], TABLE_BLOCK_SEQUENCE_AT, &sequence.to_le_bytes());
        barrier();
    }

    /// The table's own header.
    pub(super) fn header(&self) -> &[u8] {
        &self.memory[0].as_ref()[..ROW_BYTES]
    }

    /// Stores a field of the table's own header.
    pub(super) fn store_header(&mut self, at: usize, value: &[u8]) {
        store(&mut self.memory[0], at, value);
    }

    fn place(index: ContextIndex) -> (usize, usize) {
        let row = index.0 as usize + 1;
        (row / ROWS_PER_BLOCK, row % ROWS_PER_BLOCK * ROW_BYTES)
    }

    fn row(&self, index: ContextIndex) -> &[u8] {
        let (block, at) = Self::place(index);
        &self.memory[block].as_ref()[at..at + ROW_BYTES]
    }

    fn store_row(&mut self, index: ContextIndex, at: usize, value: &[u8]) {
        let (block, row) = Self::place(index);
        store(&mut self.memory[block], row + at, value);
    }

    /// The row, or `None` if it is free or damaged.
    pub(super) fn read(&self, index: ContextIndex) -> Option<ContextState> {
        if index.0 as usize >= self.used.len() {
            return None;
        }
        let row = self.row(index);
        if load_u32(row, ROW_MAGIC_AT) != ROW_MAGIC || load_u64(row, ROW_CHECK_AT) != row_check(row) {
            return None;
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&row[ROW_FINGERPRINT_AT..ROW_FINGERPRINT_AT + 16]);
        let kind = SequenceKind::from_bits(row[ROW_KIND_AT])?;
        // The other meaning of these octets is `told`.
        let record = if kind == SequenceKind::Lost { 0 } else { load_u64(row, ROW_RECORD_AT) };
        let session = SessionKey {
            destination: DestinationIndex(load_u16(row, ROW_DESTINATION_AT)),
            interface: Interface::from_bits(row[ROW_INTERFACE_AT])?,
        };
        Some(ContextState {
            index,
            key: ContextKey {
                task: TaskIndex(load_u32(row, ROW_TASK_AT)),
                session,
                kind,
                cin: Cin(load_u32(row, ROW_CIN_AT)),
                fingerprint,
            },
            correlation_id: load_u64(row, ROW_CORRELATION_AT),
            next_sequence: load_u64(row, ROW_NEXT_AT),
            last_record: (record >> 32 & 1 == 1)
                .then_some(RecordNumber { ring: (record >> 40) as u8, sequence: record as u32 }),
            buffered_pdus: 0,
            buffered_packets: 0,
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ContextState> {
        (0..self.used.len() as u32).filter_map(|index| self.read(ContextIndex(index)))
    }

    /// The row of a numbering that exists already. Its CIN may differ from `key`'s: the answer says which one runs.
    pub(crate) fn find(&self, key: &ContextKey) -> Option<ContextState> {
        self.all().find(|state| state.key == *key)
    }

    /// A new row with next number 0. `None` if the table is full.
    pub(crate) fn insert(&mut self, key: &ContextKey, correlation_id: u64) -> Option<ContextIndex> {
        let free = self.used.iter().position(|used| !used)?;
        let index = ContextIndex(free as u32);
        let mut row = [0; ROW_BYTES];
        store(&mut row, ROW_TASK_AT, &key.task.0.to_le_bytes());
        store(&mut row, ROW_DESTINATION_AT, &key.session.destination.0.to_le_bytes());
        row[ROW_INTERFACE_AT] = key.session.interface as u8;
        row[ROW_KIND_AT] = key.kind as u8;
        store(&mut row, ROW_CIN_AT, &key.cin.0.to_le_bytes());
        store(&mut row, ROW_FINGERPRINT_AT, &key.fingerprint);
        store(&mut row, ROW_CORRELATION_AT, &correlation_id.to_le_bytes());
        let check = row_check(&row);
        store(&mut row, ROW_CHECK_AT, &check.to_le_bytes());
        self.store_row(index, 0, &row);
        barrier();
        self.store_row(index, ROW_MAGIC_AT, &ROW_MAGIC.to_le_bytes());
        self.used[free] = true;
        Some(index)
    }

    pub(crate) fn remove(&mut self, index: ContextIndex) {
        if let Some(used) = self.used.get_mut(index.0 as usize) {
            *used = false;
            self.store_row(index, ROW_MAGIC_AT, &0_u32.to_le_bytes());
            barrier();
        }
    }

    /// Stores the next number of a numbering, and the record behind the last one.
    #[inline]
    pub(crate) fn advance(&mut self, index: ContextIndex, next_sequence: u64, record: Option<RecordNumber>) {
        self.store_row(index, ROW_NEXT_AT, &next_sequence.to_le_bytes());
        if let Some(record) = record {
            let word = u64::from(record.sequence) | 1 << 32 | u64::from(record.ring) << 40;
            self.store_row(index, ROW_RECORD_AT, &word.to_le_bytes());
        }
    }

    /// Of a row of lost numbers: those that the encoder was told of.
    pub(super) fn told(&self, index: ContextIndex) -> u64 {
        load_u64(self.row(index), ROW_RECORD_AT)
    }

    pub(super) fn store_told(&mut self, index: ContextIndex, packets: u64) {
        self.store_row(index, ROW_RECORD_AT, &packets.to_le_bytes());
    }
}

/// Check over what does not change while the row is in use.
fn row_check(row: &[u8]) -> u64 {
    mix(&[
        load_u64(row, ROW_TASK_AT),
        load_u32(row, ROW_CIN_AT).into(),
        load_u64(row, ROW_FINGERPRINT_AT),
        load_u64(row, ROW_FINGERPRINT_AT + 8),
        load_u64(row, ROW_CORRELATION_AT),
    ])
}
