//! Which rules of a bank match, and the two with the lowest numbers among those that are visible.

use crate::axis::XorMatrix;
use crate::lookup::types::RowData;
use crate::prelude::*;

/// LUT memories and marks of one bank.
#[derive(LogicBlock)]
pub struct RuleCells {
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
    /// Change the marks of a rule at this clock. No keys enter.
    pub mark: Signal<In, Bit>,
    /// Which rule.
    pub number: Signal<In, Bits<7>>,
    /// Its new row, of which only the marks count.
    pub row: Signal<In, RowData>,
    /// Write one word into each of 16 chunks.
    pub write: Signal<In, Bit>,
    /// Which 16 chunks.
    pub write_group: Signal<In, Bits<2>>,
    /// The chunks' value.
    pub write_entry: Signal<In, Bits<5>>,
    /// One bit a rule.
    pub write_word: [Signal<In, Bits<128>>; 16],
    /// Five clocks after `look_up`: a visible rule matches.
    pub first: Signal<Out, Bit>,
    /// The lowest.
    pub first_number: Signal<Out, Bits<7>>,
    /// Another one matches.
    pub second: Signal<Out, Bit>,
    /// The lowest but one.
    pub second_number: Signal<Out, Bits<7>>,
    /// And there are still more.
    pub more: Signal<Out, Bit>,
    /// Any rule is valid.
    pub holds: Signal<Out, Bit>,
    chunks_0: [LutRam<Bits<128>, 5>; 16],
    chunks_1: [LutRam<Bits<128>, 5>; 16],
    chunks_2: [LutRam<Bits<128>, 5>; 16],
    chunks_3: [LutRam<Bits<128>, 5>; 13],
    valid: RegR<Bits<128>>,
    pending: RegR<Bits<128>>,
    pending_clear: RegR<Bits<128>>,
    holds_register: RegR<Bit>,
    half_0: Reg<Bits<128>>,
    half_1: Reg<Bits<128>>,
    entered: Reg<Bit>,
    some: Reg<Bit>,
    candidates: Reg<Bits<128>>,
    first_some: Reg<Bit>,
    first_hot: Reg<Bits<128>>,
    rest: Reg<Bits<128>>,
    second_some: Reg<Bit>,
    first_index: Reg<Bits<7>>,
    second_hot: Reg<Bits<128>>,
    second_rest: Reg<Bits<128>>,
    third_some: Reg<Bit>,
    last_first_index: Reg<Bits<7>>,
    second_index: Reg<Bits<7>>,
    second_any: Reg<Bit>,
    more_any: Reg<Bit>,
    encode_first: XorMatrix<128, 7>,
    encode_second: XorMatrix<128, 7>,
    low: Signal<Local, Bits<128>>,
    high: Signal<Local, Bits<128>>,
    hot: Signal<Local, Bits<128>>,
    visible: Signal<Local, Bits<128>>,
    matching: Signal<Local, Bits<128>>,
    below: Signal<Local, Bits<128>>,
    below_rest: Signal<Local, Bits<128>>,
}

/// The number of the one bit that is set. The parity of one bit is that bit.
fn encoder() -> XorMatrix<128, 7> {
    XorMatrix::new(|bit| vec![bit as u8])
}

impl Default for RuleCells {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            look_up: Signal::default(),
            key: Signal::default(),
            committed: Signal::default(),
            mark: Signal::default(),
            number: Signal::default(),
            row: Signal::default(),
            write: Signal::default(),
            write_group: Signal::default(),
            write_entry: Signal::default(),
            write_word: Default::default(),
            first: Signal::default(),
            first_number: Signal::default(),
            second: Signal::default(),
            second_number: Signal::default(),
            more: Signal::default(),
            holds: Signal::default(),
            chunks_0: Default::default(),
            chunks_1: Default::default(),
            chunks_2: Default::default(),
            chunks_3: Default::default(),
            valid: RegR::default(),
            pending: RegR::default(),
            pending_clear: RegR::default(),
            holds_register: RegR::default(),
            half_0: Reg::default(),
            half_1: Reg::default(),
            entered: Reg::default(),
            some: Reg::default(),
            candidates: Reg::default(),
            first_some: Reg::default(),
            first_hot: Reg::default(),
            rest: Reg::default(),
            second_some: Reg::default(),
            first_index: Reg::default(),
            second_hot: Reg::default(),
            second_rest: Reg::default(),
            third_some: Reg::default(),
            last_first_index: Reg::default(),
            second_index: Reg::default(),
            second_any: Reg::default(),
            more_any: Reg::default(),
            encode_first: encoder(),
            encode_second: encoder(),
            low: Signal::default(),
            high: Signal::default(),
            hot: Signal::default(),
            visible: Signal::default(),
            matching: Signal::default(),
            below: Signal::default(),
            below_rest: Signal::default(),
        }
    }
}

impl Logic for RuleCells {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, valid, pending, pending_clear, holds_register, half_0, half_1, entered);
        dff_setup!(self, clock, some, candidates, first_some, first_hot, rest, second_some, first_index);
        dff_setup!(self, clock, second_hot, second_rest, third_some, last_first_index);
        dff_setup!(self, clock, second_index, second_any, more_any);
        self.valid.reset.next = self.reset.val();
        self.pending.reset.next = self.reset.val();
        self.pending_clear.reset.next = self.reset.val();
        self.holds_register.reset.next = self.reset.val();

        // LUT memories.
        for i in 0..16 {
            self.chunks_0[i].clock.next = self.clock.val();
            self.chunks_1[i].clock.next = self.clock.val();
            self.chunks_2[i].clock.next = self.clock.val();
            self.chunks_0[i].read_address.next = self.key.val().get_bits::<5>(i * 5);
            self.chunks_1[i].read_address.next = self.key.val().get_bits::<5>(i * 5 + 80);
            self.chunks_2[i].read_address.next = self.key.val().get_bits::<5>(i * 5 + 160);
            self.chunks_0[i].write_address.next = self.write_entry.val();
            self.chunks_1[i].write_address.next = self.write_entry.val();
            self.chunks_2[i].write_address.next = self.write_entry.val();
            self.chunks_0[i].write_data.next = self.write_word[i].val();
            self.chunks_1[i].write_data.next = self.write_word[i].val();
            self.chunks_2[i].write_data.next = self.write_word[i].val();
            self.chunks_0[i].write_enable.next = self.write.val() & (self.write_group.val() == bits::<2>(0));
            self.chunks_1[i].write_enable.next = self.write.val() & (self.write_group.val() == bits::<2>(1));
            self.chunks_2[i].write_enable.next = self.write.val() & (self.write_group.val() == bits::<2>(2));
        }
        for i in 0..13 {
            self.chunks_3[i].clock.next = self.clock.val();
            self.chunks_3[i].read_address.next = self.key.val().get_bits::<5>(i * 5 + 240);
            self.chunks_3[i].write_address.next = self.write_entry.val();
            self.chunks_3[i].write_data.next = self.write_word[i].val();
            self.chunks_3[i].write_enable.next = self.write.val() & (self.write_group.val() == bits::<2>(3));
        }
        self.low.next = bits::<128>(0);
        self.high.next = bits::<128>(0);
        if self.look_up.val() {
            self.low.next = !bits::<128>(0);
            self.high.next = !bits::<128>(0);
            for i in 0..16 {
                self.low.next = self.low.val() & self.chunks_0[i].read_data.val();
                self.low.next = self.low.val() & self.chunks_1[i].read_data.val();
                self.high.next = self.high.val() & self.chunks_2[i].read_data.val();
            }
            for i in 0..13 {
                self.high.next = self.high.val() & self.chunks_3[i].read_data.val();
            }
        }
        self.entered.d.next = self.look_up.val();
        if self.look_up.val() {
            self.half_0.d.next = self.low.val();
            self.half_1.d.next = self.high.val();
        }

        // Marks.
        self.hot.next = bits::<128>(0);
        if self.mark.val() {
            self.hot.next = bits::<128>(1) << self.number.val();
            self.valid.d.next = self.valid.q.val() & !self.hot.val();
            self.pending.d.next = self.pending.q.val() & !self.hot.val();
            self.pending_clear.d.next = self.pending_clear.q.val() & !self.hot.val();
            if self.row.val().valid {
                self.valid.d.next = self.valid.q.val() | self.hot.val();
            }
            if self.row.val().pending {
                self.pending.d.next = self.pending.q.val() | self.hot.val();
            }
            if self.row.val().pending_clear {
                self.pending_clear.d.next = self.pending_clear.q.val() | self.hot.val();
            }
        }
        self.holds_register.d.next = self.valid.q.val().any();
        self.holds.next = self.holds_register.q.val();

        // The keys enter.
        self.visible.next = bits::<128>(0);
        self.matching.next = bits::<128>(0);
        if self.entered.q.val() {
            self.visible.next = self.valid.q.val() & !self.pending.q.val();
            if self.committed.val() {
                self.visible.next = self.valid.q.val() & !self.pending_clear.q.val();
            }
            self.matching.next = self.half_0.q.val() & self.half_1.q.val() & self.visible.val();
            self.candidates.d.next = self.matching.val();
        }
        self.some.d.next = self.entered.q.val();

        // The lowest.
        self.below.next = bits::<128>(0);
        if self.some.q.val() {
            self.below.next = self.candidates.q.val() - bits::<128>(1);
            self.first_hot.d.next = self.candidates.q.val() & !self.below.val();
            self.rest.d.next = self.candidates.q.val() & self.below.val();
        }
        self.first_some.d.next = self.some.q.val() & self.candidates.q.val().any();

        // The second.
        self.encode_first.enable.next = self.first_some.q.val();
        self.encode_first.operand.next = self.first_hot.q.val();
        self.below_rest.next = bits::<128>(0);
        if self.first_some.q.val() {
            self.first_index.d.next = self.encode_first.result.val();
            self.below_rest.next = self.rest.q.val() - bits::<128>(1);
            self.second_hot.d.next = self.rest.q.val() & !self.below_rest.val();
            self.second_rest.d.next = self.rest.q.val() & self.below_rest.val();
        }
        self.second_some.d.next = self.first_some.q.val();

        // More.
        self.encode_second.enable.next = self.second_some.q.val();
        self.encode_second.operand.next = self.second_hot.q.val();
        self.second_any.d.next = false;
        self.more_any.d.next = false;
        if self.second_some.q.val() {
            self.last_first_index.d.next = self.first_index.q.val();
            self.second_index.d.next = self.encode_second.result.val();
            self.second_any.d.next = self.second_hot.q.val().any();
            self.more_any.d.next = self.second_rest.q.val().any();
        }
        self.third_some.d.next = self.second_some.q.val();
        self.first.next = self.third_some.q.val();
        self.first_number.next = self.last_first_index.q.val();
        self.second.next = self.second_any.q.val();
        self.second_number.next = self.second_index.q.val();
        self.more.next = self.more_any.q.val();
    }
}
