//! Small types that every module of this crate uses: points in time, dense indices, session keys.

use serde::{Deserialize, Serialize};

/// A point in time on the card's clock: nanoseconds of TAI since 1970-01-01T00:00:00 TAI. The only clock that decides what a task
/// selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaiNs(pub u64);

/// A point in time on the host's monotonic clock, nanoseconds since any origin that stays the same while the process lives.
/// Keep-alives, back-off and block ages use it; it says nothing about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostNs(pub u64);

impl HostNs {
    /// This point plus `duration_ns`, at most the end of time.
    pub const fn plus(self, duration_ns: u64) -> Self {
        Self(self.0.saturating_add(duration_ns))
    }

    /// Nanoseconds since `earlier`, 0 if that is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Dense number of a task on this host. One task has one LIID, one scope and one kind of delivery; an XID with several mediation
/// details has several tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskIndex(pub u32);

/// Number of a destination (an agency's LEMF or a mediation function). Given once by the daemon's store and never used for another
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DestinationIndex(pub u16);

/// Number of a sequence context, that is of one numbering: task, destination, CIN, kind of PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextIndex(pub u32);

/// Number of a record of the card. Each record ring counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RecordNumber {
    /// The ring that it came through.
    pub ring: u8,
    /// Its number there; wraps.
    pub sequence: u32,
}

/// An interface towards a destination. Each has its own session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Interface {
    /// Intercept related information as PS-PDUs (TS 102 232-1).
    Hi2 = 0,
    /// Content as PS-PDUs (TS 102 232-1).
    Hi3 = 1,
    /// Intercept related information as X2 PDUs (TS 103 221-2).
    X2 = 2,
    /// Content as X3 PDUs (TS 103 221-2).
    X3 = 3,
}

impl Interface {
    /// All interfaces, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Hi2, Self::Hi3, Self::X2, Self::X3];

    /// The interface for its number, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Hi2),
            1 => Some(Self::Hi3),
            2 => Some(Self::X2),
            3 => Some(Self::X3),
            _ => None,
        }
    }

    /// Its name in output and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hi2 => "hi2",
            Self::Hi3 => "hi3",
            Self::X2 => "x2",
            Self::X3 => "x3",
        }
    }

    /// Whether it speaks PS-PDUs; if not, X2/X3 PDUs.
    pub const fn is_handover(self) -> bool {
        matches!(self, Self::Hi2 | Self::Hi3)
    }

    /// Whether everything is journalled and synced before it is sent.
    pub const fn is_journalled(self) -> bool {
        matches!(self, Self::Hi2 | Self::X2)
    }
}

/// One session: a destination's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// Whose.
    pub destination: DestinationIndex,
    /// Which of its interfaces.
    pub interface: Interface,
}

/// A personal or organisational text (officer, signer, username, circuit). `Debug` shows only that it is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("<redacted>")
    }
}
