//! What the counters of one snapshot owe each other: nothing that came in may vanish.
//!
//! Everything that enters a part of the card is counted, and so is each way out of it; what is between the two is counted apart, by levels that
//! go up and down (`IN_FLIGHT_*`). Software that finds an [`Account`] out of balance has found a card that loses things without saying so, or one
//! that does not count right; either way its figures prove nothing any more.

use crate::limits;
use crate::record::DropCause;
use crate::registers::Counter;
use core::fmt;

/// Something that is conserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Frames of port A: arrived or made by the card; looked up, or lost by a counted cause in front of lookup.
    FramesA,
    /// Frames of port B.
    FramesB,
    /// Frames with hits: due in some ring, or flagged by the MAC.
    Hits,
    /// Records due: made, or dropped by cause.
    Records,
}

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// What the account is of.
    pub account: Account,
    /// What came in.
    pub entered: u64,
    /// What became of it.
    pub settled: u64,
    /// What is under way.
    pub in_flight: u64,
    /// Fewest and most that no counter sees, because they are between two clocks or half in.
    pub unseen: (i64, i64),
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FramesA, Self::FramesB, Self::Hits, Self::Records];

    /// What to call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FramesA => "frames of port A",
            Self::FramesB => "frames of port B",
            Self::Hits => "frames with hits",
            Self::Records => "records",
        }
    }

    /// How the account stands in a snapshot, of which `value` gives each counter.
    pub fn balance(self, value: impl Fn(Counter) -> u64) -> Balance {
        let drop = |cause: DropCause| value(Counter::Drop(cause as u8));
        let sum = |counters: &[Counter]| counters.iter().fold(0_u64, |sum, counter| sum.wrapping_add(value(*counter)));
        let frames = |entered: [Counter; 2], tap: [Counter; 2], looked_up, window: u64, in_flight| Balance {
            account: self,
            entered: sum(&entered),
            settled: value(looked_up).wrapping_add(window).wrapping_add(value(tap[0]).wrapping_sub(value(tap[1]))),
            in_flight: value(in_flight),
            unseen: UNSEEN_FRAMES,
        };
        let exact =
            |entered, settled, in_flight| Balance { account: self, entered, settled, in_flight, unseen: (0, 0) };
        match self {
            Self::FramesA => frames(
                [Counter::FramesInA, Counter::SelfTestA],
                [Counter::TapFifoA, Counter::TapCutA],
                Counter::FramesLookedUpA,
                value(Counter::WindowFifoA),
                Counter::InFlightA,
            ),
            Self::FramesB => frames(
                [Counter::FramesInB, Counter::SelfTestB],
                [Counter::TapFifoB, Counter::TapCutB],
                Counter::FramesLookedUpB,
                drop(DropCause::WindowFifo).wrapping_sub(value(Counter::WindowFifoA)),
                Counter::InFlightB,
            ),
            Self::Hits => exact(
                value(Counter::VerdictsHit),
                sum(&[Counter::FramesHit, Counter::FlaggedHits]),
                value(Counter::InFlightHits),
            ),
            Self::Records => exact(
                value(Counter::RecordsDue),
                value(Counter::Records)
                    .wrapping_add(drop(DropCause::CopyFifo))
                    .wrapping_add(drop(DropCause::RecordFifo))
                    .wrapping_add(drop(DropCause::Oversize)),
                0,
            ),
        }
    }
}

/// A frame is looked up before it has ended and been counted; as many may wait between the clocks of wire and core as beats do there, and
/// some more come in while the request for a snapshot crosses; one may have been under way at the reset.
const UNSEEN_FRAMES: (i64, i64) = (-2, limits::TAP_FIFO_BEATS as i64 + 16);

impl Balance {
    /// What came in and is neither settled nor under way. Less than nothing: more came out than in.
    pub const fn difference(&self) -> i64 {
        self.entered.wrapping_sub(self.settled).wrapping_sub(self.in_flight) as i64
    }

    /// Nothing is missing and nothing too much.
    pub const fn holds(&self) -> bool {
        self.difference() >= self.unseen.0 && self.difference() <= self.unseen.1
    }

    /// The same of a card without traffic (STATUS.RECORDS_IDLE before and after the snapshot): then nothing is under way, and nothing unseen but
    /// a frame that was half in at the reset.
    pub const fn holds_at_rest(&self) -> bool {
        let half_in = if self.unseen.1 == 0 { 0 } else { 1 };
        self.in_flight == 0 && self.difference() >= 0 && self.difference() <= half_in
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, entered, settled, in_flight, .. } = self;
        let what = account.name();
        write!(f, "{what}: {entered} entered, {settled} settled, {in_flight} under way")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Port A: 100 frames in, 90 looked up, 3 lost in front of the window FIFO, 4 between MAC and copy side, 1 of them only its end; 3 under way.
    fn value(counter: Counter) -> u64 {
        match counter {
            Counter::FramesInA => 98,
            Counter::SelfTestA => 1,
            Counter::FramesLookedUpA => 90,
            Counter::WindowFifoA => 3,
            Counter::TapFifoA => 4,
            Counter::TapCutA => 1,
            Counter::InFlightA => 3,
            Counter::Drop(4) => 5,
            Counter::FramesInB | Counter::VerdictsHit => 50,
            Counter::FramesLookedUpB => 48,
            Counter::FramesHit => 44,
            Counter::FlaggedHits => 5,
            Counter::InFlightHits => 1,
            Counter::RecordsDue => 60,
            Counter::Records => 51,
            Counter::Drop(0) => 4,
            Counter::Drop(1) => 3,
            Counter::Drop(2) => 2,
            _ => 0,
        }
    }

    #[test]
    fn every_way_out_counts() {
        for account in Account::ALL {
            let balance = account.balance(value);
            assert_eq!(balance.difference(), 0, "{balance}");
            assert!(balance.holds());
        }
        assert!(Account::FramesB.balance(value).holds_at_rest() && Account::Records.balance(value).holds_at_rest());
        assert!(!Account::FramesA.balance(value).holds_at_rest() && !Account::Hits.balance(value).holds_at_rest());
    }

    #[test]
    fn one_too_few_or_too_many_is_seen() {
        use Counter::{
            Drop, FramesHit, FramesLookedUpA, FramesLookedUpB, Records, RecordsDue, VerdictsHit, WindowFifoA,
        };
        let changed =
            |counter, by: i64| move |each| value(each).wrapping_add_signed(if each == counter { by } else { 0 });
        for by in [-1, 1] {
            for (account, counter) in [
                (Account::Hits, VerdictsHit),
                (Account::Hits, FramesHit),
                (Account::Records, RecordsDue),
                (Account::Records, Records),
                (Account::Records, Drop(1)),
            ] {
                assert!(!account.balance(changed(counter, by)).holds(), "{counter:?} {by}");
            }
        }
        // What crosses clocks has some slack while it runs, and none at rest.
        for (account, counter) in
            [(Account::FramesA, FramesLookedUpA), (Account::FramesA, WindowFifoA), (Account::FramesB, FramesLookedUpB)]
        {
            assert!(!account.balance(changed(counter, 3)).holds() && account.balance(changed(counter, -80)).holds());
            assert!(!account.balance(changed(counter, -81)).holds());
        }
        let quiet = |difference: i64| Balance {
            account: Account::FramesA,
            entered: 10,
            settled: 10_u64.wrapping_sub_signed(difference),
            in_flight: 0,
            unseen: UNSEEN_FRAMES,
        };
        assert_eq!([-1, 0, 1, 2].map(|difference| quiet(difference).holds_at_rest()), [false, true, true, false]);
    }
}
