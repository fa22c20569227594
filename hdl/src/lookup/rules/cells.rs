//! Which rules of a bank match, and the two with the lowest numbers among those that are visible.
//!
//! # Theory of operation
//! The lowest of 128 is found in groups of eight ([`LowestRule`]): the lowest of each group, and of them the one of the lowest group with any. Which groups
//! have any is summed one clock ahead.

use crate::axis::XorMatrix;
use crate::lookup::types::RowData;
use crate::prelude::*;

/// Of which of 16 groups of eight bits any is set. No register.
#[derive(LogicBlock, Default)]
pub(super) struct RuleGroups {
    /// The bits.
    pub bits: Signal<In, Bits<128>>,
    /// One bit a group.
    pub groups: Signal<Out, Bits<16>>,
}

impl Logic for RuleGroups {
    #[hdl_gen]
    fn update(&mut self) {
        self.groups.next = bits::<16>(0);
        for i in 0..16 {
            self.groups.next = self.groups.val().replace_bit(i, self.bits.val().get_bits::<8>(i * 8).any());
        }
    }
}

/// The lowest of 128 bits. No register.
#[derive(LogicBlock)]
pub(super) struct LowestRule {
    /// The bits.
    pub bits: Signal<In, Bits<128>>,
    /// Groups with any.
    pub groups: Signal<In, Bits<16>>,
    /// The lowest bit.
    pub hot: Signal<Out, Bits<128>>,
    /// All others.
    pub rest: Signal<Out, Bits<128>>,
    /// Groups with any of those.
    pub rest_groups: Signal<Out, Bits<16>>,
    group: [Constant<Bits<128>>; 16],
    not_first: Constant<Bits<128>>,
    not_second: Constant<Bits<128>>,
    not_fourth: Constant<Bits<128>>,
    by_1: Signal<Local, Bits<128>>,
    by_2: Signal<Local, Bits<128>>,
    by_4: Signal<Local, Bits<128>>,
    lower: Signal<Local, Bits<128>>,
    groups_1: Signal<Local, Bits<16>>,
    groups_2: Signal<Local, Bits<16>>,
    groups_4: Signal<Local, Bits<16>>,
    groups_8: Signal<Local, Bits<16>>,
    lower_groups: Signal<Local, Bits<16>>,
    blocked: Signal<Local, Bits<128>>,
    paired: Signal<Local, Bits<128>>,
}

/// Bits that have at least `places` others of their group below them.
fn behind(places: usize) -> Constant<Bits<128>> {
    let bits = (0..128).filter(|bit| bit % 8 >= places);
    Constant::new(bits.fold(Bits::default(), |all: Bits<128>, bit| all.replace_bit(bit, true)))
}

impl Default for LowestRule {
    fn default() -> Self {
        let group = |group: usize| {
            let bits = (0..128).filter(|bit| bit / 8 == group);
            Constant::new(bits.fold(Bits::default(), |all: Bits<128>, bit| all.replace_bit(bit, true)))
        };
        Self {
            bits: Signal::default(),
            groups: Signal::default(),
            hot: Signal::default(),
            rest: Signal::default(),
            group: core::array::from_fn(group),
            not_first: behind(1),
            not_second: behind(2),
            not_fourth: behind(4),
            by_1: Signal::default(),
            by_2: Signal::default(),
            by_4: Signal::default(),
            lower: Signal::default(),
            groups_1: Signal::default(),
            groups_2: Signal::default(),
            groups_4: Signal::default(),
            groups_8: Signal::default(),
            lower_groups: Signal::default(),
            rest_groups: Signal::default(),
            blocked: Signal::default(),
            paired: Signal::default(),
        }
    }
}

impl Logic for LowestRule {
    #[hdl_gen]
    fn update(&mut self) {
        // Whether any lower bit of the group is set.
        self.by_1.next = self.bits.val() | ((self.bits.val() << 1) & self.not_first.val());
        self.by_2.next = self.by_1.val() | ((self.by_1.val() << 2) & self.not_second.val());
        self.by_4.next = self.by_2.val() | ((self.by_2.val() << 4) & self.not_fourth.val());
        self.lower.next = (self.by_4.val() << 1) & self.not_first.val();
        // And of lower groups.
        self.groups_1.next = self.groups.val() | (self.groups.val() << 1);
        self.groups_2.next = self.groups_1.val() | (self.groups_1.val() << 2);
        self.groups_4.next = self.groups_2.val() | (self.groups_2.val() << 4);
        self.groups_8.next = self.groups_4.val() | (self.groups_4.val() << 8);
        self.lower_groups.next = self.groups_8.val() << 1;
        self.blocked.next = bits::<128>(0);
        for i in 0..16 {
            if self.lower_groups.val().get_bit(i) {
                self.blocked.next = self.blocked.val() | self.group[i].val();
            }
        }
        self.hot.next = self.bits.val() & !self.lower.val() & !self.blocked.val();
        self.rest.next = self.bits.val() & (self.lower.val() | self.blocked.val());
        self.paired.next = self.bits.val() & self.lower.val();
        self.rest_groups.next = self.groups.val() & self.lower_groups.val();
        for i in 0..16 {
            if self.paired.val().get_bits::<8>(i * 8).any() {
                self.rest_groups.next = self.rest_groups.val().replace_bit(i, true);
            }
        }
    }
}

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
    candidate_groups: Reg<Bits<16>>,
    groups_of_candidates: RuleGroups,
    lowest: LowestRule,
    first_some: Reg<Bit>,
    first_hot: Reg<Bits<128>>,
    rest: Reg<Bits<128>>,
    rest_groups: Reg<Bits<16>>,
    lowest_of_rest: LowestRule,
    second_some: Reg<Bit>,
    first_index: Reg<Bits<7>>,
    second_hot: Reg<Bits<128>>,
    second_any_left: Reg<Bits<16>>,
    more_left: Reg<Bits<16>>,
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
            candidate_groups: Reg::default(),
            groups_of_candidates: RuleGroups::default(),
            lowest: LowestRule::default(),
            first_some: Reg::default(),
            first_hot: Reg::default(),
            rest: Reg::default(),
            rest_groups: Reg::default(),
            lowest_of_rest: LowestRule::default(),
            second_some: Reg::default(),
            first_index: Reg::default(),
            second_hot: Reg::default(),
            second_any_left: Reg::default(),
            more_left: Reg::default(),
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
        }
    }
}

impl Logic for RuleCells {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, valid, pending, pending_clear, holds_register, half_0, half_1, entered);
        dff_setup!(self, clock, some, candidates, first_some, first_hot, rest, second_some, first_index);
        dff_setup!(self, clock, second_hot, second_any_left, more_left, third_some, last_first_index);
        dff_setup!(self, clock, candidate_groups, rest_groups);
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
            self.candidate_groups.d.next = self.groups_of_candidates.groups.val();
        }
        self.groups_of_candidates.bits.next = self.matching.val();
        self.some.d.next = self.entered.q.val();

        // The lowest.
        self.lowest.bits.next = self.candidates.q.val();
        self.lowest.groups.next = self.candidate_groups.q.val();
        if self.some.q.val() {
            self.first_hot.d.next = self.lowest.hot.val();
            self.rest.d.next = self.lowest.rest.val();
            self.rest_groups.d.next = self.lowest.rest_groups.val();
        }
        self.first_some.d.next = self.some.q.val() & self.candidate_groups.q.val().any();

        // The second.
        self.encode_first.enable.next = self.first_some.q.val();
        self.encode_first.operand.next = self.first_hot.q.val();
        self.lowest_of_rest.bits.next = self.rest.q.val();
        self.lowest_of_rest.groups.next = self.rest_groups.q.val();
        if self.first_some.q.val() {
            self.first_index.d.next = self.encode_first.result.val();
            self.second_hot.d.next = self.lowest_of_rest.hot.val();
            self.second_any_left.d.next = self.rest_groups.q.val();
            self.more_left.d.next = self.lowest_of_rest.rest_groups.val();
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
            self.second_any.d.next = self.second_any_left.q.val().any();
            self.more_any.d.next = self.more_left.q.val().any();
        }
        self.third_some.d.next = self.second_some.q.val();
        self.first.next = self.third_some.q.val();
        self.first_number.next = self.last_first_index.q.val();
        self.second.next = self.second_any.q.val();
        self.second_number.next = self.second_index.q.val();
        self.more.next = self.more_any.q.val();
    }
}
