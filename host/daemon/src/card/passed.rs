//! Up to which card time the rings are consumed.

use writ_mediation::units::TaiNs;

/// A ring that is found empty holds nothing that was looked up so long before a record of another ring. Inside the card the rings wait for the same
/// bus in turn, and what fits into it goes over that in a fraction of this.
const SETTLED_NS: u64 = 2_000_000;

/// Ring by ring, a time before whose lookups nothing is left to come. Only grows.
#[derive(Debug)]
pub(super) struct Passed(Vec<TaiNs>);

impl Passed {
    pub(super) fn new(rings: usize) -> Self {
        Self(vec![TaiNs(0); rings])
    }

    /// A packet was taken. Records stand in the order of their lookups, and a lookup comes after the stamp.
    pub(super) fn taken(&mut self, ring: usize, stamp: TaiNs) {
        self.raise(ring, stamp);
    }

    /// A ring was found empty; `latest` as it was before that was looked.
    pub(super) fn empty(&mut self, ring: usize, latest: TaiNs) {
        self.raise(ring, TaiNs(latest.0.saturating_sub(SETTLED_NS)));
    }

    fn raise(&mut self, ring: usize, to: TaiNs) {
        if let Some(passed) = self.0.get_mut(ring) {
            *passed = (*passed).max(to);
        }
    }

    /// The latest stamp that came through any ring.
    pub(super) fn latest(&self) -> TaiNs {
        self.0.iter().copied().max().unwrap_or(TaiNs(0))
    }

    /// Whether every ring is past a time.
    pub(super) fn all_past(&self, after: TaiNs) -> bool {
        self.0.iter().all(|passed| *passed > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ring_has_to_be_past_it() {
        let mut passed = Passed::new(3);
        let at = |ms: u64| TaiNs(1_000_000_000 + ms * 1_000_000);
        passed.taken(0, at(10));
        passed.taken(1, at(9));
        assert!(!passed.all_past(at(1)), "ring 2 may hold anything");
        // Empty, but what was looked up just before the latest record may be on its way.
        passed.empty(2, passed.latest());
        assert!(passed.all_past(at(7)) && !passed.all_past(at(8)) && passed.latest() == at(10));
        // A busy ring moves on; the idle ones follow when they are looked into.
        passed.taken(0, at(100));
        assert!(!passed.all_past(at(50)));
        passed.empty(1, passed.latest());
        assert!(!passed.all_past(at(50)));
        passed.empty(2, passed.latest());
        assert!(passed.all_past(at(50)) && !passed.all_past(at(98)));
        // Nothing goes back: stamps of the two ports may change places.
        passed.taken(0, at(20));
        passed.empty(2, at(20));
        assert!(passed.all_past(at(50)));
    }

    #[test]
    fn one_ring_alone_is_past_what_it_gave() {
        let mut passed = Passed::new(1);
        passed.empty(0, passed.latest());
        assert!(!passed.all_past(TaiNs(0)));
        passed.taken(0, TaiNs(7));
        passed.empty(0, passed.latest());
        assert!(passed.all_past(TaiNs(6)) && !passed.all_past(TaiNs(7)));
    }
}
