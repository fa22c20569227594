//! Tasks as the tables see them, the changes to them, and the keys that follow.

use crate::{Entry, Key, MatchIndex, Refusal, Scope, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use writ_abi::time;

/// Dense number of a task, given by the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskIndex(pub u32);

/// What the tables need to know of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub index: TaskIndex,
    /// Identifiers that the order names; at least one. Naming one twice is naming it once.
    pub targets: Vec<Target>,
    /// How much of a matched frame the order allows.
    pub scope: Scope,
    /// First stamp that belongs to the order, ns of TAI.
    pub start_ns: u64,
    /// First stamp that does not belong to the order any more, ns of TAI.
    pub end_ns: u64,
}

/// The end that card and host enforce for an ordered end: rounded down to a tick of the rows' clock, so that nothing outlives
/// its order. `u64::MAX` for an order without a foreseeable end.
pub const fn effective_end_ns(end_ns: u64) -> u64 {
    match time::not_after_from_ns(end_ns) {
        time::NOT_AFTER_NEVER => u64::MAX,
        tick => tick << time::NOT_AFTER_SHIFT,
    }
}

/// A change of the task set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A task that is not there yet.
    Add(Task),
    /// New content for a task that is there.
    Modify(Task),
    /// A task that is there ends.
    Remove(TaskIndex),
}

/// One task's share in the hits of a match index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The task.
    pub task: TaskIndex,
    /// How much of a frame the task may see, whatever others may.
    pub scope: Scope,
    /// First stamp that the task may see, ns of TAI.
    pub start_ns: u64,
    /// First stamp that the task may not see any more, ns of TAI: the effective end.
    pub end_ns: u64,
    /// Position in [`Task::targets`] of the target that the hit stands for, the first one if several have the same key; `u16::MAX` for all that
    /// stand further behind.
    pub target: u16,
}

impl Share {
    /// Whether a frame with this stamp belongs to the task.
    pub const fn covers(&self, stamp_ns: u64) -> bool {
        self.start_ns <= stamp_ns && stamp_ns < self.end_ns
    }

    fn of(task: &Task, target: u16) -> Self {
        let Task { index, scope, start_ns, end_ns, .. } = *task;
        Self { task: index, scope, start_ns, end_ns: effective_end_ns(end_ns), target }
    }
}

/// The tasks and, key by key, who has a share in it. Says what a row has to hold; knows no card.
#[derive(Debug, Clone)]
pub(crate) struct TaskSet {
    tasks: BTreeMap<TaskIndex, Arc<Task>>,
    keys: BTreeMap<Key, Vec<Share>>,
    /// Record ring of each task.
    rings: BTreeMap<TaskIndex, u8>,
    prefix_bits: Option<u8>,
    ring_count: u8,
}

/// What a list of changes makes of a [`TaskSet`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Tasks after the changes; `None`: gone.
    pub(crate) tasks: BTreeMap<TaskIndex, Option<Arc<Task>>>,
    /// Shares of every touched key after the changes, by rising task; empty: the key goes.
    pub(crate) keys: BTreeMap<Key, Vec<Share>>,
    /// Record ring of every task that has a share in a touched key after the changes.
    pub(crate) rings: BTreeMap<TaskIndex, u8>,
}

impl Delta {
    /// What stands in the card for `key`, or `None` without shares: the widest scope and the latest end, because a key has one row and the host
    /// gives each task its own part.
    pub(crate) fn entry(&self, key: &Key, match_index: MatchIndex, shares: &[Share]) -> Option<Entry> {
        let ring = *self.rings.get(&shares.first()?.task)?;
        let scope = shares.iter().map(|share| share.scope).max()?;
        let end_ns = shares.iter().map(|share| share.end_ns).max()?;
        Some(Entry { key: *key, match_index, scope, not_after: time::not_after_from_ns(end_ns), ring })
    }
}

impl TaskSet {
    pub(crate) fn new(prefix_bits: Option<u8>, ring_count: u8) -> Self {
        let (tasks, keys, rings) = Default::default();
        Self { tasks, keys, rings, prefix_bits, ring_count }
    }

    /// The keys of a task, each with the position of the first target that it comes from.
    fn keys_of(&self, task: &Task) -> BTreeMap<Key, u16> {
        let mut keys = BTreeMap::new();
        for (position, target) in task.targets.iter().enumerate() {
            let position = u16::try_from(position).unwrap_or(u16::MAX);
            for key in target.keys(self.prefix_bits) {
                keys.entry(key).or_insert(position);
            }
        }
        keys
    }

    /// The record ring of a task's packets.
    pub(crate) fn ring(&self, task: TaskIndex) -> Option<u8> {
        self.rings.get(&task).copied()
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().map(AsRef::as_ref)
    }

    pub(crate) fn shares(&self, key: &Key) -> &[Share] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// Works out what `changes`, one after the other, lead to.
    pub(crate) fn delta(&self, changes: &[Change]) -> Result<Delta, Refusal> {
        let mut delta = Delta::default();
        for change in changes {
            let (index, after) = match change {
                Change::Add(task) | Change::Modify(task) => (task.index, Some(Arc::new(task.clone()))),
                Change::Remove(index) => (*index, None),
            };
            let present = match delta.tasks.get(&index) {
                Some(task) => task.is_some(),
                None => self.tasks.contains_key(&index),
            };
            match (change, present) {
                (Change::Add(_), true) => return Err(Refusal::TaskExists(index)),
                (Change::Modify(_) | Change::Remove(_), false) => return Err(Refusal::UnknownTask(index)),
                _ => {}
            }
            after.as_deref().map_or(Ok(()), check_task)?;
            delta.tasks.insert(index, after);
        }
        self.touch_keys(&mut delta);
        self.choose_rings(&mut delta);
        Ok(delta)
    }

    fn touch_keys(&self, delta: &mut Delta) {
        for (index, after) in &delta.tasks {
            let before = self.tasks.get(index);
            for key in before.into_iter().flat_map(|task| self.keys_of(task).into_keys()) {
                let shares = delta.keys.entry(key).or_insert_with_key(|key| self.shares(key).to_vec());
                shares.retain(|share| share.task != *index);
            }
            let Some(task) = after else { continue };
            for (key, target) in self.keys_of(task) {
                let shares = delta.keys.entry(key).or_insert_with_key(|key| self.shares(key).to_vec());
                if let Err(position) = shares.binary_search_by_key(index, |share| share.task) {
                    shares.insert(position, Share::of(task, target));
                }
            }
        }
    }

    /// Gives every task that has a share in a touched key its ring: tasks that share keys, over however many others, have one.
    fn choose_rings(&self, delta: &mut Delta) {
        let mut load: Vec<usize> = vec![0; usize::from(self.ring_count.max(1))];
        for ring in self.rings.values() {
            load[usize::from(*ring)] += 1;
        }
        let touched: BTreeSet<TaskIndex> = delta.keys.values().flatten().map(|share| share.task).collect();
        for task in touched {
            if delta.rings.contains_key(&task) {
                continue;
            }
            let group = self.group_of(task, delta);
            let mut members = vec![0_usize; load.len()];
            for ring in group.iter().filter_map(|task| self.rings.get(task)) {
                members[usize::from(*ring)] += 1;
            }
            let most = (0..load.len()).max_by_key(|ring| (members[*ring], usize::MAX - load[*ring], usize::MAX - ring));
            let ring = most.unwrap_or(0);
            for task in group {
                let before = self.rings.get(&task).copied();
                if before.is_none() {
                    load[ring] += 1;
                } else if before != Some(ring as u8) {
                    // Every row of a task that moves to another ring says so.
                    let keys: Vec<Key> =
                        self.after(task, delta).into_iter().flat_map(|task| self.keys_of(task).into_keys()).collect();
                    for key in keys {
                        delta.keys.entry(key).or_insert_with_key(|key| self.shares(key).to_vec());
                    }
                }
                delta.rings.insert(task, ring as u8);
            }
        }
    }

    /// The task as it is after the changes.
    fn after<'a>(&'a self, index: TaskIndex, delta: &'a Delta) -> Option<&'a Arc<Task>> {
        match delta.tasks.get(&index) {
            Some(after) => after.as_ref(),
            None => self.tasks.get(&index),
        }
    }

    /// All tasks that share keys with `first`, with those that share keys with them, and so on, after the changes.
    fn group_of(&self, first: TaskIndex, delta: &Delta) -> BTreeSet<TaskIndex> {
        let mut group = BTreeSet::from([first]);
        let mut next = vec![first];
        while let Some(index) = next.pop() {
            for key in self.after(index, delta).into_iter().flat_map(|task| self.keys_of(task).into_keys()) {
                let shares = delta.keys.get(&key).map_or_else(|| self.shares(&key), Vec::as_slice);
                next.extend(shares.iter().map(|share| share.task).filter(|task| group.insert(*task)));
            }
        }
        group
    }

    pub(crate) fn apply(&mut self, delta: &Delta) {
        for (index, task) in &delta.tasks {
            match task {
                Some(task) => self.tasks.insert(*index, task.clone()),
                None => {
                    self.rings.remove(index);
                    self.tasks.remove(index)
                }
            };
        }
        self.rings.extend(&delta.rings);
        for (key, shares) in &delta.keys {
            if shares.is_empty() {
                self.keys.remove(key);
            } else {
                self.keys.insert(*key, shares.clone());
            }
        }
    }
}

fn check_task(task: &Task) -> Result<(), Refusal> {
    if task.targets.is_empty() {
        return Err(Refusal::NoTargets(task.index));
    }
    if effective_end_ns(task.end_ns) <= task.start_ns {
        return Err(Refusal::EmptyTerm(task.index));
    }
    match task.targets.iter().find_map(|target| target.check().err()) {
        Some(fault) => Err(Refusal::BadTarget { task: task.index, fault }),
        None => Ok(()),
    }
}
