//! Match indices: given out, resting, free again.

use crate::{Generation, MatchIndex};
use std::collections::{BTreeMap, VecDeque};

/// How far a resting index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Records with the index may still stand in a ring.
    Draining(Generation),
    /// No record has it any more; its drop counters are to be read and cleared.
    CountersDue,
}

/// All match indices of a card. A free one that has rested longest is given out first.
#[derive(Debug, Clone)]
pub(crate) struct IndexPool {
    free: VecDeque<MatchIndex>,
    resting: BTreeMap<MatchIndex, Rest>,
}

impl IndexPool {
    pub(crate) fn new(count: u32) -> Self {
        Self { free: (0..count).filter_map(MatchIndex::new).collect(), resting: BTreeMap::new() }
    }

    pub(crate) fn free(&self) -> usize {
        self.free.len()
    }

    pub(crate) fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Whether it would be given out some time.
    pub(crate) fn is_free(&self, index: MatchIndex) -> bool {
        self.free.contains(&index)
    }

    /// The indices that rest.
    pub(crate) fn rest(&self) -> impl Iterator<Item = MatchIndex> + '_ {
        self.resting.keys().copied()
    }

    /// The indices that would be given out next.
    pub(crate) fn next(&self) -> impl Iterator<Item = MatchIndex> + '_ {
        self.free.iter().copied()
    }

    /// Takes a free index; `false` if it is not free.
    pub(crate) fn take(&mut self, index: MatchIndex) -> bool {
        // The ones to take stand at the front, in order, so that this is one step.
        match self.free.iter().position(|&free| free == index) {
            Some(position) => self.free.remove(position).is_some(),
            None => false,
        }
    }

    /// Lays an index that is neither free nor resting to rest.
    pub(crate) fn retire(&mut self, index: MatchIndex, generation: Generation) {
        self.resting.insert(index, Rest::Draining(generation));
    }

    /// The rings are consumed past `generation`; the indices whose counters are due now.
    pub(crate) fn drained(&mut self, generation: Generation) -> Vec<MatchIndex> {
        let mut due = Vec::new();
        for (index, rest) in &mut self.resting {
            if matches!(*rest, Rest::Draining(retired) if retired <= generation) {
                *rest = Rest::CountersDue;
                due.push(*index);
            }
        }
        due
    }

    /// The drop counters of an index are cleared: it is free. `false` if it was not waiting for that.
    pub(crate) fn counters_cleared(&mut self, index: MatchIndex) -> bool {
        if self.resting.get(&index) != Some(&Rest::CountersDue) {
            return false;
        }
        self.resting.remove(&index);
        self.free.push_back(index);
        true
    }

    /// Indices that wait for their counters to be cleared.
    pub(crate) fn counters_due(&self) -> impl Iterator<Item = MatchIndex> + '_ {
        self.resting.iter().filter(|(_, rest)| **rest == Rest::CountersDue).map(|(index, _)| *index)
    }
}
