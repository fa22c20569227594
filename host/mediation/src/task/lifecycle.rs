//! The states of a task. [`TaskMachine`] says what has to be done next; it does nothing by itself.
//!
//! ```text
//! Pending ─Armed─► Active ─Deactivate/Expired─► Disarming ─CardQuiet─► Draining ─Drained/DrainLimit─► Closing ─Drained/DrainLimit─► Ended
//!    └──────────────┴────────────┴── Revoke ──► Revoked ─CardQuiet─► Held ─Release─► Draining
//!                                                                      └──Destroy──► Closing
//! Closing ─DrainLimit─► Held      Draining, Closing ─Revoke─► Held
//! ```

use crate::task::names;
use core::fmt;

/// State of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// Accepted; the card does not select for it yet.
    Pending,
    /// The card selects for it.
    Active,
    /// Its rows are being removed; records that were selected before are still on their way.
    Disarming,
    /// Nothing more comes from the card; what was selected is being delivered.
    Draining,
    /// The closing IRI and the HI1 notice are on their way.
    Closing,
    /// Over.
    Ended,
    /// Revoked: nothing is sent; its rows are being removed.
    Revoked,
    /// Revoked, and nothing more comes from the card; what was withheld waits for a decision.
    Held,
}

names!(TaskState {
    Pending = "pending",
    Active = "active",
    Disarming = "disarming",
    Draining = "draining",
    Closing = "closing",
    Ended = "ended",
    Revoked = "revoked",
    Held = "held",
});

/// Why a task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// An officer of the carrier deactivated it.
    Deactivated,
    /// Its end was reached.
    Expired,
    /// It was revoked and a decision was taken.
    Revoked,
    /// The card could not be armed.
    Failed,
}

names!(CloseReason { Deactivated = "deactivated", Expired = "expired", Revoked = "revoked", Failed = "failed" });

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskEvent {
    /// The card confirmed the task's rows.
    Armed,
    /// The card refused them, or could not be reached; none is left in the card.
    ArmFailed,
    /// An operator deactivates.
    Deactivate,
    /// The card's clock passed the task's end.
    Expired,
    /// An operator revokes.
    Revoke,
    /// The rows are gone and every record from before that was consumed.
    CardQuiet,
    /// Nothing of the task is buffered any more.
    Drained,
    /// The time for draining is over.
    DrainLimit,
    /// Recorded decision: what was withheld may go out.
    Release,
    /// Recorded decision: what was withheld is destroyed.
    Destroy,
}

names!(TaskEvent {
    Armed = "armed",
    ArmFailed = "arm-failed",
    Deactivate = "deactivate",
    Expired = "expired",
    Revoke = "revoke",
    CardQuiet = "card-quiet",
    Drained = "drained",
    DrainLimit = "drain-limit",
    Release = "release",
    Destroy = "destroy",
});

/// What has to be done now, in this order where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskAction {
    /// [`crate::datapath::Encoder::announce_task`].
    Announce,
    /// Remove the task's rows from the card; report [`TaskEvent::CardQuiet`] once every earlier record was consumed.
    Disarm,
    /// Watch the ledger: report [`TaskEvent::Drained`] when nothing is buffered, [`TaskEvent::DrainLimit`] when it takes too long.
    AwaitDrain,
    /// [`crate::datapath::Encoder::close_task`] with this reason.
    Close(CloseReason),
    /// [`crate::datapath::Encoder::revoke_task`], and [`crate::session::Session::withhold`] for each of its contexts.
    Withhold,
    /// [`crate::session::Session::resume`] for each of its contexts, and [`crate::datapath::Encoder::release`] for each PDU that
    /// was withheld.
    ReleaseWithheld,
    /// The keeper destroys what was withheld of it.
    DestroyWithheld,
    /// [`crate::datapath::Encoder::forget_task`].
    Forget,
}

/// An event that makes no sense in the state: the caller's mistake, or an operator's second attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskEventRefused {
    /// The state, which stays.
    pub state: TaskState,
    /// The event.
    pub event: TaskEvent,
}

impl fmt::Display for TaskEventRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a task that is {} cannot take the event {}", self.state.name(), self.event.name())
    }
}

impl core::error::Error for TaskEventRefused {}

/// State and reason of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskMachine {
    state: TaskState,
    reason: CloseReason,
}

impl Default for TaskMachine {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskMachine {
    /// A task that was just accepted.
    pub const fn new() -> Self {
        Self { state: TaskState::Pending, reason: CloseReason::Deactivated }
    }

    /// As the store had it.
    pub const fn restored(state: TaskState, reason: CloseReason) -> Self {
        Self { state, reason }
    }

    /// Where the task stands.
    pub const fn state(&self) -> TaskState {
        self.state
    }

    /// Why it ends, once it does.
    pub const fn reason(&self) -> CloseReason {
        self.reason
    }

    /// Takes an event. After a crash, feed the event again whose actions are not known to be done: actions can be repeated.
    ///
    /// # Errors
    /// [`TaskEventRefused`]; nothing changed.
    pub fn step(&mut self, event: TaskEvent) -> Result<Vec<TaskAction>, TaskEventRefused> {
        use {TaskAction as A, TaskEvent as E, TaskState as S};
        let (state, reason, actions) = match (self.state, event) {
            (S::Pending, E::Armed) => (S::Active, self.reason, vec![A::Announce]),
            (S::Pending, E::ArmFailed) => {
                (S::Closing, CloseReason::Failed, vec![A::Close(CloseReason::Failed), A::AwaitDrain])
            }
            (S::Pending | S::Active, E::Deactivate) => (S::Disarming, CloseReason::Deactivated, vec![A::Disarm]),
            (S::Pending | S::Active, E::Expired) => (S::Disarming, CloseReason::Expired, vec![A::Disarm]),
            (S::Disarming, E::CardQuiet) => (S::Draining, self.reason, vec![A::AwaitDrain]),
            (S::Draining, E::Drained) => (S::Closing, self.reason, vec![A::Close(self.reason), A::AwaitDrain]),
            // What is still buffered goes on trying beside the closing IRI, for one more drain limit.
            (S::Draining, E::DrainLimit) => (S::Closing, self.reason, vec![A::Close(self.reason), A::AwaitDrain]),
            (S::Closing, E::Drained) => (S::Ended, self.reason, vec![A::Forget]),
            // Nobody takes it: kept, sealed, for a recorded decision.
            (S::Closing, E::DrainLimit) => (S::Held, self.reason, vec![A::Withhold]),
            (S::Pending | S::Active | S::Disarming, E::Revoke) => {
                (S::Revoked, CloseReason::Revoked, vec![A::Withhold, A::Disarm])
            }
            (S::Draining | S::Closing, E::Revoke) => (S::Held, CloseReason::Revoked, vec![A::Withhold]),
            (S::Revoked, E::CardQuiet) => (S::Held, self.reason, vec![]),
            (S::Held, E::Release) => (S::Draining, self.reason, vec![A::ReleaseWithheld, A::AwaitDrain]),
            (S::Held, E::Destroy) => {
                (S::Closing, self.reason, vec![A::DestroyWithheld, A::Close(self.reason), A::AwaitDrain])
            }
            (state, event) => return Err(TaskEventRefused { state, event }),
        };
        (self.state, self.reason) = (state, reason);
        Ok(actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use {CloseReason as C, TaskAction as A, TaskEvent as E, TaskState as S};

    fn run(events: &[E]) -> (S, Vec<A>) {
        let mut machine = TaskMachine::new();
        let mut last = vec![];
        for &event in events {
            last = machine.step(event).unwrap_or_else(|refused| panic!("{refused}"));
        }
        (machine.state(), last)
    }

    #[test]
    fn a_deactivated_task_drains_before_it_closes() {
        assert_eq!(run(&[E::Armed]), (S::Active, vec![A::Announce]));
        assert_eq!(run(&[E::Armed, E::Deactivate]), (S::Disarming, vec![A::Disarm]));
        assert_eq!(run(&[E::Armed, E::Deactivate, E::CardQuiet]), (S::Draining, vec![A::AwaitDrain]));
        let closing = [E::Armed, E::Expired, E::CardQuiet, E::Drained];
        assert_eq!(run(&closing), (S::Closing, vec![A::Close(C::Expired), A::AwaitDrain]));
        assert_eq!(run(&[closing.as_slice(), &[E::Drained]].concat()), (S::Ended, vec![A::Forget]));
    }

    #[test]
    fn a_revoked_task_waits_for_a_decision() {
        let held = [E::Armed, E::Revoke, E::CardQuiet];
        assert_eq!(run(&[E::Armed, E::Revoke]), (S::Revoked, vec![A::Withhold, A::Disarm]));
        assert_eq!(run(&held), (S::Held, vec![]));
        assert_eq!(run(&[held.as_slice(), &[E::Release]].concat()).0, S::Draining);
        let (state, actions) = run(&[held.as_slice(), &[E::Destroy]].concat());
        assert_eq!((state, actions[0], actions[1]), (S::Closing, A::DestroyWithheld, A::Close(C::Revoked)));
    }

    #[test]
    fn what_nobody_takes_is_kept() {
        let events = [E::Armed, E::Deactivate, E::CardQuiet, E::DrainLimit, E::DrainLimit];
        assert_eq!(run(&events), (S::Held, vec![A::Withhold]));
    }

    #[test]
    fn an_event_out_of_place_changes_nothing() {
        for &state in S::ALL {
            for &event in E::ALL {
                let mut machine = TaskMachine::restored(state, C::Deactivated);
                let before = machine;
                if let Err(refused) = machine.step(event) {
                    assert_eq!((refused.state, refused.event), (state, event));
                    assert_eq!(machine, before);
                }
            }
        }
        assert!(
            S::ALL.iter().all(|&s| s != S::Ended || TaskMachine::restored(s, C::Expired).step(E::Release).is_err())
        );
    }
}
