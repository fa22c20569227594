//! Tasks as the tables see them, the changes to them, and the keys that follow.

use crate::{Key, Refusal, Scope, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use writ_abi::{command, time};

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
}

impl Share {
    /// Whether a frame with this stamp belongs to the task.
    pub const fn covers(&self, stamp_ns: u64) -> bool {
        self.start_ns <= stamp_ns && stamp_ns < self.end_ns
    }

    fn of(task: &Task) -> Self {
        Self { task: task.index, scope: task.scope, start_ns: task.start_ns, end_ns: effective_end_ns(task.end_ns) }
    }
}

/// The tasks and, key by key, who has a share in it. Says what a row has to hold; knows no card.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskSet {
    tasks: BTreeMap<TaskIndex, Arc<Task>>,
    keys: BTreeMap<Key, Vec<Share>>,
}

/// What a list of changes makes of a [`TaskSet`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Tasks after the changes; `None`: gone.
    pub(crate) tasks: BTreeMap<TaskIndex, Option<Arc<Task>>>,
    /// Shares of every touched key after the changes, by rising task; empty: the key goes.
    pub(crate) keys: BTreeMap<Key, Vec<Share>>,
}

impl TaskSet {
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
        Ok(delta)
    }

    fn touch_keys(&self, delta: &mut Delta) {
        for (index, after) in &delta.tasks {
            let before = self.tasks.get(index);
            for target in before.into_iter().flat_map(|task| &task.targets) {
                let shares = delta.keys.entry(target.key()).or_insert_with_key(|key| self.shares(key).to_vec());
                shares.retain(|share| share.task != *index);
            }
            let Some(task) = after else { continue };
            for target in &task.targets {
                let shares = delta.keys.entry(target.key()).or_insert_with_key(|key| self.shares(key).to_vec());
                // The same key may come from two targets of a task; it is one share.
                if let Err(position) = shares.binary_search_by_key(index, |share| share.task) {
                    shares.insert(position, Share::of(task));
                }
            }
        }
    }

    pub(crate) fn apply(&mut self, delta: &Delta) {
        for (index, task) in &delta.tasks {
            match task {
                Some(task) => self.tasks.insert(*index, task.clone()),
                None => self.tasks.remove(index),
            };
        }
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

/// What a row for these shares holds beside key and match index: the widest scope and the latest end, because a key has one
/// row and the host gives each task its own part. `None` without shares.
pub(crate) fn union(shares: &[Share]) -> Option<(Scope, u64)> {
    let scope = shares.iter().map(|share| share.scope).max()?;
    let end_ns = shares.iter().map(|share| share.end_ns).max()?;
    Some((scope, time::not_after_from_ns(end_ns)))
}

/// A row for `key`, or `None` without shares.
pub(crate) fn row_for(key: &Key, match_index: crate::MatchIndex, shares: &[Share]) -> Option<command::Row> {
    let (scope, not_after) = union(shares)?;
    Some(command::Row { key: *key.padded_bytes(), match_index, scope, not_after })
}
