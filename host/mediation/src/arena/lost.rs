//! Numbers that lost packets used up, kept in a row of the context table beside the numbering's own: a process that comes after a killed one has to
//! know which numbers were never a PDU. There is a row from the first loss on; a table without room for it keeps none, and the count ends with the process.

use super::{
    BlockMemory, ContextTable,
    contexts::{ContextKey, SequenceKind},
};
use crate::units::ContextIndex;

/// What a numbering lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LostNumbers {
    row: Option<ContextIndex>,
    /// Numbers used up by packets that were lost.
    total: u64,
    /// Of them, those that the encoder was told of: packets that never came to it.
    told: u64,
    /// Of those, how many it will be told of again, because who told it was killed before that was written down.
    again: u64,
}

impl LostNumbers {
    /// What is kept of a numbering's losses.
    pub(crate) fn find<B: BlockMemory>(contexts: &ContextTable<B>, of: ContextIndex) -> Self {
        let row = key(contexts, of).and_then(|key| contexts.find(&key));
        row.map_or(Self::default(), |state| {
            let told = contexts.told(state.index);
            Self { row: Some(state.index), total: state.next_sequence, told, again: 0 }
        })
    }

    /// Numbers used up by packets that were lost.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Packets that were lost; `told`: outside the encoder. Comes before the numbering itself goes on: a process that dies in between has counted
    /// what it did not number, never the other way round.
    pub(crate) fn add<B: BlockMemory>(
        &mut self,
        contexts: &mut ContextTable<B>,
        of: ContextIndex,
        packets: u64,
        told: bool,
    ) {
        if packets == 0 {
            return;
        }
        self.total += packets;
        self.told += if told { packets } else { 0 };
        if self.row.is_none() {
            self.row = key(contexts, of).and_then(|key| contexts.insert(&key, 0));
        }
        self.store(contexts);
    }

    /// All that was told, as far as it was written down. What is kept beyond that will be told again.
    pub(crate) fn told_before<B: BlockMemory>(&mut self, contexts: &mut ContextTable<B>, packets: u64) {
        self.again = self.told.saturating_sub(packets);
        self.told = self.told.max(packets);
        self.store(contexts);
    }

    /// The card counts anew: nothing that was told will be told again.
    pub(crate) fn forget_told<B: BlockMemory>(&mut self, contexts: &mut ContextTable<B>) {
        (self.told, self.again) = (0, 0);
        self.store(contexts);
    }

    /// How many of these packets were not told before.
    pub(crate) fn fresh(&mut self, packets: u64) -> u64 {
        let known = packets.min(self.again);
        self.again -= known;
        packets - known
    }

    /// Frees the row.
    pub(crate) fn remove<B: BlockMemory>(&mut self, contexts: &mut ContextTable<B>) {
        if let Some(row) = self.row.take() {
            contexts.remove(row);
        }
    }

    fn store<B: BlockMemory>(&self, contexts: &mut ContextTable<B>) {
        if let Some(row) = self.row {
            contexts.advance(row, self.total, None);
            contexts.store_told(row, self.told);
        }
    }
}

fn key<B: BlockMemory>(contexts: &ContextTable<B>, of: ContextIndex) -> Option<ContextKey> {
    contexts.read(of).map(|state| ContextKey { kind: SequenceKind::Lost, ..state.key })
}
