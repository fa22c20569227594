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
//! Every session has a cap of blocks, and so has a destination for its sessions together; nothing is ever allocated after
//! [`Arena::open`]. Nothing blocks.
//!
//! # When a block is handed on
//! When it is full; or, so that a trickle does not wait, when its first PDU is old enough. The second spends a block on little, so
//! it only happens while there is enough: the session has taken everything before, and another block can be had. A reader that is
//! held up (a disk that syncs, a process that is not scheduled) thus finds full blocks, and loss begins when the memory is full,
//! not when it is divided into too many parts.

mod block;
mod contexts;
mod layout;
mod lost;
mod open;

pub use block::{Entry, FreeBlock, OpenBlock, SealedBlock};
pub use contexts::{ContextKey, ContextState, SequenceKind};
pub use layout::{BLOCK_BYTES, PDU_BYTES_MAX};
pub use open::{ArenaConfig, ArenaError, ArenaIdentity, DiscardReason, Outcome, Recovery};

use crate::units::{DestinationIndex, HostNs, SessionKey};
pub(crate) use contexts::ContextTable;
pub(crate) use lost::LostNumbers;
use std::collections::VecDeque;

/// Memory of one block. The bytes must be the caller's alone while the value lives.
pub trait BlockMemory: AsRef<[u8]> + AsMut<[u8]> + Send {}
impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> BlockMemory for T {}

/// Room for a PDU could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The session, or its destination, has all the blocks it may have: its peer is slow or away.
    SessionCap,
    /// No block is free at all.
    Arena,
}

/// The last block that a session can get is handed on by age only when it is so many times as old: what comes meanwhile needs it.
const LAST_BLOCK_PATIENCE: u64 = 50;

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
    /// Most blocks of all sessions of a destination together, where that is limited.
    destination_caps: Vec<(DestinationIndex, usize)>,
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
    /// Sum of the caps of destinations, and of sessions where their destination has none. More than `blocks_total` means that a slow destination can make [`NoRoom::Arena`] happen to
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

    /// Limits what all sessions of a destination hold together.
    pub(crate) fn cap_destination(&mut self, destination: DestinationIndex, cap_blocks: usize) {
        self.destination_caps.retain(|(known, _)| *known != destination);
        self.destination_caps.push((destination, cap_blocks.max(1)));
    }

    fn destination_cap(&self, destination: DestinationIndex) -> Option<usize> {
        self.destination_caps.iter().find(|(known, _)| *known == destination).map(|(_, cap)| *cap)
    }

    fn blocks_promised(&self) -> usize {
        let own: usize = self
            .shares
            .iter()
            .filter(|share| self.destination_cap(share.key.destination).is_none())
            .map(|share| share.cap_blocks)
            .sum();
        own + self.destination_caps.iter().map(|(_, cap)| cap).sum::<usize>()
    }

    /// Whether the session and its destination may have one more block.
    fn may_grow(&self, index: ShareIndex) -> bool {
        let share = &self.shares[index.0];
        let destination = share.key.destination;
        let together = || -> usize {
            self.shares.iter().filter(|other| other.key.destination == destination).map(|other| other.blocks).sum()
        };
        share.blocks < share.cap_blocks && self.destination_cap(destination).is_none_or(|cap| together() < cap)
    }

    pub(crate) fn share(&self, key: SessionKey) -> Option<ShareIndex> {
        self.shares.iter().position(|share| share.key == key).map(ShareIndex)
    }

    /// How full it is.
    pub fn usage(&self) -> ArenaUsage {
        ArenaUsage {
            blocks_total: self.blocks_total,
            blocks_free: self.free.len(),
            blocks_promised: self.blocks_promised(),
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
        if let Some(full) = self.shares[index.0].open.take() {
            self.sealed.push_back(full.seal());
        }
        if !self.may_grow(index) {
            return Err(NoRoom::SessionCap);
        }
        let share = &mut self.shares[index.0];
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

    /// Seals open blocks that hold something and were opened at least `age_ns_min` ago, as far as that costs nothing that is
    /// needed: see the module's documentation. `is_ready` says whether a session has taken all blocks that it was given.
    pub(crate) fn flush(&mut self, now: HostNs, age_ns_min: u64, is_ready: impl Fn(SessionKey) -> bool) {
        for index in 0..self.shares.len() {
            let share = &self.shares[index];
            if share.open.as_ref().is_none_or(OpenBlock::is_empty) || now.since(share.opened_at) < age_ns_min {
                continue;
            }
            if !is_ready(share.key) || now.since(share.opened_at) < self.patience(ShareIndex(index), age_ns_min) {
                continue;
            }
            self.seal(index);
        }
    }

    /// From which age on the open block of a session may be handed on.
    fn patience(&self, index: ShareIndex, age_ns_min: u64) -> u64 {
        let share = &self.shares[index.0];
        let may_grow = self.may_grow(index);
        if may_grow && !self.free.is_empty() {
            return age_ns_min;
        }
        // What a journal holds comes back without the peer, so that waiting for it always ends.
        let comes_back = share.key.interface.is_journalled() && share.blocks > 1;
        if comes_back && !may_grow { u64::MAX } else { age_ns_min.saturating_mul(LAST_BLOCK_PATIENCE) }
    }

    /// Seals all open blocks that hold something.
    pub(crate) fn flush_all(&mut self) {
        for index in 0..self.shares.len() {
            self.seal(index);
        }
    }

    fn seal(&mut self, index: usize) {
        if let Some(block) = self.shares[index].open.take_if(|block| !block.is_empty()) {
            self.sealed.push_back(block.seal());
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
