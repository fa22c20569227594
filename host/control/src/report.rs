//! What the daemon reports. These objects are also what `writ --json` prints, so a change here is a change of the
//! protocol's version. Fields that hold an identity are `null` unless revealing was asked for and allowed.

use crate::{
    TransportSecurity,
    request::{Confirmation, Delivery, InterfaceAddresses, OrderKind, Scope},
    settings::DestinationSettings,
    values::Sensitive,
};
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Packets and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP in them, of frames where those are delivered.
    pub bytes: u64,
}

/// PDUs, the packets in them, and their bytes. Events (begin, end, notices) are PDUs without packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pdus {
    /// PDUs.
    pub pdus: u64,
    /// Packets in them.
    pub packets: u64,
    /// Bytes of the PDUs.
    pub bytes: u64,
}

/// An instant of the card's clock, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instant {
    /// Nanoseconds of TAI since the PTP epoch.
    pub tai_ns: u64,
    /// The same in RFC 3339.
    pub utc: String,
}

/// Life of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Accepted, waits for its start.
    Pending,
    /// In force.
    Active,
    /// Ended; what it selected is still being delivered.
    Draining,
    /// Ended, all is delivered or given up with a cause.
    Ended,
    /// Stopped at once; what was not sent is kept sealed.
    Revoked,
    /// Nobody took what it selected until the drain limit; that is kept sealed.
    Held,
    /// Activation failed and was rolled back.
    Failed,
}

impl TaskState {
    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// A target of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetView {
    /// One of [`crate::Target::KINDS`].
    pub kind: String,
    /// As typed at activation.
    pub value: Option<Sensitive>,
}

/// The carrier's person who is responsible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsible {
    /// Peer uid of the order.
    pub uid: u32,
    /// Name that the configuration gives to it.
    pub person: String,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskView {
    /// Identity of the task.
    pub xid: Uuid,
    /// The agency's identifier.
    pub liid: Sensitive,
    /// Name of the destination.
    pub destination: String,
    /// Where it stands.
    pub state: TaskState,
    /// Kind of the order.
    pub kind: OrderKind,
    /// Reference of the legal authorisation.
    pub authority: String,
    /// The officer who presented it.
    pub officer: String,
    /// The person who signed it.
    pub signer: String,
    /// Circuit or telephone number.
    pub circuit: Option<Sensitive>,
    /// The subscriber's name at the access.
    pub username: Option<Sensitive>,
    /// Access type.
    pub access_type: String,
    /// Targets.
    pub targets: Vec<TargetView>,
    /// How much of each packet.
    pub scope: Scope,
    /// Over which interfaces.
    pub deliver: Delivery,
    /// First instant.
    pub start: Instant,
    /// End as ordered.
    pub end: Instant,
    /// End as the card keeps it: never later, up to 1.05 ms earlier.
    pub effective_end: Instant,
    /// When the card had all its rows; `null` before.
    pub armed: Option<Instant>,
    /// Who put it into force.
    pub responsible: Responsible,
}

/// A change, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskChange {
    /// False: dry run, nothing was changed.
    pub applied: bool,
    /// The task before; `null` if there was none.
    pub before: Option<TaskView>,
    /// The task after.
    pub after: Option<TaskView>,
    /// Rows of the card that were, or would be, written or cleared at once.
    pub row_commands: u64,
}

/// A page of tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskPage {
    /// All tasks that there are.
    pub total: u64,
    /// This page's.
    pub tasks: Vec<TaskView>,
}

/// One interface of a task. In packets, selected = delivered + buffered + withheld + what was dropped, summed over the causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceCounts {
    /// `hi2`, `hi3`, `x2` or `x3`.
    pub interface: String,
    /// Packets that the task selected for this interface; bytes only of those that reached the host.
    pub selected: Count,
    /// Confirmed by the peer.
    pub delivered: Pdus,
    /// Accepted, not confirmed yet.
    pub buffered: Pdus,
    /// Held back after a revocation, sealed.
    pub withheld: Pdus,
    /// Packets lost, by cause; causes without any are left out.
    pub dropped: BTreeMap<String, u64>,
    /// Packets that the card lost and that may or may not have been this task's. Outside the sum.
    pub unattributed_packets: u64,
    /// Packets that were offered although their stamp lies outside the order's term; they were not selected. Anything but 0 is a
    /// fault of this host.
    pub outside_term_packets: u64,
    /// Packets of which the record held less than the order allows; fragments of a tunnel count here too.
    pub truncated_packets: u64,
}

/// Counts of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskCounts {
    /// Identity of the task.
    pub xid: Uuid,
    /// The agency's identifier.
    pub liid: Sensitive,
    /// Name of the destination.
    pub destination: String,
    /// Kind of the order.
    pub kind: OrderKind,
    /// How much of each packet.
    pub scope: Scope,
    /// Where it stands.
    pub state: TaskState,
    /// First instant, TAI ns.
    pub start_ns: u64,
    /// End as ordered, TAI ns.
    pub end_ns: u64,
    /// End as the card keeps it, TAI ns.
    pub effective_end_ns: u64,
    /// Card time at which all its rows were in force, TAI ns.
    pub armed_ns: Option<u64>,
    /// From there to the stamp of the first packet that was selected.
    pub first_selected_after_arm_ns: Option<u64>,
    /// Per interface.
    pub interfaces: Vec<InterfaceCounts>,
}

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No task needs it.
    Off,
    /// Connecting or shaking hands.
    Connecting,
    /// Up.
    Connected,
    /// Failed; waits before it tries again.
    Waiting,
}

impl ConnectionState {
    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Waiting => "waiting",
        }
    }
}

/// One connection to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionReport {
    /// `hi2`, `hi3`, `x2` or `x3`.
    pub interface: String,
    /// Where the peer listens.
    pub address: SocketAddr,
    /// State of the connection.
    pub state: ConnectionState,
    /// Connections that came up since the start of the daemon.
    pub connects: u64,
    /// Bytes accepted for it and not confirmed.
    pub unconfirmed_bytes: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A destination and its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationStatus {
    /// Its name.
    pub name: String,
    /// Its connections.
    pub sessions: Vec<SessionReport>,
}

/// Blocks of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArenaReport {
    /// All.
    pub blocks: u64,
    /// Unused.
    pub free: u64,
}

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusReport {
    /// Nothing waits anywhere: no record in the card or its ring, no PDU unconfirmed in arena or journals, no ended task
    /// still being drained.
    pub idle: bool,
    /// The card.
    pub card: CardReport,
    /// Tasks in force, and those that ended since the start of the daemon.
    pub tasks: Vec<TaskCounts>,
    /// Destinations.
    pub destinations: Vec<DestinationStatus>,
    /// The arena.
    pub arena: ArenaReport,
    /// What a person should look at; empty when all is well.
    pub alarms: Vec<String>,
}

/// Who the card is, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardReport {
    /// What stands behind the driver: `model` or `rtl`.
    pub backend: String,
    /// ABI of the card, `major.minor`.
    pub abi: String,
    /// BLAKE3 of the gateware, 64 hexadecimal digits.
    pub build_hash: String,
    /// Hits are copied.
    pub armed: bool,
    /// Row commands are accepted.
    pub tables_ready: bool,
    /// The record path of the card is empty.
    pub records_idle: bool,
    /// The card holds a batch of rows that is in force and not tidied up. This host makes none.
    pub committed: bool,
    /// The card's clock.
    pub time: Instant,
    /// `unset`, `free` or `locked`; `gone` if the card does not answer.
    pub time_quality: String,
    /// Length of the IPv6 prefixes in the card's prefix table; `null`: it has none, and every prefix takes rules.
    pub prefix_bits: Option<u8>,
    /// Kinds of tunnels that are the carrier's own.
    pub own_tunnels: Vec<String>,
    /// Rows in use, by table; `rules` are the wildcard rules.
    pub rows: BTreeMap<String, RowUse>,
    /// Packet records that the host has consumed, from all rings.
    pub records_consumed: u64,
    /// Gap records that the host has consumed, from all rings.
    pub gaps_consumed: u64,
    /// The record rings in use, by number.
    pub rings: Vec<RingReport>,
    /// How the card's memory of rows is.
    pub rows_health: RowsHealth,
}

/// A record ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingReport {
    /// Its number, as rows name it.
    pub ring: u8,
    /// Tasks whose packets come through it.
    pub tasks: u64,
    /// Packet records that the host has consumed.
    pub packets: u64,
    /// Gap records that the host has consumed.
    pub gaps: u64,
    /// Records that the card could not make, as its gap records say.
    pub missing: u64,
    /// Records missing without a gap record: card or memory are at fault.
    pub lost: u64,
    /// Records that did not check: card or memory are at fault.
    pub bad_records: u64,
}

/// How the memory is in which the card keeps its rows. The counts are those since the card was brought up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsHealth {
    /// Damaged rows that the card's scrubber found; it finds one again every round until it is written again.
    pub damaged_rows: u64,
    /// Lookups that came upon a damaged row: it may have been their match, so packets may be missing.
    pub damaged_reads: u64,
    /// Where the last damaged row stood; `null`: there was none.
    pub last_damaged: Option<String>,
    /// Damaged rows that were written again.
    pub repaired: u64,
    /// Lookups that found two rows which contradict each other. Anything but 0 is a fault of card or host.
    pub multi_hits: u64,
    /// Rounds of the scrubber through all rows.
    pub scrub_rounds: u64,
}

/// Use of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowUse {
    /// Rows in use.
    pub used: u64,
    /// Rows that there are.
    pub capacity: u64,
}

/// All counters of the card, by their names in the register reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardCounters {
    /// Name and value.
    pub counters: BTreeMap<String, u64>,
}

/// A row of the card's tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowView {
    /// `address`, `prefix`, `endpoint`, `flow`, `tunnel`, `mac`, `vlan`, or `rules` for the wildcard rules.
    pub table: String,
    /// Way; of a rule its bank.
    pub way: u8,
    /// Row of the way; of a rule its number in the bank.
    pub row: u32,
    /// What a hit returns.
    pub match_index: u32,
    /// How much of the frame a hit allows.
    pub scope: Scope,
    /// Record ring of the hits.
    pub ring: u8,
    /// Expiry, TAI ns.
    pub not_after_ns: u64,
    /// What it matches, as the value of a target is typed; of a rule with `sender` or `receiver` behind it.
    pub key: Option<Sensitive>,
    /// The card, read back, holds exactly this.
    pub as_planned: bool,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePage {
    /// All rows in use.
    pub total: u64,
    /// This page's.
    pub rows: Vec<RowView>,
}

/// A destination as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationView {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: InterfaceAddresses,
    /// How the connections are protected.
    pub security: TransportSecurity,
    /// What counts as delivered.
    pub confirmation: Confirmation,
    /// What it wants otherwise than configured.
    #[serde(default)]
    pub settings: DestinationSettings,
    /// Tasks that are not ended and use it.
    pub tasks: u64,
}

/// All destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationPage {
    /// The destinations, by name.
    pub destinations: Vec<DestinationView>,
}

/// A change, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationChange {
    /// False: dry run, nothing was changed.
    pub applied: bool,
    /// The destination before; `null` if there was none.
    pub before: Option<DestinationView>,
    /// The destination after; `null` if there is none.
    pub after: Option<DestinationView>,
}

/// One record of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditView {
    /// Its number.
    pub number: u64,
    /// When it was written.
    pub time: Instant,
    /// What it is about.
    pub event: String,
    /// The record's fields. Identities stand as commitments.
    pub fields: serde_json::Value,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPage {
    /// All records that there are (of the task, if one was asked for).
    pub total: u64,
    /// This page's.
    pub records: Vec<AuditView>,
}

/// Whether the audit log is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditVerdict {
    /// The chain and all signatures are good, and the expected head, if given, was found.
    pub verified: bool,
    /// Records that are good, counted from the first.
    pub records: u64,
    /// Of them, signed checkpoints.
    pub checkpoints: u64,
    /// Hash of the last good record, 64 hexadecimal digits.
    pub head: String,
    /// The expected head was found; `null` if none was given: then the log is verified up to the last record that is there.
    pub head_found: Option<bool>,
    /// What is wrong, with the first bad record's number.
    pub problem: Option<String>,
}
