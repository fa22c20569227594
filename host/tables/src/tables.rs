//! The tables: tasks, the card's rows, match indices, and the plan that is being carried out.

mod execute;
mod index;
mod kept;
mod shares;
mod steps;

use crate::reconcile::{self, ReadBack, ReadBackRow, Reconciliation};
use crate::shadow::{Draft, Shadow};
use crate::task::TaskSet;
use crate::{
    Area, Change, Entry, FanOut, Geometry, Key, MatchIndex, Misuse, Place, Plan, Refusal, Share, Task, TaskIndex,
    effective_end_ns,
};
use index::IndexPool;
use shares::Draining;
use std::collections::BTreeMap;
use steps::Open;
use writ_abi::{limits, time};

pub use kept::{EndedShare, Kept, RestoreError};
pub use steps::{Committed, Outcome};

/// Number of a change that was carried out; later ones are greater. Whoever empties the rings says up to which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

/// How full a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableUsage {
    /// The table, or the rules.
    pub area: Area,
    /// Rows in use.
    pub rows_used: u32,
    /// Rows that it has.
    pub rows: u32,
}

/// How full everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Area by area.
    pub tables: [TableUsage; Area::COUNT],
    /// Match indices that the card knows.
    pub indices: usize,
    /// Match indices in rows.
    pub indices_used: usize,
    /// Match indices that rest.
    pub indices_quarantined: usize,
}

/// The one object from which the card's rows follow. See the crate's text for what it guarantees.
///
/// A change goes: [`plan`](Self::plan), [`begin`](Self::begin), hand out [`fan_out`](Self::fan_out), [`execute`](Self::execute) (or, by hand,
/// [`next_batch`](Self::next_batch), [`confirm`](Self::confirm), [`commit`](Self::commit)), hand out `fan_out` again; then, when the rings are consumed
/// past the change, [`drained`](Self::drained) and [`counters_cleared`](Self::counters_cleared), and hand out `fan_out` once more.
#[derive(Debug)]
pub struct Tables {
    tasks: TaskSet,
    shadow: Shadow,
    indices: IndexPool,
    /// The key of each index that stands in a row.
    owners: BTreeMap<MatchIndex, Key>,
    draining: BTreeMap<MatchIndex, Vec<Draining>>,
    fan_out: FanOut,
    generation: Generation,
    /// Grows with everything that makes a plan stale.
    version: u64,
    open: Option<Open>,
    /// Whether the shadow is known to be what the card holds.
    verified: bool,
    next_tag: u32,
}

impl Tables {
    /// Tables without tasks, for a card whose rows are all invalid.
    pub fn new(geometry: Geometry) -> Self {
        Self {
            tasks: TaskSet::new(geometry.prefix_bits(), geometry.rings()),
            shadow: Shadow::new(geometry),
            indices: IndexPool::new(geometry.match_indices().min(limits::SELF_TEST_MATCH_INDEX)),
            owners: BTreeMap::new(),
            draining: BTreeMap::new(),
            fan_out: FanOut::new(geometry.match_indices()),
            generation: Generation(0),
            version: 0,
            open: None,
            verified: true,
            next_tag: 0,
        }
    }

    /// The size of the card's tables.
    pub fn geometry(&self) -> Geometry {
        self.shadow.geometry()
    }

    /// The tasks, by rising index.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.tasks()
    }

    /// The record ring that the packets of a task come through.
    pub fn ring_of(&self, task: TaskIndex) -> Option<u8> {
        self.tasks.ring(task)
    }

    /// What stands at a place, as far as a plan put it there.
    pub fn row_at(&self, place: Place) -> Option<&Entry> {
        if self.geometry().has(place) { self.shadow.row_at(place) } else { None }
    }

    /// Every place of the card, to read it back as a whole.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        self.geometry().places()
    }

    /// The rows that the card should hold, by rising place.
    pub fn rows(&self) -> impl Iterator<Item = (Place, &Entry)> {
        self.shadow.rows()
    }

    /// Where the key of a target stands and what it returns, if a task names it.
    pub fn find(&self, key: &Key) -> Option<(Place, MatchIndex)> {
        let place = self.shadow.place_of(key)?;
        Some((place, self.shadow.row_at(place)?.match_index))
    }

    /// Whether the shadow is known to be what the card holds. If not, [`plan`](Self::plan) refuses until a repair is carried out.
    pub const fn is_verified(&self) -> bool {
        self.verified
    }

    /// Whether a plan is open.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Tasks whose effective end is not after `stamp_ns`. Their rows select nothing for them any more, but a row that another task
    /// shares stays as wide as before until they are removed.
    pub fn ended(&self, stamp_ns: u64) -> impl Iterator<Item = TaskIndex> + '_ {
        self.tasks.tasks().filter(move |task| effective_end_ns(task.end_ns) <= stamp_ns).map(|task| task.index)
    }

    /// The next effective end of a task, to know when to look for [`ended`](Self::ended) ones. `None` if no end is foreseeable.
    pub fn next_end_ns(&self) -> Option<u64> {
        self.tasks.tasks().map(|task| effective_end_ns(task.end_ns)).min().filter(|end_ns| *end_ns < u64::MAX)
    }

    /// The current fan-out. While a plan is open it shows the shares of before and those that come, so that whatever the card selects
    /// in between finds its task.
    pub fn fan_out(&self) -> FanOut {
        self.fan_out.clone()
    }

    /// How full everything is.
    pub fn usage(&self) -> Usage {
        let tables = Area::all().map(|area| TableUsage {
            area,
            rows_used: self.shadow.rows_used(area),
            rows: self.geometry().rows(area),
        });
        let indices = self.geometry().match_indices() as usize;
        let (free, resting) = (self.indices.free(), self.indices.resting());
        Usage { tables, indices, indices_used: indices - free - resting, indices_quarantined: resting }
    }

    /// Works out the writes for some changes, without changing anything.
    ///
    /// Rows that are added need room while those that go still stand: a change that does not fit may fit as two, the removal first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn plan(&self, changes: &[Change]) -> Result<Plan, Refusal> {
        if self.open.is_some() {
            return Err(Refusal::PlanOpen);
        }
        if !self.verified {
            return Err(Refusal::CardUnverified);
        }
        let delta = self.tasks.delta(changes)?;
        let new_key = |(key, shares): &(&Key, &Vec<Share>)| !shares.is_empty() && self.shadow.place_of(key).is_none();
        let needed = delta.keys.iter().filter(new_key).count();
        if needed > self.indices.free() {
            let (free, quarantined) = (self.indices.free(), self.indices.resting());
            return Err(Refusal::IndicesExhausted { needed, free, quarantined });
        }
        Plan::new(self.version, delta, Draft::new(&self.shadow), self.indices.next())
    }

    /// Compares rows that the card gave back with what it should hold. Places that are not among them are not compared. `now_ns` is the card's
    /// time: what has expired by then may be gone.
    ///
    /// # Errors
    /// [`Misuse::PlanOpen`], [`Misuse::NoSuchPlace`].
    pub fn reconcile(&self, card: &[ReadBack], now_ns: u64) -> Result<Reconciliation, Misuse> {
        if self.open.is_some() {
            return Err(Misuse::PlanOpen);
        }
        let geometry = self.geometry();
        if let Some(back) = card.iter().find(|back| !geometry.has(back.place)) {
            return Err(Misuse::NoSuchPlace(back.place));
        }
        let card = card.iter().map(|back| (back.place, back.row)).collect();
        Ok(reconcile::reconcile(self.version, &self.shadow, &card, now_ns >> time::NOT_AFTER_SHIFT))
    }

    /// The card has swept all its rows: what it takes to fill it again.
    ///
    /// # Errors
    /// [`Misuse::PlanOpen`].
    pub fn card_was_reset(&mut self) -> Result<Reconciliation, Misuse> {
        if self.open.is_some() {
            return Err(Misuse::PlanOpen);
        }
        self.verified = self.shadow.rows().next().is_none();
        self.version += 1;
        let card = self.places().map(|place| (place, ReadBackRow::Invalid)).collect();
        Ok(reconcile::reconcile(self.version, &self.shadow, &card, 0))
    }

    fn index_of(&self, key: &Key, given: &BTreeMap<Key, MatchIndex>) -> Option<MatchIndex> {
        self.find(key).map(|(_, index)| index).or_else(|| given.get(key).copied())
    }
}
