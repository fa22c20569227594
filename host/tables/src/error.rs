//! Refusals and errors. None of them names a key.

use crate::{Area, Committed, Place, TargetFault, TaskIndex};
use core::fmt;
use writ_abi::command::Status;

/// Why changes were not planned. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A task with this index is there already.
    TaskExists(TaskIndex),
    /// No task has this index.
    UnknownTask(TaskIndex),
    /// The task names no target.
    NoTargets(TaskIndex),
    /// The task's effective end is not after its start: it would never select anything.
    EmptyTerm(TaskIndex),
    /// One of the task's targets does not name one host.
    BadTarget {
        /// The task.
        task: TaskIndex,
        /// What is wrong with the target.
        fault: TargetFault,
    },
    /// A key of the task fits nowhere, not even by moving others.
    TableFull {
        /// The task whose key it is.
        task: TaskIndex,
        /// The table, or the rules.
        area: Area,
        /// Rows that the table would have had in use so far, without the key.
        rows_used: u32,
        /// Rows of the table.
        rows: u32,
    },
    /// A rule of the task would match packets of another rule in every bank, and one packet can hit one rule of a bank only.
    RulesOverlap {
        /// The task whose rule it is.
        task: TaskIndex,
    },
    /// No match index is free.
    IndicesExhausted {
        /// Indices that the changes need.
        needed: usize,
        /// Indices that are free.
        free: usize,
        /// Indices that rest until the rings are drained and the counters cleared.
        quarantined: usize,
    },
    /// Another plan is being carried out.
    PlanOpen,
    /// What the card holds is not certain: reconcile first.
    CardUnverified,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskExists(TaskIndex(index)) => write!(f, "task {index} is there already"),
            Self::UnknownTask(TaskIndex(index)) => write!(f, "there is no task {index}"),
            Self::NoTargets(TaskIndex(index)) => write!(f, "task {index} names no target"),
            Self::EmptyTerm(TaskIndex(index)) => {
                write!(f, "task {index} ends, by the ticks of the card, before it begins")
            }
            Self::BadTarget { task: TaskIndex(index), fault } => write!(f, "task {index}: {fault}"),
            Self::TableFull { task: TaskIndex(index), area, rows_used, rows } => {
                write!(f, "a key of task {index} fits nowhere in the {area} ({rows_used} of {rows} rows used)")
            }
            Self::RulesOverlap { task: TaskIndex(index) } => {
                write!(f, "a prefix of task {index} overlaps prefixes of other tasks in every bank of rules")
            }
            Self::IndicesExhausted { needed, free, quarantined } => {
                write!(f, "{needed} match indices needed, {free} free; {quarantined} rest until the rings are drained")
            }
            Self::PlanOpen => f.write_str("another plan is being carried out"),
            Self::CardUnverified => f.write_str("what the card holds is not certain; reconcile the tables first"),
        }
    }
}

impl core::error::Error for Refusal {}

/// The caller did not keep to the order of calls. The caller is at fault; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// The tables have changed since the plan was made.
    StalePlan,
    /// Another plan is open.
    PlanOpen,
    /// No plan is open.
    NoPlan,
    /// The open plan has writes that are not confirmed.
    WritesMissing(usize),
    /// The write is not among those that may be outstanding.
    UnknownWrite,
    /// The match index does not wait for its counters to be cleared.
    NotWaiting,
    /// A repair, or a rollback, cannot be rolled back: abandon and reconcile.
    NoWayBack,
    /// A place outside the card's tables.
    NoSuchPlace(Place),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StalePlan => f.write_str("the tables have changed since the plan was made"),
            Self::PlanOpen => f.write_str("another plan is open"),
            Self::NoPlan => f.write_str("no plan is open"),
            Self::WritesMissing(count) => write!(f, "{count} writes of the open plan are not confirmed"),
            Self::UnknownWrite => f.write_str("the write is not one of those that may be outstanding"),
            Self::NotWaiting => f.write_str("the match index does not wait for its drop counters"),
            Self::NoWayBack => f.write_str("a repair or a rollback cannot be rolled back"),
            Self::NoSuchPlace(place) => write!(f, "the card has no {place}"),
        }
    }
}

impl core::error::Error for Misuse {}

/// How carrying out a plan failed. `E` is the transport's own error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecuteError<E> {
    /// The calls came in the wrong order.
    Misuse(Misuse),
    /// Commands could not be exchanged with the card. The plan is still open, and what was submitted last may or may not have
    /// happened: roll back or try again with [`crate::Tables::execute`], or abandon and reconcile.
    Transport(E),
    /// The card did not answer command for command. The plan is still open, as with `Transport`.
    Answers {
        /// Commands that were submitted.
        commands: usize,
        /// Completions that fit them, up to the first that did not.
        fitting: usize,
    },
    /// The card refused a write; all that had been written was taken back. Tasks and card are as before the plan.
    RolledBack {
        /// The card's status, [`Status`] by number.
        status: u8,
        /// The row that was to be written.
        place: Place,
        /// The rollback's own end: its indices rest, too.
        committed: Committed,
    },
    /// The card refused a write while taking back or repairing. The plan is abandoned; reconcile.
    CardUnverified {
        /// The card's status, [`Status`] by number.
        status: u8,
        /// The row that was to be written.
        place: Place,
    },
}

impl<E: fmt::Display> fmt::Display for ExecuteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = |f: &mut fmt::Formatter<'_>, status: u8, place: &Place| match Status::from_bits(status) {
            Some(status) => write!(f, "the card refused to write {place} ({status:?})"),
            None => write!(f, "the card answered the write of {place} with the unknown status {status}"),
        };
        match self {
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Transport(error) => write!(f, "commands did not reach the card: {error}"),
            Self::Answers { commands, fitting } => {
                write!(f, "the card answered {fitting} of {commands} commands and then something else")
            }
            Self::RolledBack { status, place, .. } => {
                refused(f, *status, place)?;
                f.write_str("; the tables are as before")
            }
            Self::CardUnverified { status, place } => {
                refused(f, *status, place)?;
                f.write_str(" while putting the tables right; reconcile")
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ExecuteError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Misuse(misuse) => Some(misuse),
            Self::Transport(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> From<Misuse> for ExecuteError<E> {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
