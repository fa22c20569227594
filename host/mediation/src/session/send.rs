//! The stream of PDUs: what to write next, what to hold back, what was confirmed.

use super::{
    Place, Session, Withheld,
    config::Confirmation,
    link::Run,
    report::{Counts, Notice},
};
use crate::{
    arena::{BlockMemory, Entry},
    journal::{Storage, StorageError},
    units::HostNs,
};

/// Most bytes written in one go: control PDUs wait no longer than this.
const RUN_BYTES_MAX: u32 = 64 * 1024;
/// After the storage failed it is tried again so much later.
const STORAGE_RETRY_NS: u64 = 1_000_000_000;

impl<B: BlockMemory, S: Storage> Session<B, S> {
    /// What has to be done with the storage: note what was confirmed, take in what is new.
    pub(super) fn spool(&mut self, now: HostNs) {
        if let Err(error) = self.backlog.note_confirmed() {
            // It holds for this process; after a restart a little more is sent again.
            self.report.notice(Notice::StorageFailed(error));
        }
        if !self.backlog.has_unspooled() || self.storage_retry.is_some_and(|at| now < at) {
            return;
        }
        match self.backlog.spool() {
            Ok(()) => self.storage_works(),
            Err(error) => self.storage_fails(error, now),
        }
    }

    fn storage_works(&mut self) {
        if self.storage_retry.take().is_some() {
            self.report.notice(Notice::StorageRecovered);
        }
    }

    fn storage_fails(&mut self, error: StorageError, now: HostNs) {
        if self.storage_retry.is_none() {
            self.report.notice(Notice::StorageFailed(error));
        }
        self.storage_retry = Some(now.plus(STORAGE_RETRY_NS));
    }

    /// Everything from the first unconfirmed PDU on is to be sent (again).
    pub(super) fn rewind(&mut self) {
        self.cursor = self.confirmed;
        self.peer_confirmed = self.peer_confirmed.min(self.confirmed);
        self.under_way.clear();
        self.under_way_bytes = 0;
        self.link.run = None;
    }

    /// The unit of the cursor, loaded, with the cursor on a PDU of it. `None` if there is nothing (more) to send now.
    fn cursor_unit(&mut self, now: HostNs) -> Option<usize> {
        loop {
            let index = self.backlog.index(self.cursor.0)?;
            if self.cursor.1 >= self.backlog.len(index) {
                // The last unit may still grow.
                self.backlog.index(self.cursor.0 + 1)?;
                self.cursor = (self.cursor.0 + 1, 0);
                continue;
            }
            return match self.backlog.load(index) {
                Ok(()) => Some(index),
                Err(error) => {
                    self.storage_fails(error, now);
                    None
                }
            };
        }
    }

    pub(super) fn is_all_sent(&self) -> bool {
        let last = self.backlog.units().checked_sub(1);
        let is_at_end = match (self.backlog.index(self.cursor.0), last) {
            (Some(index), Some(last)) => index == last && self.cursor.1 >= self.backlog.len(last),
            _ => true,
        };
        is_at_end && !self.backlog.has_unspooled() && self.link.run.is_none()
    }

    /// Nothing waits for anything.
    pub(super) fn is_all_confirmed(&self) -> bool {
        self.backlog.index(self.confirmed.0).is_none() && !self.backlog.has_unspooled()
    }

    fn is_withheld(&self, entry: &Entry) -> bool {
        !self.withholding.is_empty() && self.withholding.contains(&entry.context)
    }

    /// Chooses what to write next, up to a PDU's end.
    pub(super) fn prepare_run(&mut self, now: HostNs) {
        if self.storage_retry.is_some_and(|at| now < at) {
            return;
        }
        while let Some(index) = self.cursor_unit(now) {
            let waits_for_answers = matches!(self.config.confirmation, Confirmation::Barrier { .. });
            if waits_for_answers && self.under_way_bytes >= self.config.window_bytes {
                return;
            }
            let (unit, first) = self.cursor;
            if self.is_withheld(&self.backlog.entry(index, first)) {
                self.take_out(index);
                continue;
            }
            let from = self.backlog.start_of(index, first);
            let (mut until, mut to) = (first, from);
            while until < self.backlog.len(index) {
                let entry = self.backlog.entry(index, until);
                if (until > first && entry.end - from > RUN_BYTES_MAX) || self.is_withheld(&entry) {
                    break;
                }
                (until, to) = (until + 1, entry.end);
            }
            self.link.run = Some(Run { unit, from, to, until, bytes: to - from });
            return;
        }
    }

    /// A run was written to its end.
    pub(super) fn finish_run(&mut self, run: Run, now: HostNs) {
        self.cursor = (run.unit, run.until);
        self.under_way.push_back((self.cursor, u64::from(run.bytes)));
        self.under_way_bytes += u64::from(run.bytes);
        self.link.sent_run(run.bytes, now);
        if let Confirmation::Written { resend_bytes } = self.config.confirmation {
            self.count_delivered(self.cursor);
            let resend_bytes = self.kept_bytes(resend_bytes);
            let mut kept = self.under_way_bytes;
            for &(place, bytes) in &self.under_way {
                if kept - bytes < resend_bytes {
                    break;
                }
                kept -= bytes;
                self.peer_confirmed = place;
            }
            self.settle();
        }
    }

    /// Ends the run that is being written at the end of the PDU that is being written.
    pub(super) fn cut_run(&mut self) {
        let Some(run) = &mut self.link.run else { return };
        let Some(index) = self.backlog.index(run.unit) else { return };
        let first = self.cursor.1;
        for entry in first..run.until {
            let (start, end) = (self.backlog.start_of(index, entry), self.backlog.entry(index, entry).end);
            if start >= run.from {
                // This PDU is not begun.
                (run.bytes, run.to, run.until) = (run.bytes - (run.to - start), start, entry);
                break;
            }
            if run.from < end && end < run.to {
                (run.bytes, run.to, run.until) = (run.bytes - (run.to - end), end, entry + 1);
                break;
            }
        }
        if run.from == run.to {
            let run = *run;
            self.link.run = None;
            if run.bytes > 0 {
                // Written to its new end before now.
                self.finish_run(run, HostNs(0));
            }
        }
    }

    /// Takes the withheld PDU at the cursor out of the stream.
    fn take_out(&mut self, index: usize) {
        let place = self.cursor;
        let entry = self.backlog.entry(index, place.1);
        let range = self.backlog.start_of(index, place.1)..entry.end;
        self.cursor.1 += 1;
        if self.extracted.contains_key(&place) {
            return;
        }
        self.extracted.insert(place, false);
        let counts = Counts { pdus: 1, packets: entry.packets.into(), bytes: range.len() as u64 };
        self.report.withhold(entry.context, counts);
        self.withheld.push_back(Withheld {
            key: self.config.key,
            context: entry.context,
            sequence: entry.sequence,
            packets: entry.packets,
            pdu: self.backlog.pdus(index, range).to_vec(),
            place,
        });
    }

    /// Without a connection nothing is sent, and what is withheld in front can be taken out all the same.
    pub(super) fn take_out_withheld_in_front(&mut self, now: HostNs) {
        if self.withholding.is_empty() {
            return;
        }
        while let Some(index) = self.cursor_unit(now) {
            if !self.is_withheld(&self.backlog.entry(index, self.cursor.1)) {
                break;
            }
            self.take_out(index);
        }
        self.settle();
    }

    /// Moves `confirmed` as far as the peer and the keeper of withheld PDUs allow.
    pub(super) fn settle(&mut self) {
        // Withheld PDUs directly behind what the peer confirmed need no peer.
        let mut target = self.past_unit(self.peer_confirmed.max(self.confirmed));
        while self.extracted.get(&target) == Some(&true) {
            target = self.past_unit((target.0, target.1 + 1));
        }
        let blocking = self.extracted.iter().find(|(_, stored)| !**stored).map(|(place, _)| *place);
        let target = blocking.map_or(target, |place| place.min(target));
        if target <= self.confirmed {
            return;
        }
        self.count_delivered(target);
        self.extracted = self.extracted.split_off(&target);
        while let Some(&(place, bytes)) = self.under_way.front() {
            if place > target {
                break;
            }
            self.under_way.pop_front();
            self.under_way_bytes -= bytes;
        }
        self.confirmed = target;
        self.cursor = self.cursor.max(target);
        self.backlog.confirm(target);
    }

    /// The end of a unit is the beginning of the next one, so that a unit of which everything is confirmed is let go of at once.
    fn past_unit(&self, place: Place) -> Place {
        match self.backlog.index(place.0) {
            Some(index) if place.1 >= self.backlog.len(index) => (place.0 + 1, 0),
            _ => place,
        }
    }

    /// Counts the PDUs from the last counted one to `until` as delivered, except those that were withheld.
    fn count_delivered(&mut self, until: Place) {
        while self.delivered < until {
            let Some(index) = self.backlog.index(self.delivered.0) else { break };
            if self.delivered.1 >= self.backlog.len(index) {
                self.delivered = (self.delivered.0 + 1, 0);
                continue;
            }
            let place = self.delivered;
            self.delivered.1 += 1;
            if self.extracted.contains_key(&place) {
                continue;
            }
            let entry = self.backlog.entry(index, place.1);
            let bytes = u64::from(entry.end - self.backlog.start_of(index, place.1));
            self.report.deliver(entry.context, Counts { pdus: 1, packets: entry.packets.into(), bytes });
        }
        self.delivered = self.delivered.max(until);
    }
}
