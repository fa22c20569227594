//! Frames that had hits and never reached the host: counted by the card per match, told to those tasks whose match it was.

use super::Control;
use crate::{card::ring::RingOrder, card::side::Dropped, mailbox::Missing};
use std::collections::BTreeMap;
use writ_abi::{limits::RECORD_RINGS, record::DropCause, registers::Counter};
use writ_driver::Counters;
use writ_mediation::{
    accounting::LossCause,
    audit::{Event, EventKind},
    datapath::Loss,
    units::{HostNs, TaskIndex},
};
use writ_tables::{FanOut, Generation, MatchIndex};

/// Gaps come in bursts: the card's counters are read so long after the first.
const SETTLE_NS: u64 = 50_000_000;

/// What the counters said last of frames that nobody knows the owner of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unattributed {
    /// Records that were not made and not counted per match.
    uncounted: u64,
    /// Frames that were lost in front of lookup, or went through it without an end.
    unseen: u64,
}

impl Unattributed {
    fn of(counters: &Counters) -> Self {
        let unseen = [Counter::Drop(DropCause::WindowFifo as u8), Counter::TapFifoA, Counter::TapFifoB];
        let unseen = unseen.map(|counter| counters.value(counter));
        Self { uncounted: counters.value(Counter::DropUnattributed), unseen: unseen.iter().sum() }
    }

    /// For whoever takes the card over: what was told.
    pub(super) const fn told(self) -> [u64; 2] {
        [self.uncounted, self.unseen]
    }

    /// Of a card that was taken over: what was told of it before.
    pub(super) const fn of_told([uncounted, unseen]: [u64; 2]) -> Self {
        Self { uncounted, unseen }
    }

    /// How many more than `before`, by cause.
    const fn since(self, before: Self) -> [(u64, LossCause); 2] {
        [
            (self.uncounted.saturating_sub(before.uncounted), LossCause::CardMixed),
            (self.unseen.saturating_sub(before.unseen), LossCause::CardUnseen),
        ]
    }
}

impl Control {
    /// The ring thread saw a gap.
    pub(super) fn note_missing(&mut self, missing: Missing) {
        self.missing_since.get_or_insert(self.clock.now());
        if let Some(causes) = self.missing_causes.get_mut(usize::from(missing.ring)) {
            *causes |= missing.causes;
        }
        if missing.causes == 0 {
            // Records that did not check: nobody knows whose they were, but for the ring that they are missing from.
            self.tell_everybody(missing.frames.into(), LossCause::Malformed, Some(missing.ring));
        }
    }

    /// Reads the card's counters some time after a gap.
    pub(super) fn look_for_losses(&mut self) {
        let settled = |since: HostNs| self.clock.now().since(since) >= SETTLE_NS;
        if self.missing_since.is_some_and(settled) {
            self.take_losses();
        }
    }

    /// Reads and clears the counters of all matches in use, and tells the tasks.
    pub(super) fn take_losses(&mut self) {
        self.missing_since = None;
        if self.card_fault.is_some() {
            return;
        }
        let shares = self.card.tables().fan_out();
        match self.card.take_all_drops() {
            Ok(dropped) => self.tell_owners(&dropped, &shares),
            Err(error) => self.card_is_lost(&error.to_string()),
        }
        match self.card.counters() {
            Ok(counters) => self.tell_unattributed(&counters),
            Err(error) => self.card_is_lost(&error.to_string()),
        }
        self.missing_causes = [0; RECORD_RINGS];
    }

    /// A change is drained: its retired matches are counted up before they can be used again.
    pub(super) fn settle_drops(&mut self, generation: Generation) {
        let shares = self.card.tables().fan_out();
        let ring = &self.ring;
        match self.card.drained(generation, &mut |fan_out| ring.publish(fan_out)) {
            Ok(dropped) => self.tell_owners(&dropped, &shares),
            Err(error) => self.card_is_lost(&error.to_string()),
        }
        // Before an index that is free now is given to somebody else.
        self.keep_tables();
    }

    pub(super) fn tell_owners(&mut self, dropped: &[Dropped], shares: &FanOut) {
        if dropped.is_empty() {
            return;
        }
        let rings: BTreeMap<MatchIndex, u8> =
            self.card.tables().rows().map(|(_, entry)| (entry.match_index, entry.ring)).collect();
        // A match that is out of use may have come through any of them.
        let any = self.missing_causes.iter().fold(0, |any, causes| any | causes);
        for drop in dropped {
            let of_ring = rings.get(&drop.index).and_then(|ring| self.missing_causes.get(usize::from(*ring)));
            let cause = cause_of(of_ring.copied().unwrap_or(any));
            let owners: Vec<u32> =
                shares.shares(drop.index).unwrap_or_default().iter().map(|share| share.task.0).collect();
            for &owner in &owners {
                let index = TaskIndex(owner);
                self.ring.tell(RingOrder::Loss(index, Loss { packets: drop.packets, cause, attributed: true }));
                let event = Event::new(EventKind::Loss)
                    .number("task", owner.into())
                    .text("cause", cause.name())
                    .number("packets", drop.packets)
                    .number("bytes", drop.bytes);
                self.note(&event);
            }
        }
    }

    /// What the card itself could not attribute is told to every task in force: each of these packets may have been its.
    pub(super) fn tell_unattributed(&mut self, counters: &Counters) {
        let before = std::mem::replace(&mut self.unattributed, Unattributed::of(counters));
        // Whoever takes the card over must not tell it again.
        self.tables_kept &= before == self.unattributed;
        for (packets, cause) in self.unattributed.since(before) {
            if packets > 0 && self.card.tables().tasks().next().is_some() {
                tracing::error!("{packets} frames were lost in the card ({}), nobody knows whose", cause.name());
                self.tell_everybody(packets, cause, None);
            }
        }
    }

    /// Tells every task in force, or those whose packets came through a ring.
    fn tell_everybody(&mut self, packets: u64, cause: LossCause, ring: Option<u8>) {
        let concerned = |index: &TaskIndex| match (ring, self.tasks.get(index)) {
            (Some(ring), Some(task)) => task.rings >> ring & 1 == 1,
            _ => true,
        };
        let armed = self.card.tables().tasks().map(|task| TaskIndex(task.index.0));
        let armed: Vec<TaskIndex> = armed.filter(concerned).collect();
        for &index in &armed {
            self.ring.tell(RingOrder::Loss(index, Loss { packets, cause, attributed: false }));
        }
        let event = Event::new(EventKind::CardLoss)
            .text("cause", cause.name())
            .number("packets", packets)
            .number("tasks", armed.len() as u64);
        let event = match ring {
            Some(ring) => event.number("ring", ring.into()),
            None => event,
        };
        self.note(&event);
    }
}

/// The card counts per match, not per match and cause; where gaps had several causes it stays open which it was.
fn cause_of(causes: u8) -> LossCause {
    let bit = |cause: DropCause| 1_u8 << cause as u8;
    match causes {
        only if only == bit(DropCause::CopyFifo) => LossCause::CardCopyFifo,
        only if only == bit(DropCause::RecordFifo) => LossCause::CardRecordFifo,
        only if only == bit(DropCause::Oversize) => LossCause::CardOversize,
        _ => LossCause::CardMixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_told() {
        let before = Unattributed { uncounted: 3, unseen: 40 };
        let now = Unattributed { uncounted: 3, unseen: 47 };
        assert_eq!(now.since(before), [(0, LossCause::CardMixed), (7, LossCause::CardUnseen)]);
        // A card that was brought up anew counts from the beginning.
        assert_eq!(Unattributed::default().since(now), [(0, LossCause::CardMixed), (0, LossCause::CardUnseen)]);
    }

    #[test]
    fn several_causes_stay_open() {
        assert_eq!(cause_of(1), LossCause::CardCopyFifo);
        assert_eq!(cause_of(2), LossCause::CardRecordFifo);
        assert_eq!(cause_of(4), LossCause::CardOversize);
        assert_eq!(cause_of(3), LossCause::CardMixed);
        assert_eq!(cause_of(0), LossCause::CardMixed);
    }
}
