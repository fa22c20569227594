//! Up to which card time the rings are consumed.

use writ_mediation::units::TaiNs;

/// How long a ring has to stay empty, while others go on, before that says something. Inside the card the rings wait for the same bus in turn, and what
/// fits into it goes over that in a fraction of this; but what waited there because the ring was full comes only after that was emptied.
const SETTLED_NS: u64 = 2_000_000;

/// Where a ring stands.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// Nothing that was looked up before is left to come. Only grows.
    passed: TaiNs,
    /// It has been empty since then.
    empty_since: Option<TaiNs>,
}

/// Ring by ring, a time before whose lookups nothing is left to come.
#[derive(Debug)]
pub(super) struct Passed(Vec<Position>);

impl Passed {
    pub(super) fn new(rings: usize) -> Self {
        Self(vec![Position { passed: TaiNs(0), empty_since: None }; rings])
    }

    /// A packet was taken. Records stand in the order of their lookups, and a lookup comes after the stamp.
    pub(super) fn taken(&mut self, ring: usize, stamp: TaiNs) {
        self.raise(ring, stamp);
    }

    /// The ring held something, whatever it was.
    pub(super) fn busy(&mut self, ring: usize) {
        if let Some(position) = self.0.get_mut(ring) {
            position.empty_since = None;
        }
    }

    /// The ring was found empty; `latest` as it was before that was looked.
    pub(super) fn empty(&mut self, ring: usize, latest: TaiNs) {
        let Some(position) = self.0.get_mut(ring) else { return };
        let since = *position.empty_since.get_or_insert(latest);
        let settled = TaiNs(latest.0.saturating_sub(SETTLED_NS));
        if settled >= since {
            self.raise(ring, settled);
        }
    }

    fn raise(&mut self, ring: usize, to: TaiNs) {
        if let Some(position) = self.0.get_mut(ring) {
            position.passed = position.passed.max(to);
        }
    }

    /// The latest stamp that came through any ring.
    pub(super) fn latest(&self) -> TaiNs {
        self.0.iter().map(|position| position.passed).max().unwrap_or(TaiNs(0))
    }

    /// Whether every ring is past a time.
    pub(super) fn all_past(&self, after: TaiNs) -> bool {
        self.0.iter().all(|position| position.passed > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> TaiNs {
        TaiNs(1_000_000_000 + ms * 1_000_000)
    }

    /// The ring was looked into and held nothing.
    fn look(passed: &mut Passed, ring: usize) {
        passed.empty(ring, passed.latest());
    }

    #[test]
    fn every_ring_has_to_be_past_it() {
        let mut passed = Passed::new(3);
        look(&mut passed, 2);
        passed.taken(0, at(10));
        passed.taken(1, at(9));
        assert!(!passed.all_past(at(1)), "ring 2 may hold anything");
        // Empty all the time, but what was looked up just before the latest record may be on its way.
        look(&mut passed, 2);
        assert!(passed.all_past(at(7)) && !passed.all_past(at(8)) && passed.latest() == at(10));
        // A busy ring moves on; the idle ones follow when they were empty for a while.
        passed.busy(1);
        look(&mut passed, 1);
        passed.taken(0, at(100));
        assert!(!passed.all_past(at(50)));
        look(&mut passed, 1);
        assert!(!passed.all_past(at(50)));
        look(&mut passed, 2);
        assert!(passed.all_past(at(50)) && !passed.all_past(at(98)));
        // Nothing goes back: stamps of the two ports may change places.
        passed.taken(0, at(20));
        passed.empty(2, at(20));
        assert!(passed.all_past(at(50)));
    }

    /// A ring that was full and is emptied is empty for a moment; what waited in the card for it, however old, comes after that.
    #[test]
    fn a_ring_that_was_just_emptied_may_get_old_records() {
        let mut passed = Passed::new(2);
        passed.taken(0, at(1000));
        passed.taken(1, at(500));
        passed.busy(1);
        look(&mut passed, 1);
        assert!(!passed.all_past(at(500)), "records of 501 to 1000 wait in the card");
        passed.taken(0, at(1001));
        look(&mut passed, 1);
        assert!(!passed.all_past(at(500)));
        passed.taken(1, at(501));
        passed.busy(1);
        assert!(passed.all_past(at(500)) && !passed.all_past(at(501)));
        // Nothing came for long enough.
        look(&mut passed, 1);
        passed.taken(0, at(1003));
        look(&mut passed, 1);
        assert!(passed.all_past(at(1000)) && !passed.all_past(at(1001)));
    }

    #[test]
    fn one_ring_alone_is_past_what_it_gave() {
        let mut passed = Passed::new(1);
        look(&mut passed, 0);
        assert!(!passed.all_past(TaiNs(0)));
        passed.taken(0, at(7));
        passed.busy(0);
        look(&mut passed, 0);
        assert!(passed.all_past(at(6)) && !passed.all_past(at(7)));
    }
}
