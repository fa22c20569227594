//! Compares a packet with candidate rules in full, and picks the hit.

use crate::lookup::compare::RowCheck;
use crate::lookup::types::{Candidate, Found, Hit, RowData, RuleWord};
use crate::prelude::*;

/// One candidate; steps as in [`crate::lookup::compare::Compare`].
#[derive(LogicBlock, Default)]
pub struct CompareRule {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Take the memories' outputs.
    pub fetch: Signal<In, Bit>,
    /// Value and mask.
    pub word: Signal<In, RuleWord>,
    /// The row.
    pub row: Signal<In, RowData>,
    /// One clock after `fetch`.
    pub compare: Signal<In, Bit>,
    /// With `compare`: the packet's 5-tuple.
    pub key: Signal<In, Bits<304>>,
    /// With `compare`: see [`RowCheck`].
    pub tick: Signal<In, Bits<44>>,
    /// With `compare`: see [`RowCheck`].
    pub committed: Signal<In, Bit>,
    /// One clock after `compare`.
    pub judge: Signal<In, Bit>,
    /// What was fetched.
    pub fetched: Signal<Out, RuleWord>,
    /// The candidate, one clock after `judge`.
    pub candidate: Signal<Out, Candidate>,
    word_register: Reg<RuleWord>,
    row_register: Reg<RowData>,
    check: RowCheck,
    equal: Reg<Bit>,
    live: Reg<Bit>,
    visible: Reg<Bit>,
    destination: Reg<Bit>,
    word_syndrome: Reg<Bits<8>>,
    row_syndrome: Reg<Bits<4>>,
    compared_row: Reg<RowData>,
    judged: Reg<Candidate>,
    bits: Signal<Local, Bits<624>>,
    differs: Signal<Local, Bits<304>>,
    fold: Signal<Local, Bits<32>>,
    fold_16: Signal<Local, Bits<16>>,
    damaged: Signal<Local, Bit>,
    result: Signal<Local, Candidate>,
}

impl Logic for CompareRule {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, word_register, row_register, equal, live, visible, destination);
        dff_setup!(self, clock, word_syndrome, row_syndrome, compared_row, judged);
        if self.fetch.val() {
            self.word_register.d.next = self.word.val();
            self.row_register.d.next = self.row.val();
        }
        self.fetched.next = self.word_register.q.val();

        self.check.enable.next = self.compare.val();
        self.check.row.next = self.row_register.q.val();
        self.check.tick.next = self.tick.val();
        self.check.committed.next = self.committed.val();
        self.bits.next = self.word_register.q.val().into();
        self.fold.next = bits::<32>(0);
        self.differs.next = bits::<304>(0);
        if self.compare.val() {
            for i in 0..20 {
                self.fold.next = self.fold.val() ^ self.bits.val().get_bits::<32>(i * 32);
            }
            self.differs.next = (self.word_register.q.val().value ^ self.key.val()) & self.word_register.q.val().mask;
        }
        self.fold_16.next = self.fold.val().get_bits::<16>(0) ^ self.fold.val().get_bits::<16>(16);
        if self.compare.val() {
            self.equal.d.next = !self.differs.val().any();
            self.live.d.next = self.check.live.val();
            self.visible.d.next = self.check.visible.val();
            self.destination.d.next = self.word_register.q.val().destination;
            self.word_syndrome.d.next = self.fold_16.val().get_bits::<8>(0) ^ self.fold_16.val().get_bits::<8>(8);
            self.row_syndrome.d.next = self.check.syndrome.val();
            self.compared_row.d.next = self.row_register.q.val();
        }

        self.damaged.next = self.word_syndrome.q.val().any() | self.row_syndrome.q.val().any();
        self.result.next.live = self.equal.q.val() & self.visible.q.val() & self.live.q.val() & !self.damaged.val();
        self.result.next.expired = self.equal.q.val() & self.visible.q.val() & !self.live.q.val() & !self.damaged.val();
        self.result.next.damaged = self.damaged.val();
        self.result.next.destination = self.destination.q.val();
        self.result.next.row = self.compared_row.q.val();
        if self.judge.val() {
            self.judged.d.next = self.result.val();
        }
        self.candidate.next = self.judged.q.val();
    }
}

/// The first of two candidates that lives gives the hit. One clock.
#[derive(LogicBlock, Default)]
pub struct ChooseRule {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The first is there.
    pub first: Signal<In, Bit>,
    /// The second is there.
    pub second: Signal<In, Bit>,
    /// More rules match.
    pub more: Signal<In, Bit>,
    /// The lower number first.
    pub candidate: [Signal<In, Candidate>; 2],
    /// The result, one clock later; zero without `first`.
    pub found: Signal<Out, Found>,
    found_register: Reg<Found>,
    bits: [Signal<Local, Bits<76>>; 2],
    first_live: Signal<Local, Bit>,
    second_live: Signal<Local, Bit>,
    best: Signal<Local, Candidate>,
    best_row: Signal<Local, RowData>,
    hit: Signal<Local, Hit>,
    result: Signal<Local, Found>,
}

impl Logic for ChooseRule {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, found_register);
        self.first_live.next = self.first.val() & self.candidate[0].val().live;
        self.second_live.next = self.second.val() & self.candidate[1].val().live;
        self.best.next = self.candidate[0].val();
        if !self.first_live.val() {
            self.best.next = self.candidate[1].val();
        }
        self.best_row.next = self.best.val().row;
        self.hit.next.valid = false;
        self.hit.next.match_index = bits::<17>(0);
        self.hit.next.scope = bits::<2>(0);
        self.hit.next.ring = bits::<2>(0);
        self.hit.next.destination = false;
        if self.first_live.val() | self.second_live.val() {
            self.hit.next.valid = true;
            self.hit.next.match_index = self.best_row.val().match_index;
            self.hit.next.scope = self.best_row.val().scope;
            self.hit.next.ring = self.best_row.val().ring;
            self.hit.next.destination = self.best.val().destination;
        }
        for i in 0..2 {
            self.bits[i].next = self.candidate[i].val().into();
        }
        self.result.next.multi = self.first.val() & self.more.val();
        if self.first_live.val()
            & self.second_live.val()
            & ((self.bits[0].val().get_bits::<65>(7) != self.bits[1].val().get_bits::<65>(7))
                | (self.bits[0].val().get_bit(3) != self.bits[1].val().get_bit(3)))
        {
            self.result.next.multi = true;
        }
        self.result.next.hit = self.hit.val();
        self.result.next.expired = !self.first_live.val()
            & !self.second_live.val()
            & ((self.first.val() & self.candidate[0].val().expired)
                | (self.second.val() & self.candidate[1].val().expired));
        self.result.next.damaged = (self.first.val() & self.candidate[0].val().damaged)
            | (self.second.val() & self.candidate[1].val().damaged);
        self.found_register.d.next = self.result.val();
        self.found.next = self.found_register.q.val();
    }
}
