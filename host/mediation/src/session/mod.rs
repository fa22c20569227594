//! One delivery session: a destination's interface over a connection that may break at any time. No sockets, no clock, no TLS:
//! [`Session::poll`] says what to do next, [`Session::transmit`] gives octets to write, [`Session::received`] takes what the peer
//! sent.
//!
//! # What it guarantees
//! - Every PDU that it was given is sent, octet for octet as it was encoded, until the peer *confirmed* it; after a broken
//!   connection everything unconfirmed goes again, in order, from the first unconfirmed PDU on.
//! - Control PDUs (keep-alives and their answers) stand between PDUs, never inside one.
//! - On HI2 and X2 nothing is sent that is not in the journal and synced.
//! - Never more than [`SessionConfig::window_bytes`] are under way unconfirmed, so a repetition is never longer.
//! - A withheld numbering sends nothing more: see [`Session::withhold`].
//!
//! # What counts as confirmed
//! [`Confirmation::Barrier`]: our keep-alive was answered. TCP keeps the order, so the peer read all that stood before it.
//! [`Confirmation::Written`]: handed to the transport, by agreement with the agency (TS 102 232-1 clause 6.3, third option); the
//! last `resend_bytes` are kept and sent again.
//!
//! # Whose fault
//! [`Fault::party`] says it for each reason to close. Nothing that a peer sends makes a session panic; octets that are no PDU close
//! the connection.
//!
//! # Clauses
//! TS 102 232-1 6.3, 6.4, 7.2 (connection, keep-alive, buffering); TS 103 221-2 clause 5 and the keep-alive with TIME_P1, TIME_P2.

mod backlog;
mod config;
mod dialect;
mod link;
mod report;
mod send;

pub use config::{ConfigError, Confirmation, HandoverIdentity, KeepAlive, Retry, SessionConfig, WallClock};
pub use report::{Counts, Fault, Notice, Party, SessionReport, SessionStatus};

use crate::{
    arena::{BlockMemory, FreeBlock, SealedBlock},
    journal::{Journal, Storage, StorageError},
    units::{ContextIndex, HostNs, SessionKey},
};
use backlog::Backlog;
use dialect::Dialect;
use link::Link;
use report::ReportBuilder;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the owner of the session has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open a connection, then call [`Session::connected`] or [`Session::connect_failed`].
    Connect,
    /// Write [`Session::transmit`], then call [`Session::transmitted`]. Go on reading meanwhile.
    Write,
    /// Close the connection, then call [`Session::disconnected`].
    Close(Fault),
    /// Nothing until this point in time, or until something arrives. `None`: only if something arrives.
    Wait(Option<HostNs>),
}

/// A PDU that was held back. It is out of the session; whoever takes it keeps it, sealed, for a recorded decision. `Debug` shows no
/// octet of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Its session.
    pub key: SessionKey,
    /// Its numbering.
    pub context: ContextIndex,
    /// Its number.
    pub sequence: u32,
    /// Packets in it.
    pub packets: u16,
    /// The PDU.
    pub pdu: Vec<u8>,
    place: Place,
}

impl Withheld {
    /// A withheld PDU that its keeper read back, to be released.
    pub const fn restored(key: SessionKey, context: ContextIndex, sequence: u32, packets: u16, pdu: Vec<u8>) -> Self {
        Self { key, context, sequence, packets, pdu, place: (u64::MAX, u32::MAX) }
    }
}

impl core::fmt::Debug for Withheld {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Withheld")
            .field("key", &self.key)
            .field("context", &self.context)
            .field("sequence", &self.sequence)
            .field("bytes", &self.pdu.len())
            .finish_non_exhaustive()
    }
}

/// A PDU's place in the session's stream: number of the unit (block or journal frame), number of the PDU in it.
pub(crate) type Place = (u64, u32);

/// See the module's documentation. `B` is the memory of blocks, `S` the journal's storage ([`NoStorage`] where there is none).
#[derive(Debug)]
pub struct Session<B, S = NoStorage> {
    config: SessionConfig,
    dialect: Dialect,
    backlog: Backlog<B, S>,
    link: Link,
    /// Next PDU to send.
    cursor: Place,
    /// Counted as delivered up to here.
    delivered: Place,
    /// Not needed any more up to here.
    confirmed: Place,
    /// The peer confirmed up to here; `confirmed` may lag behind because of withheld PDUs.
    peer_confirmed: Place,
    /// Ends and sizes of the runs that were sent and are not confirmed.
    under_way: VecDeque<(Place, u64)>,
    under_way_bytes: u64,
    withholding: BTreeSet<ContextIndex>,
    /// Withheld PDUs that were taken out of the stream, and whether their keeper has stored them.
    extracted: BTreeMap<Place, bool>,
    withheld: VecDeque<Withheld>,
    report: ReportBuilder,
    /// When to try the storage again after it failed.
    storage_retry: Option<HostNs>,
    stopping: bool,
    /// Bytes of blocks that it may hold.
    share_bytes: u64,
}

/// The storage of a session without a journal.
#[derive(Debug, Clone, Copy)]
pub enum NoStorage {}

impl<B: BlockMemory, S: Storage> Session<B, S> {
    /// A session that is not connected. HI2 and X2 need a journal, HI3 and X3 may have one.
    ///
    /// # Errors
    /// The name of the first setting that does not fit, and why.
    pub fn new(config: SessionConfig, journal: Option<Journal<S>>) -> Result<Self, ConfigError> {
        config.check()?;
        if config.key.interface.is_journalled() && journal.is_none() {
            return Err(ConfigError { setting: "journal", reason: "HI2 and X2 are journalled before they are sent" });
        }
        let dialect = Dialect::new(&config)?;
        let backlog = Backlog::new(journal);
        let first = (0, backlog.confirmed(0));
        let link = Link::new(&config);
        Ok(Self {
            dialect,
            backlog,
            link,
            cursor: first,
            delivered: first,
            confirmed: first,
            peer_confirmed: first,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            withholding: BTreeSet::new(),
            extracted: BTreeMap::new(),
            withheld: VecDeque::new(),
            report: ReportBuilder::new(config.key),
            storage_retry: None,
            stopping: false,
            share_bytes: u64::MAX,
            config,
        })
    }

    /// Takes a block of accepted PDUs. Blocks of other sessions are refused.
    ///
    /// # Errors
    /// The block, unchanged, if it belongs to another session: the caller mixed up its channels.
    pub fn push(&mut self, block: SealedBlock<B>) -> Result<(), SealedBlock<B>> {
        if block.key() != self.config.key {
            return Err(block);
        }
        let was_empty = self.backlog.units() == 0;
        self.backlog.push(block);
        if was_empty {
            self.skip_confirmed();
        }
        Ok(())
    }

    /// A unit that came from a restart may be confirmed in part.
    fn skip_confirmed(&mut self) {
        let entry = self.backlog.confirmed(0);
        if entry > self.confirmed.1 && self.cursor == self.confirmed {
            let place = (self.confirmed.0, entry);
            (self.cursor, self.delivered, self.confirmed, self.peer_confirmed) = (place, place, place, place);
        }
    }

    /// Memory that is not needed any more; hand it to [`crate::datapath::Encoder::recycle`].
    pub fn pop_free(&mut self) -> Option<FreeBlock<B>> {
        self.backlog.pop_free()
    }

    /// What happened since the last call; `None` if nothing did.
    pub fn take_report(&mut self) -> Option<SessionReport> {
        self.report.take()
    }

    /// Sends nothing more of a numbering. What of it is under way and not confirmed is not sent again. A PDU of which the first
    /// octet is out is finished, because a torn PDU would spoil the stream for every task behind it. Held until
    /// [`Session::resume`].
    pub fn withhold(&mut self, context: ContextIndex) {
        self.withholding.insert(context);
        self.cut_run();
    }

    /// Sends later PDUs of the numbering again. What was withheld is with its keeper, who gives it back through
    /// [`crate::datapath::Encoder::release`].
    pub fn resume(&mut self, context: ContextIndex) {
        self.withholding.remove(&context);
    }

    /// A PDU that was held back. Keep it safe, then call [`Session::withheld_stored`]; until then it stays in the arena or journal
    /// as well.
    pub fn pop_withheld(&mut self) -> Option<Withheld> {
        self.withheld.pop_front()
    }

    /// The keeper has stored the PDU, or has destroyed it by a recorded decision.
    pub fn withheld_stored(&mut self, withheld: &Withheld) {
        if let Some(stored) = self.extracted.get_mut(&withheld.place) {
            *stored = true;
        }
        self.settle();
    }

    /// How many bytes of blocks the session may hold until they are confirmed. What it keeps unconfirmed by its own choice stays
    /// well below, whatever the settings say: a share that is full of what waits for more to come would never get it.
    pub fn set_share(&mut self, bytes: u64) {
        self.share_bytes = bytes;
    }

    /// Blocks are filled to a half at least, and half of them have to be free for what comes.
    fn kept_bytes(&self, wanted: u64) -> u64 {
        wanted.min(self.share_bytes / 4)
    }

    /// Closes the connection and opens none again. What is not confirmed stays in the arena and the journal.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// What the session holds and the peer has not confirmed, by numbering: counted, not computed. Reads a journal through;
    /// withheld PDUs that were handed out are not in it.
    ///
    /// # Errors
    /// [`StorageError`] of the journal.
    pub fn buffered(&mut self) -> Result<Vec<(ContextIndex, Counts)>, StorageError> {
        let mut buffered: BTreeMap<ContextIndex, Counts> = BTreeMap::new();
        let extracted = &self.extracted;
        let delivered = self.delivered;
        self.backlog.for_each(|place, entry, bytes| {
            if place >= delivered && !extracted.contains_key(&place) {
                *buffered.entry(entry.context).or_default() += Counts { pdus: 1, packets: entry.packets.into(), bytes };
            }
        })?;
        Ok(buffered.into_iter().collect())
    }

    /// Where the session stands.
    pub fn status(&self) -> SessionStatus {
        SessionStatus {
            key: self.config.key,
            connected: self.link.is_up(),
            connections: self.link.connections(),
            buffered_bytes: if self.is_all_confirmed() { 0 } else { self.backlog.bytes() },
            under_way_bytes: match self.config.confirmation {
                Confirmation::Barrier { .. } => self.under_way_bytes,
                // Kept to be sent again, but nobody is waited for.
                Confirmation::Written { .. } => 0,
            },
            all_sent: self.is_all_sent(),
            storage_failed: self.storage_retry.is_some(),
        }
    }
}

mod no_storage {
    //! `NoStorage` has no values, so none of this is ever called.
    use super::NoStorage;
    use crate::journal::{SegmentId, Storage, StorageError};

    impl Storage for NoStorage {
        fn list(&mut self) -> Result<Vec<SegmentId>, StorageError> {
            match *self {}
        }
        fn create(&mut self, _: SegmentId) -> Result<(), StorageError> {
            match *self {}
        }
        fn write(&mut self, _: SegmentId, _: u64, _: &[u8]) -> Result<(), StorageError> {
            match *self {}
        }
        fn sync(&mut self, _: SegmentId) -> Result<(), StorageError> {
            match *self {}
        }
        fn read(&mut self, _: SegmentId, _: u64, _: &mut [u8]) -> Result<(), StorageError> {
            match *self {}
        }
        fn bytes(&mut self, _: SegmentId) -> Result<u64, StorageError> {
            match *self {}
        }
        fn truncate(&mut self, _: SegmentId, _: u64) -> Result<(), StorageError> {
            match *self {}
        }
        fn remove(&mut self, _: SegmentId) -> Result<(), StorageError> {
            match *self {}
        }
    }
}
