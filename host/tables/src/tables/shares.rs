//! Who shares in which index: now, while a change is under way, and until the rings are drained.

use super::{Generation, Tables};
use crate::plan::Writes;
use crate::task::Delta;
use crate::{Key, MatchIndex, Misuse, Share};
use std::collections::{BTreeMap, BTreeSet};

/// A share that ended or changed while records may still stand in the rings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draining {
    pub(super) generation: Generation,
    /// The share as it was, until it ended.
    pub(super) share: Share,
    /// A later share of the same task begins here at the earliest.
    pub(super) floor_ns: u64,
}

impl Tables {
    /// Makes a change that the card has carried out the state of the tables.
    pub(super) fn settle(
        &mut self,
        delta: &Delta,
        given: &BTreeMap<Key, MatchIndex>,
        writes: &Writes,
        generation: Generation,
        effective_ns: u64,
    ) -> Vec<MatchIndex> {
        let mut retired = Vec::new();
        let mut touched = Vec::new();
        for (key, after) in &delta.keys {
            let Some(index) = self.index_of(key, given) else { continue };
            let live = self.tasks.shares(key);
            for (ordered, shown) in live.iter().zip(self.compose_live(index, live)) {
                if !after.contains(ordered) {
                    let share = Share { end_ns: shown.end_ns.min(effective_ns), ..shown };
                    let each = Draining { generation, share, floor_ns: effective_ns };
                    self.draining.entry(index).or_default().push(each);
                }
            }
            if after.is_empty() {
                self.indices.retire(index, generation);
                self.owners.remove(&index);
                retired.push(index);
            } else {
                self.owners.insert(index, *key);
            }
            touched.push((index, key));
        }
        self.tasks.apply(delta);
        for write in &writes.writes {
            self.shadow.apply(write);
        }
        let shares: Vec<_> = touched
            .into_iter()
            .map(|(index, key)| (index, Some(self.compose(index, self.tasks.shares(key)))))
            .collect();
        self.fan_out = self.fan_out.with(shares);
        retired
    }

    /// Puts the fan-out back to what it was before a change, and lays the change's indices to rest: records may have them.
    pub(super) fn restore(
        &mut self,
        delta: &Delta,
        given: &BTreeMap<Key, MatchIndex>,
        generation: Generation,
    ) -> Vec<MatchIndex> {
        for index in given.values() {
            self.indices.retire(*index, generation);
        }
        let shares: Vec<_> = delta
            .keys
            .keys()
            .filter_map(|key| {
                let index = self.index_of(key, given)?;
                Some((index, Some(self.compose(index, self.tasks.shares(key)))))
            })
            .collect();
        self.fan_out = self.fan_out.with(shares);
        given.values().copied().collect()
    }

    /// The rings are consumed past everything that was looked up before the effective time of `generation`. Shares that ended by then are
    /// gone from the fan-out, except those of the indices returned: their drop counters are now to be read and cleared (and accounted by those
    /// shares), each followed by [`counters_cleared`](Self::counters_cleared).
    pub fn drained(&mut self, generation: Generation) -> Vec<MatchIndex> {
        let due = self.indices.drained(generation);
        let resting: BTreeSet<MatchIndex> = self.indices.counters_due().collect();
        let mut touched = Vec::new();
        for (index, draining) in &mut self.draining {
            if resting.contains(index) {
                continue;
            }
            draining.retain(|each| each.generation > generation);
            touched.push(*index);
        }
        self.draining.retain(|_, draining| !draining.is_empty());
        let shares: Vec<_> = touched
            .into_iter()
            .map(|index| {
                let live = self.owners.get(&index).map_or(&[][..], |key| self.tasks.shares(key));
                (index, Some(self.compose(index, live)))
            })
            .collect();
        self.fan_out = self.fan_out.with(shares);
        due
    }

    /// The drop counters of an index that [`drained`](Self::drained) returned are cleared: it may be given out again.
    ///
    /// # Errors
    /// [`Misuse::NotWaiting`].
    pub fn counters_cleared(&mut self, index: MatchIndex) -> Result<(), Misuse> {
        if !self.indices.counters_cleared(index) {
            return Err(Misuse::NotWaiting);
        }
        self.draining.remove(&index);
        self.fan_out = self.fan_out.with([(index, None)]);
        Ok(())
    }

    /// Indices whose drop counters are to be read and cleared.
    pub fn counters_due(&self) -> impl Iterator<Item = MatchIndex> + '_ {
        self.indices.counters_due()
    }

    /// Live shares, none of which covers what a draining one of the same task covers.
    fn compose_live(&self, index: MatchIndex, live: &[Share]) -> Vec<Share> {
        let draining = self.draining.get(&index).map_or(&[][..], Vec::as_slice);
        let floor = |share: &Share| {
            let own = draining.iter().filter(|each| each.share.task == share.task);
            own.map(|each| each.floor_ns).max().unwrap_or(0)
        };
        live.iter().map(|share| Share { start_ns: share.start_ns.max(floor(share)), ..*share }).collect()
    }

    /// What the fan-out shows for an index: live shares and draining ones.
    pub(super) fn compose(&self, index: MatchIndex, live: &[Share]) -> Vec<Share> {
        let mut shares = self.compose_live(index, live);
        shares.extend(self.draining.get(&index).into_iter().flatten().map(|each| each.share));
        shares.retain(|share| share.start_ns < share.end_ns);
        shares.sort_by_key(|share| (share.task, share.start_ns));
        shares
    }
}

/// Shares while a change is under way: those that go stay, those that come are there, those that change are what both allow.
pub(super) fn staged_shares(before: &[Share], after: &[Share]) -> Vec<Share> {
    let both = |one: &Share, other: &Share| Share {
        task: one.task,
        scope: one.scope.min(other.scope),
        start_ns: one.start_ns.max(other.start_ns),
        end_ns: one.end_ns.min(other.end_ns),
        // Records of before are still under way, and what they hit was this.
        target: one.target,
    };
    let find = |shares: &[Share], task| shares.iter().find(|share| share.task == task).copied();
    let old = before.iter().map(|share| find(after, share.task).map_or(*share, |new| both(share, &new)));
    let new = after.iter().filter(|share| find(before, share.task).is_none()).copied();
    old.chain(new).collect()
}
