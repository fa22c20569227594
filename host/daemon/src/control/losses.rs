//! Frames that had hits and never reached the host: counted by the card per match, told to those tasks whose match it was.

use super::{Control, RingGone};
use crate::{
    card::{
        ring::RingOrder,
        side::{ChangeError, Dropped},
    },
    mailbox::Missing,
    state::kept::Drops,
};
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

    const fn words(self) -> [u64; 2] {
        [self.uncounted, self.unseen]
    }

    const fn of_words([uncounted, unseen]: [u64; 2]) -> Self {
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
            self.write_told();
        }
    }

    /// Reads the card's counters some time after a gap.
    pub(super) fn look_for_losses(&mut self) {
        let settled = |since: HostNs| self.clock.now().since(since) >= SETTLE_NS;
        if self.missing_since.is_some_and(settled) {
            self.take_losses();
        }
    }

    /// Reads the counters of all matches in use, and tells the tasks what is new.
    fn take_losses(&mut self) {
        self.missing_since = None;
        if self.card_fault.is_some() {
            return;
        }
        match self.card.drops_in_use() {
            Ok(counted) => self.tell_owners(&counted),
            Err(error) => self.card_is_lost(&error.to_string()),
        }
        match self.card.counters() {
            Ok(counters) => self.tell_unattributed(&counters),
            Err(error) => self.card_is_lost(&error.to_string()),
        }
        self.missing_causes = [0; RECORD_RINGS];
        self.write_told();
    }

    /// A change is drained: its retired matches are counted up before they can be used again.
    pub(super) fn settle_drops(&mut self, generation: Generation) {
        self.card.drained(generation);
        if self.card_fault.is_some() {
            return;
        }
        if let Err(error) = self.count_up() {
            self.card_is_lost(&error.to_string());
        }
        // Before an index that is free now is given to somebody else.
        self.keep_tables();
    }

    /// Counts up what is out of use, and clears its counters when that is written down; until then it stays out of use.
    fn count_up(&mut self) -> Result<(), ChangeError> {
        let counted = self.card.drops_due()?;
        self.tell_owners(&counted);
        self.write_told();
        if self.told != self.told_kept {
            return Ok(());
        }
        let shares = self.card.tables().fan_out();
        let ring = &self.ring;
        let cleared = self.card.clear_due(&mut |fan_out| ring.publish(fan_out))?;
        // Nothing can have come since: what was counted is behind the change that put these matches out of use.
        let late: Vec<(Dropped, Drops)> = self.fresh(&cleared);
        self.tell_shares(&late, &shares);
        for dropped in &cleared {
            self.told.cleared(dropped.index);
            self.told_kept.cleared(dropped.index);
        }
        self.write_told();
        Ok(())
    }

    /// Writes down what was told together with what the tasks counted of it, which the ring thread has to say first.
    pub(super) fn write_told(&mut self) {
        if self.told == self.told_kept {
            return;
        }
        match self.ask_ring(RingOrder::Count) {
            Ok(()) => self.write_down(true),
            Err(RingGone) => self.card_is_lost("the ring thread does not answer"),
        }
    }

    /// What of these counts is new.
    fn fresh(&mut self, counted: &[Dropped]) -> Vec<(Dropped, Drops)> {
        let fresh = counted.iter().map(|dropped| (*dropped, self.told.take(dropped.index, dropped.drops)));
        fresh.filter(|(_, fresh)| fresh.packets > 0).collect()
    }

    fn tell_owners(&mut self, counted: &[Dropped]) {
        let fresh = self.fresh(counted);
        let shares = self.card.tables().fan_out();
        self.tell_shares(&fresh, &shares);
    }

    fn tell_shares(&mut self, fresh: &[(Dropped, Drops)], shares: &FanOut) {
        if fresh.is_empty() {
            return;
        }
        let rings: BTreeMap<MatchIndex, u8> =
            self.card.tables().rows().map(|(_, entry)| (entry.match_index, entry.ring)).collect();
        // A match that is out of use may have come through any of them.
        let any = self.missing_causes.iter().fold(0, |any, causes| any | causes);
        for (Dropped { index: matched, .. }, fresh) in fresh {
            let of_ring = rings.get(matched).and_then(|ring| self.missing_causes.get(usize::from(*ring)));
            let cause = cause_of(of_ring.copied().unwrap_or(any));
            let owners: Vec<u32> =
                shares.shares(*matched).unwrap_or_default().iter().map(|share| share.task.0).collect();
            for &owner in &owners {
                let index = TaskIndex(owner);
                self.ring.tell(RingOrder::Loss(index, Loss { packets: fresh.packets, cause, attributed: true }));
                self.told.add(index, fresh.packets);
                let event = Event::new(EventKind::Loss)
                    .number("task", owner.into())
                    .text("cause", cause.name())
                    .number("packets", fresh.packets)
                    .number("bytes", fresh.bytes);
                self.note(&event);
            }
        }
    }

    /// What the card itself could not attribute is told to every task in force: each of these packets may have been its.
    pub(super) fn tell_unattributed(&mut self, counters: &Counters) {
        let now = Unattributed::of(counters);
        let before = Unattributed::of_words(std::mem::replace(&mut self.told.unattributed, now.words()));
        for (packets, cause) in now.since(before) {
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
