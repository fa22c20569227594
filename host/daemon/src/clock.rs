//! The host's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::Instant as TokioInstant;
use writ_handover::time::UnixTime;
use writ_mediation::units::HostNs;

/// The monotonic clock, counted from the start of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostClock {
    origin: Instant,
}

impl HostClock {
    /// Starts counting.
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The present.
    pub(crate) fn now(&self) -> HostNs {
        HostNs(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// A point in time as tokio's timers want it.
    pub(crate) fn instant(&self, at: HostNs) -> TokioInstant {
        TokioInstant::from_std(self.origin + Duration::from_nanos(at.0.min(i64::MAX as u64)))
    }
}

/// Universal time by the host's clock. Only audit records and first settings of the card's clock use it.
pub(crate) fn universal_time() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
