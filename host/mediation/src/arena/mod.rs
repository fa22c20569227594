//! Bounded memory for PDUs that were accepted and not yet confirmed. It survives the death of the process.
//!
//! The caller gives a number of blocks of [`BLOCK_BYTES`] each, usually parts of one shared file mapping. The first ones hold the
//! *context table* (the next sequence number of each numbering), the others hold PDUs. A block belongs to one session at a time and
//! moves through the threads as an owned value: the encoder fills it, the session sends it, and the memory comes back.
//!
//! # What accepted means
//! PDUs grow from the start of a block, their index entries from its end. A PDU is accepted at the instant when the block's commit
//! word counts its entry; that is one store, after everything else of the PDU was stored. After `kill -9` [`Arena::open`] finds
//! every accepted PDU that was not confirmed, octet for octet, and the numbering goes on behind it. Entries carry a check over
//! their content and the block's number, so that an old entry in reused memory is never taken for a new one.
//!
//! # What it refuses
//! Memory of another layout, size or version is not touched unless it is blank. Memory from before a reboot is not trusted (its
//! pages may have been written back in any order): it is formatted and [`Outcome::Discarded`] says so, because then sequence
//! numbers have to start anew.
//!
//! # Limits
//! Every session has a cap of blocks; nothing is ever allocated after [`Arena::open`]. Nothing blocks.

mod block;
mod contexts;
mod layout;
mod open;

pub use block::{Entry, FreeBlock, OpenBlock, SealedBlock};
pub use contexts::{ContextKey, ContextState, SequenceKind};
pub use layout::{BLOCK_BYTES, PDU_BYTES_MAX};
pub use open::{ArenaConfig, ArenaError, ArenaIdentity, DiscardReason, Outcome, Recovery};

use crate::units::{HostNs, SessionKey};
pub(crate) use contexts::ContextTable;
use std::collections::VecDeque;

/// Memory of one block. The bytes must be the caller's alone while the value lives.
pub trait BlockMemory: AsRef<[u8]> + AsMut<[u8]> + Send {}
impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> BlockMemory for T {}

/// Room for a PDU could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The session has all the blocks it may have: its peer is slow or away.
    SessionCap,
    /// No block is free at all.
    Arena,
}

/// A session's share of the arena.
#[derive(Debug)]
struct Share<B> {
    key: SessionKey,
    cap_blocks: usize,
    /// Blocks that belong to the session now, wherever they are.
    blocks: usize,
    open: Option<OpenBlock<B>>,
    opened_at: HostNs,
}

/// Dense number of a registered session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShareIndex(usize);

/// The blocks that no session holds, the open block of each session, and the context table.
#[derive(Debug)]
pub struct Arena<B> {
    pub(crate) contexts: ContextTable<B>,
    free: Vec<B>,
    shares: Vec<Share<B>>,
    sealed: VecDeque<SealedBlock<B>>,
    blocks_total: usize,
    arena_id: u64,
    next_block_sequence: u64,
}

/// How full the arena is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaUsage {
    /// Blocks for PDUs.
    pub blocks_total: usize,
    /// Of these, free.
    pub blocks_free: usize,
    /// Sum of the sessions' caps. More than `blocks_total` means that a slow destination can make [`NoRoom::Arena`] happen to
    /// others.
    pub blocks_promised: usize,
    /// Rows of the context table.
    pub contexts_total: usize,
    /// Of these, in use.
    pub contexts_used: usize,
}

impl<B: BlockMemory> Arena<B> {
    /// Registers a session, or changes its cap.
    pub(crate) fn register(&mut self, key: SessionKey, cap_blocks: usize) -> ShareIndex {
        if let Some(index) = self.shares.iter().position(|share| share.key == key) {
            self.shares[index].cap_blocks = cap_blocks.max(1);
            return ShareIndex(index);
        }
        self.shares.push(Share { key, cap_blocks: cap_blocks.max(1), blocks: 0, open: None, opened_at: HostNs(0) });
        ShareIndex(self.shares.len() - 1)
    }

    pub(crate) fn share(&self, key: SessionKey) -> Option<ShareIndex> {
        self.shares.iter().position(|share| share.key == key).map(ShareIndex)
    }

    /// How full it is.
    pub fn usage(&self) -> ArenaUsage {
        ArenaUsage {
            blocks_total: self.blocks_total,
            blocks_free: self.free.len(),
            blocks_promised: self.shares.iter().map(|share| share.cap_blocks).sum(),
            contexts_total: self.contexts.rows_total(),
            contexts_used: self.contexts.rows_used(),
        }
    }

    /// A block of the session with room for one PDU of `pdu_bytes`. An open block without room is sealed on the way.
    #[inline]
    pub(crate) fn room(
        &mut self,
        index: ShareIndex,
        pdu_bytes: usize,
        now: HostNs,
    ) -> Result<&mut OpenBlock<B>, NoRoom> {
        let has_room = self.shares[index.0].open.as_ref().is_some_and(|block| block.has_room(pdu_bytes));
        if !has_room {
            self.renew(index, now)?;
        }
        Ok(self.shares[index.0].open.as_mut().expect("it has room or was renewed"))
    }

    #[cold]
    fn renew(&mut self, index: ShareIndex, now: HostNs) -> Result<(), NoRoom> {
        let share = &mut self.shares[index.0];
        if let Some(full) = share.open.take() {
            self.sealed.push_back(full.seal());
        }
        if share.blocks >= share.cap_blocks {
            return Err(NoRoom::SessionCap);
        }
        let memory = self.free.pop().ok_or(NoRoom::Arena)?;
        let sequence = self.next_block_sequence;
        self.next_block_sequence += 1;
        // Before the block is in use, so that its number is never given out again.
        self.contexts.store_next_block_sequence(self.next_block_sequence);
        share.open = Some(OpenBlock::format(memory, share.key, self.arena_id, sequence));
        share.blocks += 1;
        share.opened_at = now;
        Ok(())
    }

    /// Seals the open blocks that were opened at least `age_ns_min` ago and hold something.
    pub(crate) fn flush(&mut self, now: HostNs, age_ns_min: u64) {
        for share in &mut self.shares {
            let old = now.since(share.opened_at) >= age_ns_min;
            if let Some(block) = share.open.take_if(|block| old && !block.is_empty()) {
                self.sealed.push_back(block.seal());
            }
        }
    }

    pub(crate) fn pop_sealed(&mut self) -> Option<SealedBlock<B>> {
        self.sealed.pop_front()
    }

    /// Takes memory back. A block that belongs to another arena, which the caller mixed up, is dropped.
    pub(crate) fn recycle(&mut self, block: FreeBlock<B>) {
        let (key, arena_id, memory) = block.into_parts();
        if arena_id != self.arena_id {
            return;
        }
        if let Some(share) = self.shares.iter_mut().find(|share| share.key == key) {
            share.blocks = share.blocks.saturating_sub(1);
        }
        self.free.push(memory);
    }
}
