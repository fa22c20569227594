//! The tables as they have to be known again after their process died while the card ran on.

use super::shares::Draining;
use super::{Generation, Tables};
use crate::{Change, Entry, Geometry, MatchIndex, Place, RowWrite, Share, Task, TaskIndex};
use core::fmt;

/// What [`Tables::from_kept`] takes to go on. Whoever keeps it does so after every change and before the next one, so that no index that it names is
/// given to another task behind its back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The tasks, each with its record ring.
    pub tasks: Vec<(Task, u8)>,
    /// The rows that the card should hold.
    pub rows: Vec<(Place, Entry)>,
    /// Indices that stand in no row any more, and that records or drop counters may still have.
    pub resting: Vec<MatchIndex>,
    /// Shares that ended, while records of them may still stand in the rings.
    pub ended: Vec<EndedShare>,
}

/// A share that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedShare {
    /// The index whose hits it was in.
    pub index: MatchIndex,
    /// The share, until it ended.
    pub share: Share,
    /// A later share of the same task begins here at the earliest, ns of TAI.
    pub floor_ns: u64,
}

/// Why tables cannot be restored: what was kept contradicts itself, or does not fit the card. Names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreError {
    /// The tasks cannot all be there.
    Tasks(crate::Refusal),
    /// A task's record ring does not exist, or is not that of the tasks that it shares targets with.
    Ring(TaskIndex),
    /// The row does not exist, stands twice, or is not what its tasks ask for.
    Row(Place),
    /// An index stands twice, does not exist, or has shares though it is free.
    Index(MatchIndex),
    /// A key of a task has no row.
    NoRow,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(refusal) => write!(f, "tables that were kept: {refusal}"),
            Self::Ring(task) => write!(f, "tables that were kept: task {} has no such record ring", task.0),
            Self::Row(place) => write!(f, "tables that were kept: {place} is not what its tasks ask for"),
            Self::Index(index) => write!(f, "tables that were kept: match index {} contradicts itself", index.value()),
            Self::NoRow => f.write_str("tables that were kept: a target has no row"),
        }
    }
}

impl std::error::Error for RestoreError {}

impl Tables {
    /// What has to be kept for [`Tables::from_kept`]. While a plan is open: as it was before.
    pub fn kept(&self) -> Kept {
        let ring = |task: &Task| self.tasks.ring(task.index).unwrap_or(0);
        let ended = self.draining.iter().flat_map(|(&index, draining)| {
            draining.iter().map(move |each| EndedShare { index, share: each.share, floor_ns: each.floor_ns })
        });
        Kept {
            tasks: self.tasks.tasks().map(|task| (task.clone(), ring(task))).collect(),
            rows: self.shadow.rows().map(|(place, entry)| (place, *entry)).collect(),
            resting: self.indices.rest().collect(),
            ended: ended.collect(),
        }
    }

    /// Tables for a card that ran on. Every index stands for the tasks that it stood for; what the card holds is not known, so that nothing is planned
    /// before a complete [repair](Tables::begin_repair). When the rings are consumed past the present, the generation returned is
    /// [drained](Tables::drained).
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn from_kept(geometry: Geometry, kept: &Kept) -> Result<(Self, Generation), RestoreError> {
        let mut tables = Self::new(geometry);
        tables.verified = false;
        tables.generation = Generation(1);
        tables.restore_tasks(kept)?;
        tables.restore_rows(kept)?;
        let generation = tables.generation;
        for &index in &kept.resting {
            if !tables.indices.take(index) {
                return Err(RestoreError::Index(index));
            }
            tables.indices.retire(index, generation);
        }
        for &EndedShare { index, share, floor_ns } in &kept.ended {
            if tables.indices.is_free(index) || index.value() >= geometry.match_indices() {
                return Err(RestoreError::Index(index));
            }
            tables.draining.entry(index).or_default().push(Draining { generation, share, floor_ns });
        }
        let live = tables.owners.iter().map(|(&index, key)| (index, tables.tasks.shares(key)));
        let resting = kept.resting.iter().map(|&index| (index, &[][..]));
        let shares: Vec<_> =
            live.chain(resting).map(|(index, live)| (index, Some(tables.compose(index, live)))).collect();
        tables.fan_out = tables.fan_out.with(shares);
        Ok((tables, generation))
    }

    fn restore_tasks(&mut self, kept: &Kept) -> Result<(), RestoreError> {
        let added: Vec<Change> = kept.tasks.iter().map(|(task, _)| Change::Add(task.clone())).collect();
        let mut delta = self.tasks.delta(&added).map_err(RestoreError::Tasks)?;
        for (task, ring) in &kept.tasks {
            if *ring >= self.geometry().rings() {
                return Err(RestoreError::Ring(task.index));
            }
            delta.rings.insert(task.index, *ring);
        }
        let apart = |shares: &&Vec<Share>| {
            shares.iter().any(|one| delta.rings.get(&one.task) != delta.rings.get(&shares[0].task))
        };
        if let Some(share) = delta.keys.values().find(apart).and_then(|shares| shares.first()) {
            return Err(RestoreError::Ring(share.task));
        }
        let keys = delta.keys.len();
        for &(place, entry) in &kept.rows {
            let wanted =
                delta.keys.get(&entry.key).and_then(|shares| delta.entry(&entry.key, entry.match_index, shares));
            if wanted != Some(entry) {
                return Err(RestoreError::Row(place));
            }
        }
        self.tasks.apply(&delta);
        if kept.rows.len() < keys { Err(RestoreError::NoRow) } else { Ok(()) }
    }

    fn restore_rows(&mut self, kept: &Kept) -> Result<(), RestoreError> {
        let geometry = self.geometry();
        for &(place, entry) in &kept.rows {
            let stands_there = match entry.key.area() {
                crate::Area::Rules => place.area == crate::Area::Rules,
                crate::Area::Table(_) => geometry.places_of(&entry.key).is_some_and(|places| places.contains(&place)),
            };
            let fresh = geometry.has(place)
                && self.shadow.row_at(place).is_none()
                && self.shadow.place_of(&entry.key).is_none();
            if !stands_there || !fresh {
                return Err(RestoreError::Row(place));
            }
            if !self.indices.take(entry.match_index) {
                return Err(RestoreError::Index(entry.match_index));
            }
            self.owners.insert(entry.match_index, entry.key);
            self.shadow.apply(&RowWrite::new(place, None, Some(entry)));
        }
        Ok(())
    }
}
