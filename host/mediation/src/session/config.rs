//! Settings of a session.

use crate::{
    datapath::Formats,
    units::{HostNs, SessionKey},
};
use core::{fmt, num::NonZeroU64};
use writ_handover::{
    ids::{CountryCode, Liid, NetworkElementId, OperatorId},
    time::UnixTime,
};

const NS_PER_S: u64 = 1_000_000_000;
const MIB: u64 = 1024 * 1024;

/// What counts as confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// Our keep-alive was answered; an extra one goes out after so many bytes or so much time with unconfirmed PDUs.
    Barrier {
        /// Bytes after which an extra keep-alive goes out.
        every_bytes: u64,
        /// Time after which one goes out.
        every_ns: u64,
    },
    /// Handed to the transport; the last `resend_bytes` are kept and sent again on a new connection.
    Written {
        /// Bytes kept; fewer if the session may hold only few (see [`super::Session::set_share`]).
        resend_bytes: u64,
    },
}

impl Default for Confirmation {
    fn default() -> Self {
        Self::Barrier { every_bytes: 8 * MIB, every_ns: NS_PER_S }
    }
}

/// When to send keep-alives, and how long to wait for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// HI: TIME1, silence on our side after which one is sent. X: TIME_P1, time from one to the next whatever else is sent.
    pub after_ns: u64,
    /// HI: TIME3, X: TIME_P2. Without an answer, and without any other sign that the peer is still reading, the connection is
    /// closed.
    pub answer_ns: u64,
}

impl KeepAlive {
    /// 60 s of silence, 30 s for the answer.
    pub const HANDOVER: Self = Self { after_ns: 60 * NS_PER_S, answer_ns: 30 * NS_PER_S };
    /// TIME_P1 60 s, TIME_P2 180 s (TS 103 221-2's defaults).
    pub const X: Self = Self { after_ns: 60 * NS_PER_S, answer_ns: 180 * NS_PER_S };
}

/// How long to wait before the next attempt to connect. The first one after a loss is made at once; each further one waits twice as
/// long, a quarter more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Wait before the second attempt.
    pub first_ns: u64,
    /// Longest wait.
    pub longest_ns: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first_ns: NS_PER_S, longest_ns: 30 * NS_PER_S }
    }
}

/// What stands in the header of our keep-alives on HI2 and HI3; the LIID there is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverIdentity {
    /// What to say as LIID, like `writ`.
    pub liid: Liid,
    /// Country of the agency.
    pub country: CountryCode,
    /// The operator.
    pub operator: OperatorId,
    /// The network element.
    pub network_element: Option<NetworkElementId>,
}

/// A pair of points in time that are the same instant: gives keep-alives their UTC stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// On the host's monotonic clock.
    pub host: HostNs,
    /// In UTC.
    pub utc: UnixTime,
}

impl WallClock {
    pub(crate) fn at(&self, now: HostNs) -> UnixTime {
        let base_ns = self.utc.seconds().saturating_mul(NS_PER_S).saturating_add(u64::from(self.utc.nanoseconds()));
        UnixTime::from_ns(base_ns.saturating_add(now.since(self.host)))
    }
}

/// Settings of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// Which session.
    pub key: SessionKey,
    /// What counts as confirmed.
    pub confirmation: Confirmation,
    /// Keep-alives.
    pub keep_alive: KeepAlive,
    /// Attempts to connect.
    pub retry: Retry,
    /// For HI2 and HI3.
    pub identity: Option<HandoverIdentity>,
    /// Versions that keep-alives say.
    pub formats: Formats,
    /// Most bytes of PDUs a second; `None`: as many as the peer takes. Keep-alives and their answers are not held back.
    pub rate_bytes_per_s: Option<NonZeroU64>,
    /// UTC for keep-alives.
    pub wall_clock: WallClock,
    /// With barriers: most bytes sent and not confirmed, at least twice `every_bytes`. Without, `resend_bytes` says what is kept.
    pub window_bytes: u64,
    /// Longest PDU accepted from the peer; peers send keep-alives and little else.
    pub peer_pdu_bytes_max: usize,
    /// Makes the back-off of this session differ from others'; any number.
    pub seed: u64,
}

/// A setting that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigError {
    /// Which one.
    pub setting: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session setting {}: {}", self.setting, self.reason)
    }
}

impl core::error::Error for ConfigError {}

impl SessionConfig {
    /// Settings with the defaults of the interface.
    pub fn new(key: SessionKey, identity: Option<HandoverIdentity>, wall_clock: WallClock) -> Self {
        let keep_alive = if key.interface.is_handover() { KeepAlive::HANDOVER } else { KeepAlive::X };
        Self {
            key,
            confirmation: Confirmation::default(),
            keep_alive,
            retry: Retry::default(),
            identity,
            formats: Formats::default(),
            rate_bytes_per_s: None,
            wall_clock,
            window_bytes: 32 * MIB,
            peer_pdu_bytes_max: 64 * 1024,
            seed: u64::from(key.destination.0) << 8 | key.interface as u64,
        }
    }

    /// Finds settings that do not fit together.
    ///
    /// # Errors
    /// [`ConfigError`] with the first one.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fail = |setting, reason| Err(ConfigError { setting, reason });
        if self.key.interface.is_handover() && self.identity.is_none() {
            return fail("identity", "HI2 and HI3 need one for their keep-alives");
        }
        if self.keep_alive.after_ns == 0 || self.keep_alive.answer_ns == 0 {
            return fail("keep_alive", "both times must be more than 0");
        }
        if self.retry.first_ns == 0 || self.retry.longest_ns < self.retry.first_ns {
            return fail("retry", "the first wait must be more than 0 and the longest no shorter than it");
        }
        match self.confirmation {
            Confirmation::Barrier { every_bytes, every_ns } => {
                if every_bytes == 0 || every_ns == 0 {
                    return fail("confirmation", "a barrier needs bytes and a time of more than 0");
                }
                if self.window_bytes < 2 * every_bytes {
                    return fail("window_bytes", "must be at least twice the bytes from barrier to barrier");
                }
            }
            Confirmation::Written { .. } => {}
        }
        if self.peer_pdu_bytes_max < 128 {
            return fail("peer_pdu_bytes_max", "a keep-alive needs 128 bytes");
        }
        Ok(())
    }
}
