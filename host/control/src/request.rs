//! What can be asked.

use crate::{
    settings::DestinationSettings,
    values::{Sensitive, Target, TimeSpec},
};
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line from a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`crate::PROTOCOL_VERSION`].
    pub version: u32,
    /// The question or order.
    pub ask: Ask,
}

impl Request {
    /// A request of this version.
    pub const fn new(ask: Ask) -> Self {
        Self { version: crate::PROTOCOL_VERSION, ask }
    }
}

/// A question or an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Counts of every task, states of every session.
    Status {},
    /// Put a task into force.
    TaskActivate {
        /// The task.
        task: Box<ActivateTask>,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// End a task now; what was selected before is still delivered.
    TaskDeactivate {
        /// The task.
        task: TaskSelector,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// End a task now and stop sending; what was not sent is kept sealed.
    TaskRevoke {
        /// The task.
        task: TaskSelector,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// All tasks that the store knows, ended ones too, in the order of their activation.
    TaskList {
        /// Show identities. Audited.
        #[serde(default)]
        reveal: bool,
        /// Which part of the listing.
        page: Page,
    },
    /// One task.
    TaskShow {
        /// The task.
        task: TaskSelector,
        /// Show identities. Audited.
        #[serde(default)]
        reveal: bool,
    },
    /// Make a destination known.
    DestinationAdd {
        /// The destination.
        destination: Box<AddDestination>,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// All destinations.
    DestinationList {},
    /// Forget a destination that no task uses.
    DestinationRemove {
        /// Its name.
        name: String,
        /// Only say what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// Who the card is, and how it is.
    CardStatus {},
    /// All counters of the card.
    CardCounters {},
    /// The rows that the card should hold, and whether it does.
    CardTables {
        /// Show identities. Audited.
        #[serde(default)]
        reveal: bool,
        /// Which part of the listing.
        page: Page,
    },
    /// Records of the audit log.
    AuditShow {
        /// Only those about this task.
        #[serde(default)]
        task: Option<Uuid>,
        /// Which part of the log; the cursor is a record's number.
        page: Page,
    },
    /// Check the whole audit log.
    AuditVerify {
        /// Hash of the last record that the log is known to have reached, 64 hexadecimal digits.
        #[serde(default)]
        expect_head: Option<String>,
    },
}

impl Ask {
    /// The order's name in refusals, logs and audit records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status {} => "status",
            Self::TaskActivate { .. } => "task activate",
            Self::TaskDeactivate { .. } => "task deactivate",
            Self::TaskRevoke { .. } => "task revoke",
            Self::TaskList { .. } => "task list",
            Self::TaskShow { .. } => "task show",
            Self::DestinationAdd { .. } => "destination add",
            Self::DestinationList {} => "destination list",
            Self::DestinationRemove { .. } => "destination remove",
            Self::CardStatus {} => "card status",
            Self::CardCounters {} => "card counters",
            Self::CardTables { .. } => "card tables",
            Self::AuditShow { .. } => "audit show",
            Self::AuditVerify { .. } => "audit verify",
        }
    }
}

/// A part of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Skip this many entries.
    pub skip: u64,
    /// Give at most this many, and never more than [`crate::PAGE_ENTRIES_MAX`].
    pub limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self { skip: 0, limit: crate::PAGE_ENTRIES_MAX }
    }
}

/// Names one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskSelector {
    /// By the identity that the ADMF gave it.
    Xid {
        /// The XID.
        xid: Uuid,
    },
    /// By its key at the handover, which is unique among the tasks in force.
    Handover {
        /// Name of the destination.
        destination: String,
        /// The LIID there.
        liid: Sensitive,
    },
}

/// Kind of a lawful order. It decides what may be delivered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    /// Interception of contents.
    Title3,
    /// What the target dials and addresses; never contents.
    PenRegister,
    /// Who addresses the target; never contents.
    TrapTrace,
    /// Foreign intelligence.
    Fisa,
    /// Emergency, with the order to follow within 48 hours.
    Emergency,
}

impl OrderKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Title3, Self::PenRegister, Self::TrapTrace, Self::Fisa, Self::Emergency];

    /// The kind, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title3 => "title3",
            Self::PenRegister => "pen-register",
            Self::TrapTrace => "trap-trace",
            Self::Fisa => "fisa",
            Self::Emergency => "emergency",
        }
    }
}

/// How much of a packet the order allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The IP header.
    #[serde(rename = "headers_l3")]
    HeadersL3,
    /// The IP and transport headers.
    #[serde(rename = "headers_l4")]
    HeadersL4,
    /// The whole packet.
    Content,
}

impl Scope {
    /// All scopes, a later one contains an earlier one.
    pub const ALL: [Self; 3] = [Self::HeadersL3, Self::HeadersL4, Self::Content];

    /// The scope, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeadersL3 => "headers_l3",
            Self::HeadersL4 => "headers_l4",
            Self::Content => "content",
        }
    }
}

/// The interface family over which a task is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// HI2 and HI3 to an agency's LEMF.
    Hi,
    /// X2 and X3 to a mediation function.
    X,
}

impl Delivery {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::Hi, Self::X];

    /// The family, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hi => "hi",
            Self::X => "x",
        }
    }
}

/// Everything that a task needs to be put into force. Who is responsible is not in it: that comes from the peer's uid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivateTask {
    /// Identity of the task; the daemon makes a random one if it is not given.
    #[serde(default)]
    pub xid: Option<Uuid>,
    /// Kind of the order.
    pub kind: OrderKind,
    /// Reference of the legal authorisation.
    pub authority: String,
    /// The law-enforcement officer who presented it.
    pub officer: String,
    /// The person who signed it.
    pub signer: String,
    /// Circuit or telephone number involved.
    pub circuit: Sensitive,
    /// The subscriber's name at the access.
    pub username: Sensitive,
    /// Access type of the subscriber.
    pub access_type: String,
    /// The agency's identifier of the interception, unique at its destination.
    pub liid: Sensitive,
    /// What to intercept; a packet that matches any of them is selected.
    pub targets: Vec<Target>,
    /// How much of each packet.
    pub scope: Scope,
    /// Over which interfaces.
    pub deliver: Delivery,
    /// Name of the destination.
    pub destination: String,
    /// When it begins.
    pub start: TimeSpec,
    /// When it ends.
    pub end: TimeSpec,
}

/// What counts as delivered at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// Read by the peer, as its answer to a later keep-alive proves.
    Barrier,
    /// Written to an open connection; only by agreement with the receiver.
    Written,
}

impl Confirmation {
    /// All modes.
    pub const ALL: [Self; 2] = [Self::Barrier, Self::Written];

    /// The mode, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Written => "written",
        }
    }
}

/// Oldest TLS version that a destination may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MinTls {
    /// TLS 1.2, AEAD suites with forward secrecy only.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

impl MinTls {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::Tls12, Self::Tls13];

    /// The version, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// Where a destination listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "interface", rename_all = "snake_case", deny_unknown_fields)]
pub enum InterfaceAddresses {
    /// An agency's LEMF.
    Hi {
        /// Where it takes intercept-related information.
        hi2: SocketAddr,
        /// Where it takes content.
        hi3: SocketAddr,
    },
    /// A mediation function.
    X {
        /// Where it takes intercept-related information.
        x2: SocketAddr,
        /// Where it takes content.
        x3: SocketAddr,
    },
}

impl InterfaceAddresses {
    /// The family.
    pub const fn delivery(&self) -> Delivery {
        match self {
            Self::Hi { .. } => Delivery::Hi,
            Self::X { .. } => Delivery::X,
        }
    }
}

/// How the connection to a destination is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transport", rename_all = "snake_case", deny_unknown_fields)]
pub enum TransportSecurity {
    /// Mutual TLS.
    MutualTls {
        /// Name or address that the peer's certificate has to carry.
        server_name: String,
        /// Certificates of the authorities that may vouch for the peer, PEM; none: those of the daemon's configuration.
        #[serde(default)]
        ca_pem: Option<String>,
        /// Oldest version.
        min_tls: MinTls,
    },
    /// No protection at all. Only for a laboratory: everybody on the way reads what a court sealed.
    DangerPlaintext,
}

/// A destination to make known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddDestination {
    /// Its name: 1 to 64 of `a-z A-Z 0-9 . _ -`.
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
}
