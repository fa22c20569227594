//! All banks, and what they share.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use super::{RuleBank, RuleWriter};
use crate::lookup::delay::Delay;
use crate::lookup::types::{Found, RowAccess, RowData, RuleWord, SweepMode};
use crate::prelude::*;

/// What candidates are compared with.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RuleKey {
    committed: Bit,
    tick: Bits<44>,
    key: Bits<304>,
}

/// Four lookups a frame.
#[derive(LogicBlock)]
pub struct RuleLookup {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Makes every rule invalid.
    pub reset: Signal<In, Bit>,
    /// There is a frame with a 5-tuple, which may hit.
    pub valid: Signal<In, Bit>,
    /// With `valid`.
    pub tuple: Signal<In, Bits<304>>,
    /// One clock after `valid`: the frame's tick.
    pub tick: Signal<In, Bits<44>>,
    /// One clock after `valid`: a batch is committed.
    pub committed: Signal<In, Bit>,
    /// Results of the banks, ten clocks after `valid`.
    pub found: [Signal<Out, Found>; 4],
    /// Rules are being written.
    pub active: Signal<In, Bit>,
    /// The engine's access.
    pub access: Signal<In, RowAccess>,
    /// Row to write.
    pub write_row: Signal<In, RowData>,
    /// Value and mask to write.
    pub write_word: Signal<In, RuleWord>,
    /// Write the cells of the rule that `access` names.
    pub cells_start: Signal<In, Bit>,
    /// They are being written.
    pub cells_busy: Signal<Out, Bit>,
    /// The batch sweep.
    pub sweep: Signal<In, SweepMode>,
    /// There is something to write back.
    pub dirty: Signal<Out, Bit>,
    /// Eight clocks after a read: banks whose rule is valid.
    pub row_valid: Signal<Out, Bits<4>>,
    /// Eight clocks after a read: banks whose rule is damaged.
    pub row_damaged: Signal<Out, Bits<4>>,
    /// Eight clocks after a read: the row of the bank that `access` names.
    pub shown_row: Signal<Out, RowData>,
    /// Eight clocks after a read: value and mask of that bank.
    pub shown_word: Signal<Out, RuleWord>,
    bank: [RuleBank; 4],
    writer: RuleWriter,
    keys: Delay<RuleKey, 3>,
    entered: Reg<Bit>,
    entered_key: Reg<Bits<304>>,
    flight: Reg<Bits<5>>,
    looked_up: Signal<Local, Bits<4>>,
    ways: Signal<Local, Bits<4>>,
    chosen: Signal<Local, Bits<4>>,
    number: Signal<Local, Bits<7>>,
    row: Signal<Local, RowData>,
    nothing: Constant<RowData>,
    numbers: [Reg<Bits<7>>; 4],
    shown: Reg<RuleWord>,
    bank_word: Signal<Local, RuleWord>,
    word_back: Signal<Local, Bit>,
    rule_key: Signal<Local, RuleKey>,
    compared: Signal<Local, RuleKey>,
}

impl Default for RuleLookup {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            tuple: Signal::default(),
            tick: Signal::default(),
            committed: Signal::default(),
            found: Default::default(),
            active: Signal::default(),
            access: Signal::default(),
            write_row: Signal::default(),
            write_word: Signal::default(),
            cells_start: Signal::default(),
            cells_busy: Signal::default(),
            sweep: Signal::default(),
            dirty: Signal::default(),
            row_valid: Signal::default(),
            row_damaged: Signal::default(),
            shown_row: Signal::default(),
            shown_word: Signal::default(),
            bank: core::array::from_fn(|_| RuleBank::default()),
            writer: RuleWriter::default(),
            keys: Delay::new(6),
            entered: Reg::default(),
            entered_key: Reg::default(),
            flight: Reg::default(),
            looked_up: Signal::default(),
            ways: Signal::default(),
            chosen: Signal::default(),
            number: Signal::default(),
            row: Signal::default(),
            nothing: Constant::new(RowData::default()),
            numbers: Default::default(),
            shown: Reg::default(),
            bank_word: Signal::default(),
            word_back: Signal::default(),
            rule_key: Signal::default(),
            compared: Signal::default(),
        }
    }
}

impl Logic for RuleLookup {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, entered, entered_key, flight, shown);
        clock!(self, clock, writer, keys);
        self.writer.reset.next = self.reset.val();

        // The keys, for later.
        self.looked_up.next = bits::<4>(0);
        for i in 0..4 {
            self.looked_up.next =
                self.looked_up.val().replace_bit(i, self.valid.val() & (self.active.val() | self.bank[i].holds.val()));
        }
        self.entered.d.next = self.looked_up.val().any();
        if self.looked_up.val().any() {
            self.entered_key.d.next = self.tuple.val();
        }
        self.rule_key.next.committed = self.committed.val();
        self.rule_key.next.tick = self.tick.val();
        self.rule_key.next.key = self.entered_key.q.val();
        self.keys.write.next = self.entered.q.val();
        self.keys.data_in.next = self.rule_key.val();
        self.flight.d.next = (self.flight.q.val() << 1) | bit_cast::<5, 1>(self.entered.q.val().into());
        self.keys.read.next = self.flight.q.val().get_bit(4);
        self.compared.next = self.keys.data_out.val();

        // The engine's access.
        self.ways.next = bits::<4>(1) << self.access.val().way;
        self.number.next = self.access.val().row.get_bits::<7>(0);
        self.chosen.next = bits::<4>(0);
        if self.access.val().rules {
            self.chosen.next = self.ways.val();
            if self.access.val().every {
                self.chosen.next = bits::<4>(15);
            }
        }
        self.numbers[0].clock.next = self.clock.val();
        self.numbers[0].d.next = self.number.val();
        for i in 0..3 {
            self.numbers[i + 1].clock.next = self.clock.val();
            self.numbers[i + 1].d.next = self.numbers[i].q.val();
        }
        self.row.next = self.write_row.val();
        if self.access.val().blank {
            self.row.next = self.nothing.val();
        }
        self.writer.start.next = self.cells_start.val();
        self.writer.bank.next = self.access.val().way;
        self.writer.number.next = self.number.val();
        self.writer.value.next = self.write_word.val().value;
        self.writer.mask.next = self.write_word.val().mask;
        self.cells_busy.next = self.writer.busy.val();

        self.row_valid.next = bits::<4>(0);
        self.row_damaged.next = bits::<4>(0);
        for i in 0..4 {
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].reset.next = self.reset.val();
            self.bank[i].look_up.next = self.looked_up.val().get_bit(i);
            self.bank[i].key.next = self.tuple.val();
            self.bank[i].committed.next = self.committed.val();
            self.bank[i].compare_key.next = self.compared.val().key;
            self.bank[i].compare_tick.next = self.compared.val().tick;
            self.bank[i].compare_committed.next = self.compared.val().committed;
            self.found[i].next = self.bank[i].found.val();
            self.bank[i].read.next = self.chosen.val().get_bit(i) & self.access.val().read;
            self.bank[i].write.next = self.chosen.val().get_bit(i) & self.access.val().write;
            self.bank[i].write_words.next = self.access.val().write_key;
            self.bank[i].write_back.next = self.access.val().rules & self.access.val().back;
            self.bank[i].erase.next = self.access.val().erase;
            self.bank[i].number.next = self.number.val();
            self.bank[i].row_number.next = self.numbers[3].q.val();
            self.bank[i].row.next = self.row.val();
            self.bank[i].word.next = self.write_word.val();
            self.bank[i].sweep.next = self.sweep.val();
            self.bank[i].cell_write.next = self.writer.write.val() & self.ways.val().get_bit(i);
            self.bank[i].cell_group.next = self.writer.group.val();
            self.bank[i].cell_entry.next = self.writer.entry.val();
            for k in 0..16 {
                self.bank[i].cell_word[k].next = self.writer.word[k].val();
            }
            self.row_valid.next = self.row_valid.val().replace_bit(i, self.bank[i].row_valid.val());
            self.row_damaged.next = self.row_damaged.val().replace_bit(i, self.bank[i].row_damaged.val());
        }
        self.dirty.next =
            self.bank[0].dirty.val() | self.bank[1].dirty.val() | self.bank[2].dirty.val() | self.bank[3].dirty.val();
        self.shown_row.next = self.bank[0].shown_row.val();
        self.bank_word.next = self.bank[0].shown_word.val();
        self.word_back.next = self.bank[0].word_back.val();
        if self.ways.val().get_bit(1) {
            self.shown_row.next = self.bank[1].shown_row.val();
            self.bank_word.next = self.bank[1].shown_word.val();
            self.word_back.next = self.bank[1].word_back.val();
        } else if self.ways.val().get_bit(2) {
            self.shown_row.next = self.bank[2].shown_row.val();
            self.bank_word.next = self.bank[2].shown_word.val();
            self.word_back.next = self.bank[2].word_back.val();
        } else if self.ways.val().get_bit(3) {
            self.shown_row.next = self.bank[3].shown_row.val();
            self.bank_word.next = self.bank[3].shown_word.val();
            self.word_back.next = self.bank[3].word_back.val();
        }
        if self.word_back.val() {
            self.shown.d.next = self.bank_word.val();
        }
        self.shown_word.next = self.shown.q.val();
    }
}
