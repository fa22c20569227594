//! One bank: cells, rows, comparison.

use super::{ChooseRule, CompareRule, RuleCells};
use crate::lookup::engine::SweptRow;
use crate::lookup::types::{Candidate, Found, RowData, RuleWord, SweepMode};
use crate::prelude::*;

/// 128 rules, one hit a frame. The module's documentation has the clocks.
#[derive(LogicBlock)]
pub struct RuleBank {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Makes every rule invalid.
    pub reset: Signal<In, Bit>,
    /// Look this key up.
    pub look_up: Signal<In, Bit>,
    /// With `look_up`.
    pub key: Signal<In, Bits<304>>,
    /// One clock after `look_up`: a batch is committed.
    pub committed: Signal<In, Bit>,
    /// Seven clocks after `look_up`: the key.
    pub compare_key: Signal<In, Bits<304>>,
    /// Seven clocks after `look_up`: the frame's tick.
    pub compare_tick: Signal<In, Bits<44>>,
    /// Seven clocks after `look_up`: whether a batch was committed.
    pub compare_committed: Signal<In, Bit>,
    /// Ten clocks after `look_up`.
    pub found: Signal<Out, Found>,
    /// Read rule `number` at this clock. No keys enter. The engine keeps what it writes for eight clocks.
    pub read: Signal<In, Bit>,
    /// Write the row of rule `number` at this clock. No keys enter.
    pub write: Signal<In, Bit>,
    /// With `write`: and its value and mask.
    pub write_words: Signal<In, Bit>,
    /// Write back what the sweep has changed at this clock, to `number`. No keys enter, and `word` is zero.
    pub write_back: Signal<In, Bit>,
    /// Write `row` and `word` to rule `number` at this clock, past the marks. Nothing is looked up.
    pub erase: Signal<In, Bit>,
    /// Which rule.
    pub number: Signal<In, Bits<7>>,
    /// `number` as it was four clocks ago.
    pub row_number: Signal<In, Bits<7>>,
    /// The row to write.
    pub row: Signal<In, RowData>,
    /// Value and mask to write.
    pub word: Signal<In, RuleWord>,
    /// The batch sweep.
    pub sweep: Signal<In, SweepMode>,
    /// There is something to write back.
    pub dirty: Signal<Out, Bit>,
    /// See [`RuleCells`].
    pub cell_write: Signal<In, Bit>,
    /// See [`RuleCells`].
    pub cell_group: Signal<In, Bits<2>>,
    /// See [`RuleCells`].
    pub cell_entry: Signal<In, Bits<5>>,
    /// See [`RuleCells`].
    pub cell_word: [Signal<In, Bits<128>>; 16],
    /// Value and mask have been read and stand at `shown_word` in this clock, six clocks after `read`.
    pub word_back: Signal<Out, Bit>,
    /// Value and mask.
    pub shown_word: Signal<Out, RuleWord>,
    /// Eight clocks after `read`: the row.
    pub shown_row: Signal<Out, RowData>,
    /// Eight clocks after `read`: the rule is valid.
    pub row_valid: Signal<Out, Bit>,
    /// Eight clocks after `read`: the rule is damaged.
    pub row_damaged: Signal<Out, Bit>,
    /// Any rule is valid.
    pub holds: Signal<Out, Bit>,
    cells: RuleCells,
    words: Ram2r1w<RuleWord, 7>,
    rows: Ram2r1w<RowData, 7>,
    back: SweptRow,
    reads: Reg<Bits<8>>,
    writes: Reg<Bits<4>>,
    word_writes: Reg<Bits<4>>,
    back_writes: Reg<Bits<4>>,
    gone_writes: Reg<Bits<4>>,
    first: Reg<Bits<4>>,
    second: Reg<Bits<4>>,
    more: Reg<Bits<4>>,
    compare_0: CompareRule,
    compare_1: CompareRule,
    choose: ChooseRule,
    port_number: Signal<Local, Bits<7>>,
    marks: Signal<Local, RowData>,
    candidate: Signal<Local, Candidate>,
    writes_row: Signal<Local, Bit>,
    writes_back: Signal<Local, Bit>,
}

impl Default for RuleBank {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            look_up: Signal::default(),
            key: Signal::default(),
            committed: Signal::default(),
            compare_key: Signal::default(),
            compare_tick: Signal::default(),
            compare_committed: Signal::default(),
            found: Signal::default(),
            read: Signal::default(),
            write: Signal::default(),
            write_words: Signal::default(),
            write_back: Signal::default(),
            erase: Signal::default(),
            number: Signal::default(),
            row_number: Signal::default(),
            row: Signal::default(),
            word: Signal::default(),
            sweep: Signal::default(),
            dirty: Signal::default(),
            cell_write: Signal::default(),
            cell_group: Signal::default(),
            cell_entry: Signal::default(),
            cell_word: Default::default(),
            word_back: Signal::default(),
            shown_word: Signal::default(),
            shown_row: Signal::default(),
            row_valid: Signal::default(),
            row_damaged: Signal::default(),
            holds: Signal::default(),
            cells: RuleCells::default(),
            words: Ram2r1w::new(RamStyle::Block),
            rows: Ram2r1w::new(RamStyle::Block),
            back: SweptRow::default(),
            reads: Reg::default(),
            writes: Reg::default(),
            word_writes: Reg::default(),
            back_writes: Reg::default(),
            gone_writes: Reg::default(),
            first: Reg::default(),
            second: Reg::default(),
            more: Reg::default(),
            compare_0: CompareRule::default(),
            compare_1: CompareRule::default(),
            choose: ChooseRule::default(),
            port_number: Signal::default(),
            marks: Signal::default(),
            candidate: Signal::default(),
            writes_row: Signal::default(),
            writes_back: Signal::default(),
        }
    }
}

impl Logic for RuleBank {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, reads, writes, word_writes, back_writes, gone_writes, first, second, more);
        clock!(self, clock, cells, words, rows, back, compare_0, compare_1, choose);

        // Cells; an access changes marks in its own clock.
        self.cells.reset.next = self.reset.val();
        self.cells.look_up.next = self.look_up.val();
        self.cells.key.next = self.key.val();
        self.cells.committed.next = self.committed.val();
        self.writes_back.next = self.write_back.val() & self.back.dirty.val();
        self.marks.next = self.row.val();
        if self.writes_back.val() {
            self.marks.next = self.back.row.val();
        }
        self.cells.mark.next = self.write.val() | self.writes_back.val();
        self.cells.number.next = self.number.val();
        self.cells.row.next = self.marks.val();
        self.cells.write.next = self.cell_write.val();
        self.cells.write_group.next = self.cell_group.val();
        self.cells.write_entry.next = self.cell_entry.val();
        for i in 0..16 {
            self.cells.write_word[i].next = self.cell_word[i].val();
        }
        self.holds.next = self.cells.holds.val();

        // The access on its way to the rows: bit i, i + 1 clocks later.
        self.reads.d.next = (self.reads.q.val() << 1) | bit_cast::<8, 1>(self.read.val().into());
        self.writes.d.next = (self.writes.q.val() << 1) | bit_cast::<4, 1>(self.write.val().into());
        self.word_writes.d.next =
            (self.word_writes.q.val() << 1) | bit_cast::<4, 1>((self.write.val() & self.write_words.val()).into());
        self.back_writes.d.next = (self.back_writes.q.val() << 1) | bit_cast::<4, 1>(self.writes_back.val().into());
        self.gone_writes.d.next =
            (self.gone_writes.q.val() << 1) | bit_cast::<4, 1>((self.writes_back.val() & self.back.gone.val()).into());

        // Rows. Port 0's address is also that of the write.
        self.words.read_enable_0.next = self.cells.first.val() | self.reads.q.val().get_bit(3);
        self.rows.read_enable_0.next = self.cells.first.val() | self.reads.q.val().get_bit(3);
        self.port_number.next = self.row_number.val();
        if self.erase.val() {
            self.port_number.next = self.number.val();
        } else if self.cells.first.val() {
            self.port_number.next = self.cells.first_number.val();
        }
        self.words.read_address_0.next = self.port_number.val();
        self.rows.read_address_0.next = self.port_number.val();
        self.words.write_address.next = self.port_number.val();
        self.rows.write_address.next = self.port_number.val();
        self.words.read_enable_1.next = self.cells.second.val();
        self.rows.read_enable_1.next = self.cells.second.val();
        self.words.read_address_1.next = self.cells.second_number.val();
        self.rows.read_address_1.next = self.cells.second_number.val();
        self.words.write_data.next = self.word.val();
        self.words.write_enable.next =
            self.erase.val() | self.word_writes.q.val().get_bit(3) | self.gone_writes.q.val().get_bit(3);
        self.rows.write_data.next = self.row.val();
        self.writes_row.next = self.writes.q.val().get_bit(3) | self.back_writes.q.val().get_bit(3);
        self.rows.write_enable.next = self.erase.val() | self.writes_row.val();
        if self.back_writes.q.val().get_bit(3) {
            self.rows.write_data.next = self.back.row.val();
        }

        // Comparison.
        self.first.d.next = (self.first.q.val() << 1) | bit_cast::<4, 1>(self.cells.first.val().into());
        self.second.d.next = (self.second.q.val() << 1) | bit_cast::<4, 1>(self.cells.second.val().into());
        self.more.d.next = (self.more.q.val() << 1) | bit_cast::<4, 1>(self.cells.more.val().into());
        self.compare_0.fetch.next = self.first.q.val().get_bit(0) | self.reads.q.val().get_bit(4);
        self.compare_0.word.next = self.words.read_data_0.val();
        self.compare_0.row.next = self.rows.read_data_0.val();
        self.compare_0.compare.next = self.first.q.val().get_bit(1) | self.reads.q.val().get_bit(5);
        self.compare_0.key.next = self.compare_key.val();
        self.compare_0.tick.next = self.compare_tick.val();
        self.compare_0.committed.next = self.compare_committed.val();
        self.compare_0.judge.next = self.first.q.val().get_bit(2) | self.reads.q.val().get_bit(6);
        self.compare_1.fetch.next = self.second.q.val().get_bit(0);
        self.compare_1.word.next = self.words.read_data_1.val();
        self.compare_1.row.next = self.rows.read_data_1.val();
        self.compare_1.compare.next = self.second.q.val().get_bit(1);
        self.compare_1.key.next = self.compare_key.val();
        self.compare_1.tick.next = self.compare_tick.val();
        self.compare_1.committed.next = self.compare_committed.val();
        self.compare_1.judge.next = self.second.q.val().get_bit(2);
        self.choose.first.next = self.first.q.val().get_bit(3);
        self.choose.second.next = self.second.q.val().get_bit(3);
        self.choose.more.next = self.more.q.val().get_bit(3);
        self.choose.candidate[0].next = self.compare_0.candidate.val();
        self.choose.candidate[1].next = self.compare_1.candidate.val();
        self.found.next = self.choose.found.val();

        // What the engine has read, and the sweep.
        self.candidate.next = self.compare_0.candidate.val();
        self.word_back.next = self.reads.q.val().get_bit(5);
        self.shown_word.next = self.compare_0.fetched.val();
        self.shown_row.next = self.candidate.val().row;
        self.row_valid.next = self.reads.q.val().get_bit(7) & self.candidate.val().row.valid;
        self.row_damaged.next = self.reads.q.val().get_bit(7) & self.candidate.val().damaged;
        self.back.sweep.next = self.sweep.val();
        self.back.returned.next = self.reads.q.val().get_bit(7);
        self.back.candidate.next = self.candidate.val();
        self.back.written.next = self.write_back.val();
        self.dirty.next = self.back.dirty.val();
    }
}
