//! What a session tells its surroundings.

use crate::{
    journal::StorageError,
    units::{ContextIndex, SessionKey},
};
use core::fmt;
use std::collections::BTreeMap;

/// PDUs, packets in them, and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// PDUs, events included.
    pub pdus: u64,
    /// Packets in them; events hold none.
    pub packets: u64,
    /// Bytes of PDUs.
    pub bytes: u64,
}

impl core::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.pdus += other.pdus;
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl Counts {
    /// Less `other`; never below 0.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            pdus: self.pdus.saturating_sub(other.pdus),
            packets: self.packets.saturating_sub(other.packets),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// Who caused a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The other end of the connection.
    Peer,
    /// The way between.
    Network,
    /// This host.
    Host,
    /// Nobody: it was asked for.
    Nobody,
}

/// Why a connection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A keep-alive was not answered in time, and nothing else showed that the peer is reading.
    Unanswered {
        /// How long nothing moved.
        after_ns: u64,
    },
    /// The peer reads nothing: not one octet could be written.
    Stalled {
        /// How long nothing moved.
        after_ns: u64,
    },
    /// The peer sent octets that are no PDU; what is wrong and where.
    Malformed(String),
    /// The peer sends keep-alives faster than it reads our answers.
    Flood,
    /// [`super::Session::stop`] was called.
    Stopping,
}

impl Fault {
    /// Who caused it.
    pub const fn party(&self) -> Party {
        match self {
            Self::Unanswered { .. } | Self::Stalled { .. } => Party::Network,
            Self::Malformed(_) | Self::Flood => Party::Peer,
            Self::Stopping => Party::Nobody,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered { after_ns } => {
                write!(
                    f,
                    "no answer to our keep-alive and no other sign of life for {} ms (peer or network)",
                    after_ns / 1_000_000
                )
            }
            Self::Stalled { after_ns } => {
                write!(f, "nothing could be written for {} ms (peer or network)", after_ns / 1_000_000)
            }
            Self::Malformed(what) => write!(f, "the peer sent octets that are no PDU: {what}"),
            Self::Flood => write!(f, "the peer sends keep-alives faster than it reads our answers"),
            Self::Stopping => write!(f, "asked to stop"),
        }
    }
}

/// Something worth a log line or an audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A connection is up.
    Connected,
    /// A connection ended; so many bytes have to be sent again.
    Disconnected {
        /// Bytes of PDUs that were sent and not confirmed.
        again_bytes: u64,
    },
    /// The session closes the connection.
    Closing(Fault),
    /// The peer answered a keep-alive that it was never sent; it does not count.
    UnknownAnswer(u32),
    /// The peer sent a PDU that means nothing to us; what it was.
    Ignored(&'static str),
    /// The journal's storage failed; it is tried again.
    StorageFailed(StorageError),
    /// The journal's storage works again.
    StorageRecovered,
}

/// What happened on a session since its last report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReport {
    /// Which session.
    pub key: SessionKey,
    /// Newly delivered (confirmed), by numbering.
    pub delivered: Vec<(ContextIndex, Counts)>,
    /// Newly taken out and handed to their keeper, by numbering.
    pub withheld: Vec<(ContextIndex, Counts)>,
    /// What else happened, in order.
    pub notices: Vec<Notice>,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStatus {
    /// Which session.
    pub key: SessionKey,
    /// Whether a connection is up.
    pub connected: bool,
    /// Connections so far.
    pub connections: u64,
    /// Bytes of PDUs that wait or are not confirmed.
    pub buffered_bytes: u64,
    /// Of these, sent and waiting for the peer's confirmation; 0 where writing counts as confirmation.
    pub under_way_bytes: u64,
    /// Whether every PDU that it has was handed to the transport of this connection.
    pub all_sent: bool,
    /// The journal's storage does not work.
    pub storage_failed: bool,
}

/// Notices beyond this many are dropped until the report is taken: a peer cannot make it grow.
const NOTICES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct ReportBuilder {
    key: SessionKey,
    delivered: BTreeMap<ContextIndex, Counts>,
    withheld: BTreeMap<ContextIndex, Counts>,
    notices: Vec<Notice>,
}

impl ReportBuilder {
    pub(super) fn new(key: SessionKey) -> Self {
        Self { key, delivered: BTreeMap::new(), withheld: BTreeMap::new(), notices: Vec::new() }
    }

    pub(super) fn deliver(&mut self, context: ContextIndex, counts: Counts) {
        *self.delivered.entry(context).or_default() += counts;
    }

    pub(super) fn withhold(&mut self, context: ContextIndex, counts: Counts) {
        *self.withheld.entry(context).or_default() += counts;
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(notice);
        }
    }

    pub(super) fn take(&mut self) -> Option<SessionReport> {
        if self.delivered.is_empty() && self.withheld.is_empty() && self.notices.is_empty() {
            return None;
        }
        Some(SessionReport {
            key: self.key,
            delivered: core::mem::take(&mut self.delivered).into_iter().collect(),
            withheld: core::mem::take(&mut self.withheld).into_iter().collect(),
            notices: core::mem::take(&mut self.notices),
        })
    }
}
