//! Formatting blank memory, and finding everything again after a crash.

use super::{
    Arena, BlockMemory, ContextState, SealedBlock,
    contexts::ContextTable,
    layout::{
        BLOCK_BYTES, BLOCK_MAGIC_AT, ROW_BYTES, TABLE_ARENA_AT, TABLE_BLOCK_SEQUENCE_AT, TABLE_BLOCKS_AT,
        TABLE_BOOT_AT, TABLE_CHECK_AT, TABLE_FORMATTING, TABLE_MAGIC, TABLE_MAGIC_AT, barrier, load_u64, mix, store,
    },
};
use crate::units::ContextIndex;
use core::fmt;
use std::collections::{BTreeMap, VecDeque};

/// How the memory is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaConfig {
    /// Blocks at the front that hold the context table: 4095 numberings in the first, 4096 in each further one. A task takes 3 to 4
    /// a destination.
    pub context_blocks: usize,
}

impl Default for ArenaConfig {
    fn default() -> Self {
        Self { context_blocks: 1 }
    }
}

/// What the arena is told about the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaIdentity {
    /// Identity of this boot of the machine (`/proc/sys/kernel/random/boot_id`): memory from an earlier one is not trusted.
    pub boot: [u8; 16],
    /// Random; becomes the arena's identity if the memory is formatted now.
    pub arena: [u8; 16],
}

/// The memory cannot be an arena. Nothing in it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArenaError {
    /// A block does not have [`BLOCK_BYTES`]; its index and its size.
    BlockSize {
        /// Which one, from 0.
        index: usize,
        /// Its bytes.
        bytes: usize,
    },
    /// Fewer blocks than the context table and one session need.
    TooFewBlocks {
        /// Blocks given.
        given: usize,
        /// Blocks needed.
        needed: usize,
    },
    /// It starts with something else: this is some other file.
    ForeignContent,
}

impl fmt::Display for ArenaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockSize { index, bytes } => {
                write!(f, "arena block {index} has {bytes} bytes, {BLOCK_BYTES} are needed")
            }
            Self::TooFewBlocks { given, needed } => {
                write!(f, "the arena has {given} blocks, at least {needed} are needed")
            }
            Self::ForeignContent => {
                write!(f, "the arena's memory holds something else; give another file, or remove this one")
            }
        }
    }
}

impl core::error::Error for ArenaError {}

/// Why what the memory held was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscardReason {
    /// The machine was restarted since.
    Reboot,
    /// It had another number of blocks.
    Resized,
    /// The table's header does not check.
    Damaged,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Blank memory.
    Fresh,
    /// An arena, and everything in it.
    Recovered,
    /// An arena that cannot be trusted; it was formatted. Numberings start anew, under new CINs.
    Discarded(DiscardReason),
}

/// What [`Arena::open`] found.
#[derive(Debug)]
pub struct Recovery<B> {
    /// How it went.
    pub outcome: Outcome,
    /// Blocks with accepted, unconfirmed PDUs, in the order of their numbers. Each belongs to the session of its key.
    pub sealed: VecDeque<SealedBlock<B>>,
    /// The numberings.
    pub contexts: Vec<ContextState>,
    /// PDUs whose index entries did not check. More than 0 means that something else wrote into the memory.
    pub damaged_pdus: u64,
}

impl<B: BlockMemory> Arena<B> {
    /// Opens the arena in `blocks`: formats blank memory, recovers what a dead process left behind.
    ///
    /// # Errors
    /// [`ArenaError`].
    pub fn open(
        mut blocks: Vec<B>,
        config: &ArenaConfig,
        identity: &ArenaIdentity,
    ) -> Result<(Self, Recovery<B>), ArenaError> {
        if let Some(index) = blocks.iter().position(|block| block.as_ref().len() != BLOCK_BYTES) {
            return Err(ArenaError::BlockSize { index, bytes: blocks[index].as_ref().len() });
        }
        let table_blocks = config.context_blocks.max(1);
        let (given, needed) = (blocks.len(), table_blocks + 1);
        if given < needed {
            return Err(ArenaError::TooFewBlocks { given, needed });
        }
        let outcome = judge(&blocks[0].as_ref()[..ROW_BYTES], given, identity)?;
        let data = blocks.split_off(table_blocks);
        Ok(match outcome {
            Outcome::Recovered => Self::recover(blocks, data),
            Outcome::Fresh | Outcome::Discarded(_) => Self::format(blocks, data, identity, outcome),
        })
    }

    fn format(mut table: Vec<B>, mut data: Vec<B>, identity: &ArenaIdentity, outcome: Outcome) -> (Self, Recovery<B>) {
        let blocks_total = data.len();
        store(&mut table[0], TABLE_MAGIC_AT, &TABLE_FORMATTING.to_le_bytes());
        barrier();
        for (index, block) in table.iter_mut().enumerate() {
            let keep = if index == 0 { TABLE_MAGIC_AT + 8 } else { 0 };
            block.as_mut()[keep..].fill(0);
        }
        for block in &mut data {
            store(block, BLOCK_MAGIC_AT, &[0; 4]);
        }
        let mut contexts = ContextTable::load(table);
        let table_blocks = contexts.rows_total().div_ceil(BLOCK_BYTES / ROW_BYTES);
        contexts.store_header(TABLE_BOOT_AT, &identity.boot);
        contexts.store_header(TABLE_ARENA_AT, &identity.arena);
        contexts.store_header(TABLE_BLOCKS_AT, &((blocks_total + table_blocks) as u64).to_le_bytes());
        contexts.store_header(TABLE_BLOCK_SEQUENCE_AT, &1_u64.to_le_bytes());
        let check = header_check(contexts.header());
        contexts.store_header(TABLE_CHECK_AT, &check.to_le_bytes());
        barrier();
        contexts.store_header(TABLE_MAGIC_AT, &TABLE_MAGIC.to_le_bytes());
        barrier();
        let arena_id = load_u64(contexts.header(), TABLE_ARENA_AT);
        let arena = Self {
            contexts,
            free: data,
            shares: Vec::new(),
            destination_caps: Vec::new(),
            sealed: VecDeque::with_capacity(blocks_total),
            blocks_total,
            arena_id,
            next_block_sequence: 1,
        };
        (arena, Recovery { outcome, sealed: VecDeque::new(), contexts: Vec::new(), damaged_pdus: 0 })
    }

    fn recover(table: Vec<B>, data: Vec<B>) -> (Self, Recovery<B>) {
        let blocks_total = data.len();
        let mut contexts = ContextTable::load(table);
        let arena_id = load_u64(contexts.header(), TABLE_ARENA_AT);
        let mut next_block_sequence = load_u64(contexts.header(), TABLE_BLOCK_SEQUENCE_AT).max(1);
        let (mut free, mut held, mut damaged_pdus) = (Vec::with_capacity(blocks_total), Vec::new(), 0);
        for memory in data {
            match SealedBlock::recover(memory, arena_id) {
                Err(memory) => free.push(memory),
                Ok((block, damaged)) => {
                    damaged_pdus += u64::from(damaged);
                    next_block_sequence = next_block_sequence.max(block.sequence() + 1);
                    held.push(block);
                }
            }
        }
        held.sort_unstable_by_key(SealedBlock::sequence);
        let mut sealed: VecDeque<SealedBlock<B>> = VecDeque::with_capacity(blocks_total);
        for block in held {
            if block.confirmed() == block.len() {
                free.push(block.free().into_parts().2);
            } else {
                sealed.push_back(block);
            }
        }
        let states = settle(&mut contexts, &sealed);
        contexts.store_next_block_sequence(next_block_sequence);
        let mut arena = Self {
            contexts,
            free,
            shares: Vec::new(),
            destination_caps: Vec::new(),
            sealed: VecDeque::with_capacity(blocks_total),
            blocks_total,
            arena_id,
            next_block_sequence,
        };
        // What was recovered counts against its session's cap, which comes when the session is registered.
        for block in &sealed {
            let index = arena.register(block.key(), 1);
            arena.shares[index.0].blocks += 1;
        }
        (arena, Recovery { outcome: Outcome::Recovered, sealed, contexts: states, damaged_pdus })
    }
}

/// Brings the numberings up to what the blocks prove: a process may die between accepting a PDU and storing the next number.
fn settle<B: BlockMemory>(contexts: &mut ContextTable<B>, sealed: &VecDeque<SealedBlock<B>>) -> Vec<ContextState> {
    let mut states: BTreeMap<ContextIndex, ContextState> = contexts.all().map(|state| (state.index, state)).collect();
    for block in sealed {
        for index in 0..block.len() {
            let entry = block.entry(index);
            let Some(state) = states.get_mut(&entry.context) else { continue };
            if index >= block.confirmed() {
                state.buffered_pdus += 1;
                state.buffered_packets += u64::from(entry.packets);
            }
            if !entry.numbered {
                continue;
            }
            // The entry's number is the low half of one that is close to the row's.
            let ahead = entry.sequence.wrapping_sub(state.next_sequence as u32);
            if ahead < u32::MAX / 2 {
                state.next_sequence += u64::from(ahead) + 1;
            }
            // The last PDU of a numbering tells the last record, even if the process died before it stored that in the row. Earlier
            // ones do not: the card may have begun to count anew since.
            if entry.has_record && entry.sequence.wrapping_add(1) == state.next_sequence as u32 {
                state.last_record = Some(entry.record);
            }
        }
    }
    for state in states.values() {
        contexts.advance(state.index, state.next_sequence, state.last_record);
    }
    states.into_values().collect()
}

fn header_check(header: &[u8]) -> u64 {
    mix(&[
        load_u64(header, TABLE_BOOT_AT),
        load_u64(header, TABLE_BOOT_AT + 8),
        load_u64(header, TABLE_ARENA_AT),
        load_u64(header, TABLE_ARENA_AT + 8),
        load_u64(header, TABLE_BLOCKS_AT),
    ])
}

fn judge(header: &[u8], blocks: usize, identity: &ArenaIdentity) -> Result<Outcome, ArenaError> {
    let magic = load_u64(header, TABLE_MAGIC_AT);
    if magic == TABLE_FORMATTING || header.iter().all(|&byte| byte == 0) {
        return Ok(Outcome::Fresh);
    }
    if magic != TABLE_MAGIC {
        return Err(ArenaError::ForeignContent);
    }
    Ok(if load_u64(header, TABLE_CHECK_AT) != header_check(header) {
        Outcome::Discarded(DiscardReason::Damaged)
    } else if load_u64(header, TABLE_BLOCKS_AT) != blocks as u64 {
        Outcome::Discarded(DiscardReason::Resized)
    } else if header[TABLE_BOOT_AT..TABLE_BOOT_AT + 16] != identity.boot {
        Outcome::Discarded(DiscardReason::Reboot)
    } else {
        Outcome::Recovered
    })
}
