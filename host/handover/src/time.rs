//! A point in time as the hand-over formats count it.

/// A point in UTC: seconds since 1970-01-01T00:00:00Z without leap seconds (POSIX), and nanoseconds below one second.
///
/// The card counts TAI; whoever builds this value has converted already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    seconds: u64,
    nanoseconds: u32,
}

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// `None` if `nanoseconds` is a whole second or more.
    pub const fn new(seconds: u64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < 1_000_000_000 { Some(Self { seconds, nanoseconds }) } else { None }
    }

    /// From nanoseconds since the epoch.
    pub const fn from_ns(ns: u64) -> Self {
        Self { seconds: ns / 1_000_000_000, nanoseconds: (ns % 1_000_000_000) as u32 }
    }

    /// Whole seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// Nanoseconds below one second.
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Microseconds below one second, rounded down.
    pub const fn microseconds(self) -> u32 {
        self.nanoseconds / 1_000
    }
}
