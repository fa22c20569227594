//! Watches over the memory in which the card keeps its rows. A damaged row matches nothing: whoever it stood for misses packets from then on, so it is
//! written again as soon as the card's scrubber has found it.

mod balance;

use super::{Control, card_trouble};
pub(super) use balance::BalanceWatch;
use std::collections::BTreeSet;
use writ_abi::registers::Counter;
use writ_control::{Refusal, report::RowsHealth};
use writ_driver::Counters;
use writ_mediation::{
    audit::{Event, EventKind},
    units::{HostNs, TaiNs},
};
use writ_tables::Place;

/// How often the card's counters are looked at while tasks are in force.
const LOOK_EVERY_NS: u64 = 1_000_000_000;
/// Longest that a round of the scrubber may take, by the card's clock and by the host's. It takes a real card some milliseconds; a
/// simulated one stands still while nothing happens.
const ROUND_NS_MAX: u64 = 60_000_000_000;

/// What the counters said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    damaged_rows: u64,
    damaged_reads: u64,
    multi_hits: u64,
    scrub_rounds: u64,
}

impl Seen {
    fn of(counters: &Counters) -> Self {
        Self {
            damaged_rows: counters.value(Counter::DamagedRows),
            damaged_reads: counters.value(Counter::DamagedReads),
            multi_hits: counters.value(Counter::MultiHits),
            scrub_rounds: counters.value(Counter::ScrubRounds),
        }
    }

    /// How much was added since `before`.
    const fn since(self, before: Self) -> Self {
        Self {
            damaged_rows: self.damaged_rows.saturating_sub(before.damaged_rows),
            damaged_reads: self.damaged_reads.saturating_sub(before.damaged_reads),
            multi_hits: self.multi_hits.saturating_sub(before.multi_hits),
            scrub_rounds: self.scrub_rounds.saturating_sub(before.scrub_rounds),
        }
    }
}

/// The last sign of life of the scrubber, or the beginning of the watch.
#[derive(Debug, Clone, Copy)]
struct LastRound {
    card: TaiNs,
    host: HostNs,
}

/// How the card's memory of rows is, as of the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct RowWatch {
    looked_at: Option<HostNs>,
    seen: Seen,
    last_round: Option<LastRound>,
    is_scrubber_late: bool,
    last_damaged: Option<Place>,
    repaired: u64,
}

impl RowWatch {
    /// Takes a new look. What was added since the last one.
    fn take(&mut self, now: Seen, card: TaiNs, host: HostNs) -> Seen {
        // The scrubber is not waited for while nobody looks.
        let watched = self.looked_at.is_some_and(|before| host.since(before) < 2 * LOOK_EVERY_NS);
        let fresh = now.since(self.seen);
        self.seen = now;
        self.looked_at = Some(host);
        let last = match self.last_round.filter(|_| watched && fresh.scrub_rounds == 0) {
            Some(last) => last,
            None => *self.last_round.insert(LastRound { card, host }),
        };
        let card_ns = card.0.saturating_sub(last.card.0);
        self.is_scrubber_late = card_ns > ROUND_NS_MAX && host.since(last.host) > ROUND_NS_MAX;
        fresh
    }

    fn is_due(&self, now: HostNs) -> bool {
        self.looked_at.is_none_or(|before| now.since(before) >= LOOK_EVERY_NS)
    }

    /// For operators.
    pub(super) fn report(&self) -> RowsHealth {
        RowsHealth {
            damaged_rows: self.seen.damaged_rows,
            damaged_reads: self.seen.damaged_reads,
            last_damaged: self.last_damaged.map(|place| place.to_string()),
            repaired: self.repaired,
            multi_hits: self.seen.multi_hits,
            scrub_rounds: self.seen.scrub_rounds,
        }
    }

    /// What a person should look at.
    pub(super) fn alarms(&self) -> Vec<String> {
        let Seen { damaged_rows, damaged_reads, multi_hits, .. } = self.seen;
        let mut alarms = Vec::new();
        if damaged_rows > 0 {
            let place = self.last_damaged.map_or_else(String::new, |place| format!(", the last one in {place}"));
            alarms.push(format!(
                "the card found damaged rows {damaged_rows} times{place}; {} were written again",
                self.repaired
            ));
        }
        if damaged_reads > 0 {
            alarms.push(format!("{damaged_reads} lookups came upon a damaged row: packets may be missing"));
        }
        if multi_hits > 0 {
            alarms.push(format!("{multi_hits} lookups found rows that contradict each other"));
        }
        if self.is_scrubber_late {
            alarms.push("the card does not look through its rows any more: damage would stay unseen".to_owned());
        }
        alarms
    }
}

impl Control {
    /// Looks at the counters now and then while a task is in force; `now`: at once.
    pub(super) fn watch_card(&mut self, now: bool) {
        let in_force = self.card.tables().tasks().next().is_some();
        let due = now || (in_force && self.row_watch.is_due(self.clock.now()));
        if due
            && self.card_fault.is_none()
            && let Err(refusal) = self.look_at_card()
        {
            self.card_is_lost(&refusal.what);
        }
    }

    /// Looks at the counters and tells what is new.
    fn look_at_card(&mut self) -> Result<(), Refusal> {
        let counters = self.card.counters().map_err(card_trouble)?;
        self.tell_unattributed(&counters);
        self.write_told();
        self.check_balance(&counters);
        self.look_at_rows(&counters)
    }

    /// Tells what is new of the rows, and writes a damaged one again.
    fn look_at_rows(&mut self, counters: &Counters) -> Result<(), Refusal> {
        let card_time = self.look_at_clock()?;
        let was_late = self.row_watch.is_scrubber_late;
        let fresh = self.row_watch.take(Seen::of(counters), card_time, self.clock.now());
        if fresh.damaged_reads > 0 {
            tracing::error!("{} lookups came upon a damaged row of the card", fresh.damaged_reads);
            let event = Event::new(EventKind::CardLoss).text("cause", "damaged row");
            self.note(&event.number("lookups", fresh.damaged_reads));
        }
        if fresh.multi_hits > 0 {
            tracing::error!("{} lookups found rows of the card that contradict each other", fresh.multi_hits);
            let event = Event::new(EventKind::CardDifference).text("reason", "rows that contradict each other");
            self.note(&event.number("lookups", fresh.multi_hits));
        }
        if self.row_watch.is_scrubber_late && !was_late {
            tracing::error!("the card's scrubber stands still");
            self.note(&Event::new(EventKind::CardDifference).text("reason", "the scrubber stands still"));
        }
        if fresh.damaged_rows > 0 { self.repair_damaged() } else { Ok(()) }
    }

    /// The scrubber finds one damaged row after the other, each again every round, so that one at a time is enough.
    fn repair_damaged(&mut self) -> Result<(), Refusal> {
        let Some(place) = self.card.damage().map_err(card_trouble)? else { return Ok(()) };
        self.row_watch.last_damaged = Some(place);
        let owner = self.card.tables().row_at(place).map(|entry| entry.match_index);
        if !self.card.repair(place).map_err(|error| self.change_refused(error))? {
            // It was written since, by a change.
            return Ok(());
        }
        self.row_watch.repaired += 1;
        tracing::error!("a damaged row of the card was written again: {place}");
        let event = |name| Event::new(EventKind::CardRepaired).text("place", place.to_string()).text("row", name);
        let fan_out = self.card.tables().fan_out();
        let shares = owner.and_then(|index| fan_out.shares(index)).unwrap_or_default();
        let tasks: BTreeSet<u32> = shares.iter().map(|share| share.task.0).collect();
        if tasks.is_empty() {
            self.note(&event("not in use"));
        }
        // Until then they missed what only this row would have found.
        for task in tasks {
            self.note(&event("in use").number("task", task.into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn look(watch: &mut RowWatch, seen: Seen, second: u64) -> Seen {
        watch.take(seen, TaiNs(1000 * S + second * S), HostNs(second * S))
    }

    #[test]
    fn what_is_new_is_told_once_and_what_was_stays_an_alarm() {
        let mut watch = RowWatch::default();
        assert!(watch.is_due(HostNs(0)));
        let damaged = Seen { damaged_rows: 3, damaged_reads: 70, multi_hits: 1, scrub_rounds: 5 };
        assert_eq!(look(&mut watch, Seen { scrub_rounds: 4, ..Seen::default() }, 1).scrub_rounds, 4);
        assert!(watch.alarms().is_empty() && !watch.is_due(HostNs(S + S / 2)) && watch.is_due(HostNs(2 * S)));
        let fresh = look(&mut watch, damaged, 2);
        assert_eq!((fresh.damaged_rows, fresh.damaged_reads, fresh.multi_hits), (3, 70, 1));
        assert_eq!(look(&mut watch, damaged, 3), Seen::default());
        let alarms = watch.alarms().join("; ");
        for wanted in ["3 times", "70 lookups", "contradict"] {
            assert!(alarms.contains(wanted), "{wanted}: {alarms}");
        }
        let report = watch.report();
        assert_eq!((report.damaged_rows, report.damaged_reads, report.scrub_rounds), (3, 70, 5));
        watch.last_damaged = Some(Place { area: writ_tables::Area::Rules, way: 2, row: 7 });
        assert_eq!(watch.report().last_damaged.as_deref(), Some("rules, bank 2, rule 7"));
    }

    #[test]
    fn a_scrubber_that_stands_still_is_told_while_it_is_watched() {
        let mut watch = RowWatch::default();
        let rounds = |scrub_rounds| Seen { scrub_rounds, ..Seen::default() };
        for second in 0..=60 {
            look(&mut watch, rounds(9), second);
            assert!(!watch.is_scrubber_late, "{second} s");
        }
        look(&mut watch, rounds(9), 61);
        assert!(watch.is_scrubber_late && watch.alarms()[0].contains("unseen"));
        look(&mut watch, rounds(10), 62);
        assert!(!watch.is_scrubber_late);
        // While no task was in force nobody looked: time begins anew.
        look(&mut watch, rounds(10), 500);
        assert!(!watch.is_scrubber_late);
        // Card time that jumps (a simulated card) is no time in which the scrubber could have worked.
        watch.take(rounds(10), TaiNs(9_000 * S), HostNs(501 * S));
        assert!(!watch.is_scrubber_late);
    }
}
