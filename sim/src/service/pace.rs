//! What a card's time follows.

use std::time::{Duration, Instant};
use writ_abi::time::CORE_CLOCK_HZ;

/// What a card's time follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// What happens: the card runs as fast as it can while there is something to do, and stands still otherwise.
    #[default]
    Events,
    /// The host's clock: a second of the card is a second of the host, whatever happens. A card that cannot keep up falls behind and does not make
    /// up for more than [`CATCH_UP`].
    Host,
}

/// How far a card that follows the host's clock may be ahead of it: what is asked of the card shall not wait for that clock.
const AHEAD: Duration = Duration::from_millis(1);
/// How much of a delay is made up for.
pub const CATCH_UP: Duration = Duration::from_millis(500);

/// Tells a card when to run.
pub(super) struct Pacer {
    /// The moment in which the card was to have made `clocks` clocks.
    since: Instant,
    clocks: u64,
}

/// What a card that follows the host's clock may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    /// Clocks by which it is behind.
    pub(super) behind: u64,
    /// Clocks that it may make at most.
    pub(super) most: u64,
}

impl Pacer {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, clocks: 0 }
    }

    /// What a card that has made `clocks` clocks may do now.
    pub(super) fn pass(&mut self, now: Instant, clocks: u64) -> Pass {
        let due = self.clocks + clocks_in(now.saturating_duration_since(self.since));
        if due.saturating_sub(clocks) > clocks_in(CATCH_UP) {
            *self = Self { since: now, clocks: clocks + clocks_in(CATCH_UP) };
            return self.pass(now, clocks);
        }
        Pass { behind: due.saturating_sub(clocks), most: (due + clocks_in(AHEAD)).saturating_sub(clocks) }
    }
}

fn clocks_in(time: Duration) -> u64 {
    // Fits for as long as a program runs: 1800 years.
    (time.as_nanos() * CORE_CLOCK_HZ as u128 / 1_000_000_000) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_a_second() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        assert_eq!(pacer.pass(start, 0), Pass { behind: 0, most: clocks_in(AHEAD) });
        let mut clocks = 0;
        for ms in 1..=1000 {
            clocks += pacer.pass(start + Duration::from_millis(ms), clocks).behind;
        }
        assert_eq!(clocks, CORE_CLOCK_HZ as u64);
        let ahead = clocks + clocks_in(AHEAD);
        assert_eq!(pacer.pass(start + Duration::from_secs(1), ahead), Pass { behind: 0, most: 0 });
    }

    #[test]
    fn a_slow_card_does_not_make_up_for_everything() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let late = start + Duration::from_secs(100);
        assert_eq!(pacer.pass(late, 10).behind, clocks_in(CATCH_UP));
        assert_eq!(pacer.pass(late, 10 + clocks_in(CATCH_UP)).behind, 0, "the rest is forgotten");
    }
}
