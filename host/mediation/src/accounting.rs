//! Every selected packet is somewhere. The encoder and the sessions report differences; [`Ledger`] adds them up for each (task,
//! destination, interface) and checks
//!
//! `carried + selected = delivered + buffered + withheld + dropped (by cause)`
//!
//! where *buffered* is counted by those who hold it, not computed from the others. Accounting counts packets; events (begin, end,
//! notices) are PDUs without packets. Nothing of one destination enters another's account.

use crate::{
    session::{Counts, SessionReport},
    task::names,
    units::{ContextIndex, DestinationIndex, Interface, SessionKey, TaskIndex},
};
use core::fmt;
use std::collections::BTreeMap;

/// Why a packet that was selected is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossCause {
    /// The card had no room for the frame.
    CardCopyFifo,
    /// The card had no room for the record: the ring was full or the bus too slow.
    CardRecordFifo,
    /// The frame was too long for the card.
    CardOversize,
    /// The card lost it for several reasons that it does not tell apart.
    CardMixed,
    /// The card lost the frame before it looked it up: whose it was, and whether it was anybody's, is not known.
    CardUnseen,
    /// The destination held all the memory that it may have: its peer was slow or away.
    DestinationFull,
    /// The record made no sense: the card or its memory is at fault.
    Malformed,
    /// The task was revoked before the packet was encoded.
    Revoked,
    /// The arena did not survive a restart of the machine.
    Restart,
    /// It was lost right before the process was killed, which had no time to write down why.
    Unrecorded,
}

names!(LossCause {
    CardCopyFifo = "card-copy-fifo",
    CardRecordFifo = "card-record-fifo",
    CardOversize = "card-oversize",
    CardMixed = "card-mixed",
    CardUnseen = "card-unseen",
    DestinationFull = "destination-full",
    Malformed = "malformed",
    Revoked = "revoked",
    Restart = "restart",
    Unrecorded = "unrecorded",
});

/// Packets by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses([u64; LossCause::ALL.len()]);

impl Losses {
    /// Packets lost for this cause.
    pub const fn of(&self, cause: LossCause) -> u64 {
        self.0[cause as usize]
    }

    /// Adds packets to a cause.
    pub fn add(&mut self, cause: LossCause, packets: u64) {
        self.0[cause as usize] += packets;
    }

    /// Packets of all causes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The causes with their packets, those without left out.
    pub fn iter(&self) -> impl Iterator<Item = (LossCause, u64)> {
        LossCause::ALL.iter().map(|&cause| (cause, self.of(cause))).filter(|&(_, packets)| packets > 0)
    }
}

/// Things that must not happen. None of them delivers anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Packets stamped outside [start, end) that were offered all the same: the fan-out is wrong. Not selected, not delivered.
    pub outside_window: u64,
    /// Packets of which the record held less than the order allows: they went out marked as truncated. Of a tunnel that is fragmented this
    /// is no fault: the first fragment holds a piece of the packet inside.
    pub truncated: u64,
}

impl Faults {
    /// Whether nothing happened.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// What changed for one (task, destination, interface) on the encoder's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskDelta {
    /// The task.
    pub task: TaskIndex,
    /// The session that the PDUs go through.
    pub session: SessionKey,
    /// Packets that the card selected, lost ones included.
    pub selected_packets: u64,
    /// Bytes of IP in those that arrived here, of frames where those are delivered.
    pub selected_bytes: u64,
    /// PDUs that were accepted into the arena.
    pub encoded: Counts,
    /// Packets that were lost.
    pub losses: Losses,
    /// Packets that the card lost and nobody can attribute: they may or may not have been this task's. Outside the identity.
    pub unattributed_packets: u64,
    /// What must not happen.
    pub faults: Faults,
}

/// The account of one (task, destination, interface).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Found accepted and unconfirmed at the start of this process.
    pub carried: Counts,
    /// Packets selected since then.
    pub selected_packets: u64,
    /// Bytes of IP in those that arrived, of frames where those are delivered.
    pub selected_bytes: u64,
    /// PDUs accepted.
    pub encoded: Counts,
    /// PDUs confirmed by the peer.
    pub delivered: Counts,
    /// PDUs that were held back and are with their keeper.
    pub withheld: Counts,
    /// Packets lost, by cause.
    pub losses: Losses,
    /// See [`TaskDelta::unattributed_packets`].
    pub unattributed_packets: u64,
    /// What must not happen.
    pub faults: Faults,
}

impl Account {
    /// PDUs that should be buffered now, computed from the rest.
    pub fn expected_buffered(&self) -> Counts {
        let mut accepted = self.encoded;
        accepted += self.carried;
        accepted.less(self.delivered).less(self.withheld)
    }
}

/// The identity does not hold: something was lost or counted twice on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imbalance {
    /// The task.
    pub task: TaskIndex,
    /// The session.
    pub session: SessionKey,
    /// carried + selected.
    pub taken_packets: u64,
    /// delivered + buffered + withheld + dropped.
    pub accounted_packets: u64,
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SessionKey { destination: DestinationIndex(destination), interface } = self.session;
        write!(
            f,
            "task {}, destination {destination}, {}: {} packets were taken and {} are accounted for",
            self.task.0,
            interface.name(),
            self.taken_packets,
            self.accounted_packets
        )
    }
}

impl core::error::Error for Imbalance {}

/// The accounts of all tasks. The control thread owns it.
#[derive(Debug, Default)]
pub struct Ledger {
    accounts: BTreeMap<(TaskIndex, SessionKey), Account>,
    contexts: BTreeMap<ContextIndex, (TaskIndex, SessionKey)>,
}

impl Ledger {
    /// No accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns whose numbering a context is: for each of [`crate::datapath::Opened::contexts`].
    pub fn open(&mut self, task: TaskIndex, context: ContextIndex, session: SessionKey) {
        self.contexts.insert(context, (task, session));
        self.accounts.entry((task, session)).or_default();
    }

    /// Enters what was found buffered at the start (from [`crate::arena::Recovery::contexts`] and the journals).
    pub fn carry(&mut self, task: TaskIndex, session: SessionKey, counts: Counts) {
        self.accounts.entry((task, session)).or_default().carried += counts;
    }

    /// Enters a difference from the encoder.
    pub fn apply_delta(&mut self, delta: &TaskDelta) {
        let account = self.accounts.entry((delta.task, delta.session)).or_default();
        account.selected_packets += delta.selected_packets;
        account.selected_bytes += delta.selected_bytes;
        account.encoded += delta.encoded;
        for (cause, packets) in delta.losses.iter() {
            account.losses.add(cause, packets);
        }
        account.unattributed_packets += delta.unattributed_packets;
        account.faults.outside_window += delta.faults.outside_window;
        account.faults.truncated += delta.faults.truncated;
    }

    /// Enters what a session delivered and withheld. Numberings that were never opened here are answered: their PDUs belong to a
    /// task that is forgotten, or the caller mixed something up.
    pub fn apply_report(&mut self, report: &SessionReport) -> Vec<ContextIndex> {
        let mut unknown = Vec::new();
        let delivered = report.delivered.iter().map(|&(context, counts)| (context, counts, false));
        let withheld = report.withheld.iter().map(|&(context, counts)| (context, counts, true));
        for (context, counts, is_withheld) in delivered.chain(withheld) {
            let Some(account) = self.contexts.get(&context).and_then(|whose| self.accounts.get_mut(whose)) else {
                unknown.push(context);
                continue;
            };
            if is_withheld {
                account.withheld += counts;
            } else {
                account.delivered += counts;
            }
        }
        unknown
    }

    /// PDUs that were withheld are given back to be sent.
    pub fn released(&mut self, task: TaskIndex, session: SessionKey, counts: Counts) {
        if let Some(account) = self.accounts.get_mut(&(task, session)) {
            account.withheld = account.withheld.less(counts);
        }
    }

    /// The accounts of a task, one a destination and interface.
    pub fn task(&self, task: TaskIndex) -> impl Iterator<Item = (SessionKey, &Account)> {
        self.accounts.range((task, FIRST)..=(task, LAST)).map(|(&(_, session), account)| (session, account))
    }

    /// PDUs of a task that are buffered. 0: it is drained. Complete only when all deltas and reports were entered.
    pub fn buffered_pdus(&self, task: TaskIndex) -> u64 {
        self.task(task).map(|(_, account)| account.expected_buffered().pdus).sum()
    }

    /// Forgets a task that has ended; answers its last accounts, for the audit log.
    pub fn forget(&mut self, task: TaskIndex) -> Vec<(SessionKey, Account)> {
        self.contexts.retain(|_, whose| whose.0 != task);
        let last = self.task(task).map(|(session, account)| (session, *account)).collect();
        self.accounts.retain(|whose, _| whose.0 != task);
        last
    }

    /// Checks the identity of one account against `buffered_packets` as its holders (encoder and session) count them.
    ///
    /// # Errors
    /// [`Imbalance`].
    pub fn check(&self, task: TaskIndex, session: SessionKey, buffered_packets: u64) -> Result<(), Imbalance> {
        let account = self.accounts.get(&(task, session)).copied().unwrap_or_default();
        let taken_packets = account.carried.packets + account.selected_packets;
        let accounted_packets =
            account.delivered.packets + buffered_packets + account.withheld.packets + account.losses.total();
        if taken_packets == accounted_packets {
            Ok(())
        } else {
            Err(Imbalance { task, session, taken_packets, accounted_packets })
        }
    }
}

const FIRST: SessionKey = SessionKey { destination: DestinationIndex(0), interface: Interface::Hi2 };
const LAST: SessionKey = SessionKey { destination: DestinationIndex(u16::MAX), interface: Interface::X3 };
