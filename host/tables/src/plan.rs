//! A plan: the writes that lead from one state of the tables to another, in batches.

use crate::cuckoo::{self, NoPlace};
use crate::shadow::Draft;
use crate::task::Delta;
use crate::{Entry, Key, MatchIndex, Place, Refusal};
use core::fmt;
use std::collections::BTreeMap;
use writ_abi::command::Command;

/// Number of a write in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub(crate) usize);

/// One row to write or to clear. `Debug` shows the place, not the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowWrite {
    place: Place,
    before: Option<Entry>,
    after: Option<Entry>,
    id: WriteId,
    level: usize,
}

impl RowWrite {
    pub(crate) fn new(place: Place, before: Option<Entry>, after: Option<Entry>) -> Self {
        Self { place, before, after, id: WriteId(0), level: 0 }
    }

    /// Number in the plan.
    pub const fn id(&self) -> WriteId {
        self.id
    }

    /// The row's place.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What stands there until then.
    pub const fn before(&self) -> Option<&Entry> {
        self.before.as_ref()
    }

    /// What will stand there; `None`: the row is cleared.
    pub const fn after(&self) -> Option<&Entry> {
        self.after.as_ref()
    }

    /// The commands that do it, which have to reach the card one right after the other. It is done when all of them are.
    pub fn commands(&self, mut next_tag: impl FnMut() -> u32) -> Vec<Command> {
        match &self.after {
            Some(entry) => entry.write_commands(self.place, next_tag),
            None => vec![self.place.clear_command(next_tag())],
        }
    }

    /// The write that takes this one back.
    pub(crate) fn undo(&self) -> Self {
        Self { before: self.after, after: self.before, ..*self }
    }

    pub(crate) fn with_level(self, level: usize) -> Self {
        Self { level, ..self }
    }

    /// The keys that stand there before or after.
    fn keys(&self) -> impl Iterator<Item = Key> {
        self.before.into_iter().chain(self.after).map(|entry| entry.key)
    }
}

impl fmt::Debug for RowWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.after.is_some() { "write" } else { "clear" };
        write!(f, "{what} {} (batch {})", self.place, self.level)
    }
}

/// How much a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows with new keys.
    pub added: usize,
    /// Rows that stay where they are and get another scope or end.
    pub rewritten: usize,
    /// Rows that are copied to another place to make room.
    pub moved: usize,
    /// Rows that are cleared.
    pub cleared: usize,
}

/// A plan for some changes, made by [`crate::Tables::plan`]. Changes nothing by itself.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Version of the tables for which it was made.
    pub(crate) version: u64,
    pub(crate) delta: Delta,
    /// Indices for the keys that are new.
    pub(crate) given: BTreeMap<Key, MatchIndex>,
    pub(crate) writes: Writes,
    summary: Summary,
}

impl Plan {
    /// Works out the writes for `delta`. `next_indices` are the free indices in the order of their use.
    pub(crate) fn new(
        version: u64,
        delta: Delta,
        mut draft: Draft<'_>,
        mut next_indices: impl Iterator<Item = MatchIndex>,
    ) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        let mut summary = Summary::default();
        // First the rows that stay where they are: a move that follows then copies what is right already.
        for (key, shares) in &delta.keys {
            let Some(place) = draft.place_of(key) else { continue };
            let before = draft.row_at(place).copied();
            let after = before.and_then(|before| delta.entry(key, before.match_index, shares));
            if after.is_some() && after != before {
                draft.write(place, after);
                summary.rewritten += 1;
            }
        }
        for (key, shares) in &delta.keys {
            let Some(task) = shares.first().map(|share| share.task) else { continue };
            if draft.place_of(key).is_some() {
                continue;
            }
            let index = next_indices.next().expect("the caller has counted the new keys");
            let entry = delta.entry(key, index, shares).expect("the key has shares");
            let writes_before = draft.writes.len();
            cuckoo::insert(&mut draft, entry).map_err(|reason| {
                let area = key.area();
                let (rows_used, rows) = (draft.rows_used(area), draft.geometry().rows(area));
                match reason {
                    NoPlace::Full => Refusal::TableFull { task, area, rows_used, rows },
                    NoPlace::Overlap => Refusal::RulesOverlap { task },
                }
            })?;
            given.insert(*key, index);
            summary.added += 1;
            summary.moved += draft.writes.len() - writes_before - 1;
        }
        let clears_from = draft.writes.len();
        for key in delta.keys.iter().filter(|(_, shares)| shares.is_empty()).map(|(key, _)| key) {
            if let Some(place) = draft.place_of(key) {
                draft.write(place, None);
                summary.cleared += 1;
            }
        }
        let writes = Writes::in_batches(draft.writes, clears_from);
        Ok(Self { version, delta, given, writes, summary })
    }

    /// The writes, batch by batch. After each of them every key that stays is found.
    pub fn writes(&self) -> &[RowWrite] {
        &self.writes.writes
    }

    /// The writes of each batch. Those of one batch do not depend on each other; those of the next need all of them.
    pub fn batches(&self) -> impl Iterator<Item = &[RowWrite]> {
        self.writes.batches()
    }

    /// How much the plan does.
    pub const fn summary(&self) -> Summary {
        self.summary
    }
}

/// Writes, ordered by batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes {
    pub(crate) writes: Vec<RowWrite>,
}

impl Writes {
    /// Gives every write its batch: behind the last write before it that has to do with one of the same keys; the clears, from position
    /// `clears_from` on, behind everything else.
    ///
    /// For one key, and so for one place, the order of the writes stays what it was, and within a batch there is at most one write
    /// for each. So whatever part of a batch succeeds, each key on its own stands as after some prefix of the original order.
    fn in_batches(mut writes: Vec<RowWrite>, clears_from: usize) -> Self {
        let mut next_for_key: BTreeMap<Key, usize> = BTreeMap::new();
        let mut floor = 0;
        let mut next = 0;
        for (position, write) in writes.iter_mut().enumerate() {
            if position == clears_from {
                floor = next;
            }
            let of_keys = write.keys().filter_map(|key| next_for_key.get(&key).copied()).max().unwrap_or(0);
            write.level = floor.max(of_keys);
            next = next.max(write.level + 1);
            for key in write.keys() {
                next_for_key.insert(key, write.level + 1);
            }
        }
        Self::by_level(writes)
    }

    /// Orders writes by the batches that they have been given.
    pub(crate) fn by_level(mut writes: Vec<RowWrite>) -> Self {
        writes.sort_by_key(|write| write.level);
        for (position, write) in writes.iter_mut().enumerate() {
            write.id = WriteId(position);
        }
        Self { writes }
    }

    pub(crate) fn batches(&self) -> impl Iterator<Item = &[RowWrite]> {
        self.writes.chunk_by(|one, other| one.level == other.level)
    }

    /// Takes back the first `count` writes, the last batch first.
    pub(crate) fn undo(&self, count: usize) -> Self {
        let highest = self.writes.last().map_or(0, |write| write.level);
        let undone = self.writes[..count].iter().rev();
        Self::by_level(undone.map(|write| write.undo().with_level(highest - write.level)).collect())
    }
}
