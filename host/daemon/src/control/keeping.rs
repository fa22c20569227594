//! A card that outlives this process: what is kept for the next one, and how the next one goes on with it.

use super::Control;
use crate::{
    card::ring::RingOrder,
    state::kept::{KeptCard, Told},
};
use writ_control::{Refusal, RefusalCode};
use writ_mediation::{
    audit::{Event, EventKind},
    units::TaiNs,
};

impl Control {
    /// Keeps the tables as they are. Whether they are kept.
    pub(super) fn keep_tables(&mut self) -> bool {
        let Some(session) = self.session else { return true };
        let tables = KeptCard::text(&self.card.tables().kept());
        // What was told since is written down with the counts that it changed, not before.
        let result = self.store.keep_card(session, &tables, &self.told_kept.text());
        self.tables_kept = result.is_ok();
        if let Err(error) = result {
            self.storage_trouble(&error.to_string());
        }
        self.tables_kept
    }

    /// The card was given up: nobody is to take it over as it is.
    pub(super) fn forget_tables(&mut self) {
        if self.session.take().is_some()
            && let Err(error) = self.store.forget_card()
        {
            self.storage_trouble(&error.to_string());
        }
    }

    /// Before a match index is given to a task: what is kept may not name another one for it, or records that wait when this process dies would be
    /// taken for the other one's.
    pub(super) fn require_kept(&mut self) -> Result<(), Refusal> {
        if self.tables_kept || self.keep_tables() {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Unavailable, "store", "what the card holds cannot be kept: nothing new is armed")
            .hint("make room; deactivating and revoking still work"))
    }

    /// Compares all that a card that was taken over holds with what it should hold, and puts right what differs: rows that nobody ordered are
    /// cleared, rows that are missing written.
    pub(super) fn reconcile_card(&mut self, commands_left: u64, told: &Told) -> Result<(), Refusal> {
        (self.told, self.told_kept) = (told.clone(), told.clone());
        for &index in self.tasks.keys() {
            self.ring.tell(RingOrder::ToldBefore(index, told.of_task(index)));
        }
        let (differences, committed) = self.card.take_over().map_err(|error| self.change_refused(error))?;
        let at = TaiNs(committed.effective_ns);
        self.card_time = self.card_time.max(at);
        for difference in &differences {
            tracing::error!("the card differed from what was ordered: {difference}");
            let event = Event::new(EventKind::CardDifference).text("reason", difference.to_string());
            self.note(&event.flag("repaired", true));
        }
        if !differences.is_empty() {
            let count = differences.len();
            self.start_alarms.push(format!(
                "the card that was taken over held {count} rows that differed from what was ordered; they were put right"
            ));
        }
        let tasks = self.card.tables().tasks().count() as u64;
        let event = Event::new(EventKind::CardAdopted)
            .number("card_time_ns", at.0)
            .number("tasks", tasks)
            .number("rows", self.card.tables().rows().count() as u64)
            .number("rows_different", differences.len() as u64)
            .number("commands_left", commands_left);
        self.record(&event)?;
        if tasks > 0 {
            self.card.arm().map_err(super::card_trouble)?;
        }
        self.note_rings();
        let shares = self.card.tables().fan_out();
        self.ring.publish(shares);
        // What ended before is settled when the rings are consumed past the present.
        self.taken_over = Some((at, committed.generation));
        self.ring.tell(RingOrder::Quiesce(at));
        // The process before may have died between a gap and its counting up.
        self.missing_since = Some(self.clock.now());
        self.keep_tables();
        Ok(())
    }

    /// The rings are consumed past `after`: what had ended when the card was taken over is settled.
    pub(super) fn settle_taken_over(&mut self, after: TaiNs) {
        if let Some((at, generation)) = self.taken_over.filter(|(at, _)| *at <= after) {
            self.taken_over = None;
            tracing::info!("what waited in the rings at card time {} ns is consumed", at.0);
            self.settle_drops(generation);
        }
    }

    /// The card was reset while tasks were in force: says from when to when nothing was copied.
    pub(super) fn tell_gap(&mut self, reason: &str, last_known: TaiNs, tasks: u64) {
        let until = self.card_time;
        let ms = until.0.saturating_sub(last_known.0) / 1_000_000;
        tracing::error!("the card was reset ({reason}): for up to {ms} ms nothing was copied for {tasks} tasks");
        let event = Event::new(EventKind::CardLoss)
            .text("cause", "the card was reset")
            .text("reason", reason)
            .number("tasks", tasks)
            .number("gap_from_tai_ns", last_known.0)
            .number("gap_to_tai_ns", until.0);
        self.note(&event);
        self.start_alarms.push(format!(
            "the card was reset ({reason}): for up to {ms} ms of its time nothing was copied for {tasks} tasks"
        ));
    }
}
