//! Compares a key with the rows that four ways returned, and picks the hit.

use super::types::{Candidate, Hit, RowData};
use crate::prelude::*;

/// One way's comparison; one clock.
#[derive(LogicBlock, Default)]
pub struct Compare<const K: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// There is a key to compare.
    pub enable: Signal<In, Bit>,
    /// The frame's key.
    pub key: Signal<In, Bits<K>>,
    /// The frame's tick: the later of its stamp's and the expiry floor.
    pub tick: Signal<In, Bits<44>>,
    /// The row's key.
    pub row_key: Signal<In, Bits<K>>,
    /// The row.
    pub row: Signal<In, RowData>,
    /// What the way says, one clock later.
    pub candidate: Signal<Out, Candidate>,
    found: Reg<Candidate>,
    result: Signal<Local, Candidate>,
}

impl<const K: usize> Logic for Compare<K> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, found);
        self.result.next.matches = self.row.val().valid & (self.row_key.val() == self.key.val());
        self.result.next.live = self.tick.val() < self.row.val().not_after;
        self.result.next.match_index = self.row.val().match_index;
        self.result.next.scope = self.row.val().scope;
        if self.enable.val() {
            self.found.d.next = self.result.val();
        }
        self.candidate.next = self.found.q.val();
    }
}

/// The lowest way that matches and lives gives the hit; no register.
#[derive(LogicBlock, Default)]
pub struct Choose {
    /// The ways have compared a key.
    pub enable: Signal<In, Bit>,
    /// What they say.
    pub candidate: [Signal<In, Candidate>; 4],
    /// The hit, if any.
    pub hit: Signal<Out, Hit>,
    /// At least one row has the key, and all that have it are expired.
    pub expired: Signal<Out, Bit>,
}

impl Logic for Choose {
    #[hdl_gen]
    fn update(&mut self) {
        self.hit.next.valid = self.enable.val();
        self.hit.next.match_index = bits::<15>(0);
        self.hit.next.scope = bits::<2>(0);
        self.expired.next = false;
        if !self.enable.val() {
            self.hit.next.valid = false;
        } else if self.candidate[0].val().matches & self.candidate[0].val().live {
            self.hit.next.match_index = self.candidate[0].val().match_index;
            self.hit.next.scope = self.candidate[0].val().scope;
        } else if self.candidate[1].val().matches & self.candidate[1].val().live {
            self.hit.next.match_index = self.candidate[1].val().match_index;
            self.hit.next.scope = self.candidate[1].val().scope;
        } else if self.candidate[2].val().matches & self.candidate[2].val().live {
            self.hit.next.match_index = self.candidate[2].val().match_index;
            self.hit.next.scope = self.candidate[2].val().scope;
        } else if self.candidate[3].val().matches & self.candidate[3].val().live {
            self.hit.next.match_index = self.candidate[3].val().match_index;
            self.hit.next.scope = self.candidate[3].val().scope;
        } else {
            self.hit.next.valid = false;
            self.expired.next = self.candidate[0].val().matches
                | self.candidate[1].val().matches
                | self.candidate[2].val().matches
                | self.candidate[3].val().matches;
        }
    }
}
