//! What reaches the control thread, and how.

use crate::card::ring::RingFault;
use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;
use writ_control::{Answer, Ask, Refusal};
use writ_mediation::{
    accounting::TaskDelta,
    session::{Counts, SessionReport},
    units::{ContextIndex, SessionKey, TaiNs, TaskIndex},
};

/// Something for the control thread.
#[derive(Debug)]
pub(crate) enum Message {
    /// An operator asks. At most one a connection is under way.
    Ask {
        /// Uid of the peer, from the kernel.
        uid: u32,
        /// The question.
        ask: Ask,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Answer, Refusal>>,
    },
    /// Frames that had hits and did not reach the host.
    Missing(Missing),
    /// Everything that the card looked up before `after` was consumed.
    Quiet {
        /// The card time that was asked about.
        after: TaiNs,
        /// What the ring thread did until then.
        deltas: Vec<TaskDelta>,
    },
    /// The closing announcements of a task are made.
    Closed {
        /// The task.
        index: TaskIndex,
        /// What the ring thread did until then.
        deltas: Vec<TaskDelta>,
    },
    /// The record ring is in trouble.
    RingFault(RingFault),
    /// What an earlier process left to deliver on a session. The first thing that a session says.
    Carried(Carried),
    /// PDUs were held back that their keeper had before, by numbering.
    KeptBefore(SessionKey, Vec<(ContextIndex, Counts)>),
    /// The first packet of a task since the start of the process.
    First(TaskIndex, TaiNs),
    /// A session has something to report.
    Session(SessionKey, SessionReport),
    /// Stop: finish what can be finished, write everything down, then answer.
    Stop {
        /// Where to say that it is done.
        reply: oneshot::Sender<()>,
    },
}

/// What a session found at its start.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    /// Which session.
    pub(crate) key: SessionKey,
    /// Accepted and not confirmed, by numbering.
    pub(crate) buffered: Vec<(ContextIndex, Counts)>,
    /// With its keeper since earlier, by numbering.
    pub(crate) withheld: Vec<(ContextIndex, Counts)>,
}

/// Frames that had hits and are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The ring that they are missing from.
    pub(crate) ring: u8,
    /// How many.
    pub(crate) frames: u32,
    /// Stamps of the first and last of them, where the card said so.
    pub(crate) stamps: Option<(TaiNs, TaiNs)>,
    /// One bit a drop cause of the card; 0: records that did not check.
    pub(crate) causes: u8,
}

/// The way to the control thread. Never blocks: what is sent is bounded by who sends it (one question a connection, a few deltas a
/// second, one report a session and change).
#[derive(Debug, Clone)]
pub(crate) struct Mailbox(Sender<Message>);

impl Mailbox {
    /// A mailbox and its other end.
    pub(crate) fn new() -> (Self, Receiver<Message>) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        (Self(sender), receiver)
    }

    /// False: nobody reads any more.
    pub(crate) fn send(&self, message: Message) -> bool {
        self.0.send(message).is_ok()
    }
}
