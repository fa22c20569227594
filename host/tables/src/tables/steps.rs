//! Carries a plan out step by step: open, batch, confirm, commit, or back.

use super::shares::staged_shares;
use super::{Generation, Tables};
use crate::plan::Writes;
use crate::task::Delta;
use crate::{Key, MatchIndex, Misuse, Place, Plan, Reconciliation, RowWrite, WriteId};
use std::collections::BTreeMap;

/// What the writes that were carried out were for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The change is in force.
    Applied,
    /// All is as before the change.
    RolledBack,
    /// The rows that were compared are as they should be.
    Repaired,
}

/// What the end of a plan has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// What happened.
    pub outcome: Outcome,
    /// Card time from which on it holds.
    pub effective_ns: u64,
    /// To be given to [`Tables::drained`] when the rings are consumed past `effective_ns`.
    pub generation: Generation,
    /// Indices that rest from now on.
    pub retired: Vec<MatchIndex>,
}

/// What an open plan is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Change { delta: Delta, given: BTreeMap<Key, MatchIndex> },
    Rollback { delta: Delta, given: BTreeMap<Key, MatchIndex> },
    Repair { complete: bool },
}

/// A plan that is being carried out.
#[derive(Debug, Clone)]
pub(super) struct Open {
    purpose: Purpose,
    writes: Writes,
    done: Vec<bool>,
    /// Writes up to here may have reached the card.
    issued: usize,
    /// The refusal of the card for which a plan is being taken back.
    pub(super) refused: Option<(u8, Place)>,
}

impl Tables {
    /// Opens a plan. From now on [`fan_out`](Self::fan_out) shows what is there and what comes; it has to be where records are consumed before the
    /// first write goes to the card.
    ///
    /// A share that changes is, until the plan is committed, what the order allowed before and allows after.
    ///
    /// # Errors
    /// [`Misuse::PlanOpen`], [`Misuse::StalePlan`].
    pub fn begin(&mut self, plan: Plan) -> Result<(), Misuse> {
        if self.open.is_some() {
            return Err(Misuse::PlanOpen);
        }
        if plan.version != self.version {
            return Err(Misuse::StalePlan);
        }
        let Plan { delta, given, writes, .. } = plan;
        let staged: Vec<_> = delta
            .keys
            .iter()
            .filter_map(|(key, after)| {
                let index = self.index_of(key, &given)?;
                Some((index, Some(self.compose(index, &staged_shares(self.tasks.shares(key), after)))))
            })
            .collect();
        self.fan_out = self.fan_out.with(staged);
        for index in given.values() {
            self.indices.take(*index);
        }
        self.open(Purpose::Change { delta, given }, writes);
        Ok(())
    }

    /// Opens a repair. Carried out like a plan; committing a complete one makes the tables verified.
    ///
    /// # Errors
    /// [`Misuse::PlanOpen`], [`Misuse::StalePlan`].
    pub fn begin_repair(&mut self, reconciliation: Reconciliation) -> Result<(), Misuse> {
        if self.open.is_some() {
            return Err(Misuse::PlanOpen);
        }
        if reconciliation.version != self.version {
            return Err(Misuse::StalePlan);
        }
        // The card may have returned these though they are free: nobody may have them before the rings are drained.
        for index in &reconciliation.foreign_indices {
            if self.indices.take(*index) {
                self.indices.retire(*index, self.upcoming());
            }
        }
        self.open(Purpose::Repair { complete: reconciliation.complete }, reconciliation.writes);
        Ok(())
    }

    fn open(&mut self, purpose: Purpose, writes: Writes) {
        let done = vec![false; writes.writes.len()];
        self.version += 1;
        self.open = Some(Open { purpose, writes, done, issued: 0, refused: None });
    }

    /// The generation that the open plan will have.
    fn upcoming(&self) -> Generation {
        Generation(self.generation.0 + 1)
    }

    /// The writes that may go to the card now: those of the first batch that is not wholly confirmed. None left: [`commit`](Self::commit).
    pub fn next_batch(&mut self) -> Vec<RowWrite> {
        let Some(open) = &mut self.open else { return Vec::new() };
        let missing = |batch: &&[RowWrite]| batch.iter().any(|write| !open.done[write.id().0]);
        let Some(batch) = open.writes.batches().find(missing) else { return Vec::new() };
        open.issued = batch.last().map_or(0, |write| write.id().0 + 1);
        batch.iter().filter(|write| !open.done[write.id().0]).copied().collect()
    }

    /// The card has completed a write.
    ///
    /// # Errors
    /// [`Misuse::NoPlan`], [`Misuse::UnknownWrite`] for a write that was not handed out.
    pub fn confirm(&mut self, write: WriteId) -> Result<(), Misuse> {
        let open = self.open.as_mut().ok_or(Misuse::NoPlan)?;
        match open.done.get_mut(write.0) {
            Some(done) if write.0 < open.issued => *done = true,
            _ => return Err(Misuse::UnknownWrite),
        }
        Ok(())
    }

    /// Turns back: the open plan becomes the one that takes back all that may have reached the card.
    ///
    /// # Errors
    /// [`Misuse::NoPlan`], [`Misuse::NoWayBack`] for a repair and for what is on its way back already.
    pub fn roll_back(&mut self) -> Result<(), Misuse> {
        let open = self.open.take().ok_or(Misuse::NoPlan)?;
        let Purpose::Change { delta, given } = open.purpose else {
            self.open = Some(open);
            return Err(Misuse::NoWayBack);
        };
        let writes = open.writes.undo(open.issued);
        self.open(Purpose::Rollback { delta, given }, writes);
        Ok(())
    }

    /// Gives the open plan up: what the card holds is not certain any more, and nothing is planned until a complete repair is carried out.
    /// The tasks are as before the plan.
    ///
    /// # Errors
    /// [`Misuse::NoPlan`].
    pub fn abandon(&mut self) -> Result<(), Misuse> {
        let open = self.open.take().ok_or(Misuse::NoPlan)?;
        // If nothing can have reached the card, it still holds what the shadow says.
        let untouched = open.issued == 0 && !matches!(open.purpose, Purpose::Rollback { .. });
        self.verified &= untouched;
        self.version += 1;
        let generation = self.upcoming();
        if let Purpose::Change { delta, given } | Purpose::Rollback { delta, given } = open.purpose {
            self.generation = generation;
            self.restore(&delta, &given, generation);
        }
        Ok(())
    }

    /// Ends the open plan, all of whose writes are confirmed. `effective_ns` is the card's time at the last completion, or at that
    /// of a `Nop` if there was nothing to write.
    ///
    /// # Errors
    /// [`Misuse::NoPlan`], [`Misuse::WritesMissing`].
    pub fn commit(&mut self, effective_ns: u64) -> Result<Committed, Misuse> {
        let open = self.open.take().ok_or(Misuse::NoPlan)?;
        let missing = open.done.iter().filter(|done| !**done).count();
        if missing > 0 {
            self.open = Some(open);
            return Err(Misuse::WritesMissing(missing));
        }
        let generation = self.upcoming();
        self.generation = generation;
        self.version += 1;
        let (outcome, retired) = match open.purpose {
            Purpose::Change { delta, given } => {
                (Outcome::Applied, self.settle(&delta, &given, &open.writes, generation, effective_ns))
            }
            Purpose::Rollback { delta, given } => (Outcome::RolledBack, self.restore(&delta, &given, generation)),
            Purpose::Repair { complete } => {
                self.verified |= complete;
                (Outcome::Repaired, Vec::new())
            }
        };
        Ok(Committed { outcome, effective_ns, generation, retired })
    }
}
