//! Questions about the card and the audit log.

use super::{Control, card_trouble};
use crate::{convert, roles::Principal, state::audit::AuditError};
use writ_control::{
    Answer, PAGE_ENTRIES_MAX, Page, Refusal, RefusalCode, Uuid,
    report::{CardCounters, RowView, TablePage},
};
use writ_mediation::audit::{Event, EventKind};

impl Control {
    pub(super) fn card_counters(&self) -> Result<Answer, Refusal> {
        let counters = self.card.counters().map_err(card_trouble)?;
        let counters = counters.iter().map(|(_, name, value)| (name.to_owned(), value)).collect();
        Ok(Answer::CardCounters(CardCounters { counters }))
    }

    pub(super) fn card_tables(&mut self, who: &Principal, reveal: bool, page: Page) -> Result<Answer, Refusal> {
        if reveal {
            self.note_revealed(who, "card tables")?;
        }
        let limit = page.limit.min(PAGE_ENTRIES_MAX) as usize;
        let skip = usize::try_from(page.skip).unwrap_or(usize::MAX);
        let (total, checked) = self.card.check_rows(skip, limit).map_err(|error| self.change_refused(error))?;
        let different = checked.iter().filter(|row| !row.as_planned).count() as u64;
        if different > 0 {
            // An expired row clears itself; anything else is a fault that has to be seen.
            tracing::warn!("{different} rows of the card are not as planned");
            self.note(&Event::new(EventKind::CardDifference).number("rows", different));
        }
        let prefix_bits = self.card.tables().geometry().prefix_bits();
        let rows = checked.iter().map(|checked| RowView {
            table: convert::area_name(checked.place.area).to_owned(),
            way: checked.place.way,
            row: checked.place.row,
            match_index: checked.row.match_index.value(),
            scope: convert::wire_scope_of_card(checked.row.scope),
            not_after_ns: checked.row.not_after << writ_abi::time::NOT_AFTER_SHIFT,
            ring: checked.row.ring,
            key: reveal.then(|| convert::key_text(&checked.row.key, prefix_bits)),
            as_planned: checked.as_planned,
        });
        Ok(Answer::CardTables(TablePage { total: total as u64, rows: rows.collect() }))
    }

    pub(super) fn audit_show(&self, task: Option<Uuid>, page: Page) -> Result<Answer, Refusal> {
        let limit = page.limit.min(PAGE_ENTRIES_MAX);
        let numbers: Option<Vec<u64>> = match task {
            None => None,
            Some(xid) => Some(self.store.tasks_by_xid(xid)?.iter().map(|task| task.index.0.into()).collect()),
        };
        if numbers.as_ref().is_some_and(Vec::is_empty) {
            let refusal = Refusal::new(RefusalCode::NotFound, "task", "there is no such task");
            return Err(refusal.hint("see `writ task list`"));
        }
        Ok(Answer::Audit(self.audit.page(numbers.as_deref(), page.skip, limit)?))
    }

    pub(super) fn audit_verify(&self, expect_head: Option<&str>) -> Result<Answer, Refusal> {
        match self.audit.verify(expect_head) {
            Ok(verdict) => Ok(Answer::AuditVerdict(verdict)),
            Err(error @ AuditError::Hex(_)) => {
                Err(Refusal::new(RefusalCode::Invalid, "expect_head", error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }
}
