//! How much of a frame goes into a record.
//!
//! # Theory of operation
//! Each hit is of the outer or of the inner IP header; that follows from its lookup, from whether there is an inner header, and from whether the tunnel is
//! one of the carrier's own. The widest wish for each of the two headers and the wider of the two results give the cut. A scope without meaning
//! counts as the narrowest one.
//!
//! | clock | |
//! |---|---|
//! | 1 | wishes for the outer and for the inner header |
//! | 2 | the cut |
//! | 3 | captured bytes |
//! | 4 | lines |
//!
//! Everything comes out one clock later.
//!
//! # Limits
//! One record a clock.

use super::lookup_of;
use crate::capture::types::{Due, SizedDue};
use crate::parse::types::Layer;
use crate::prelude::*;
use writ_abi::{HitLayer, Scope, limits, record};

const _: () = {
    assert!(Scope::HeadersL3 as u8 == 0 && Scope::HeadersL4 as u8 == 1 && Scope::Content as u8 == 2);
    assert!(record::ETHERNET_BYTES == 14 && limits::LINE_BYTES == 64);
    assert!(limits::FRAME_BYTES_MAX.div_ceil(limits::LINE_BYTES) < 1 << 8, "lines of a payload");
};

/// The slots of a verdict whose hits are of the inner IP header, where there is one.
fn deep_slots() -> Bits<21> {
    let deep = |slot: &usize| matches!(lookup_of(*slot).layer(), HitLayer::Inner | HitLayer::Innermost);
    (0..limits::HITS_MAX).filter(deep).fold(Bits::default(), |slots: Bits<21>, slot| slots.replace_bit(slot, true))
}

/// What the hits of a record want.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
struct Wishes {
    content: Bit,
    outer: Bit,
    outer_l4: Bit,
    inner: Bit,
    inner_l4: Bit,
}

/// Finds the cut.
#[derive(LogicBlock)]
pub struct CutFinder {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a record.
    pub valid: Signal<In, Bit>,
    /// The record.
    pub due: Signal<In, Due>,
    /// Hits of its frame, 23 bits each.
    pub hits: Signal<In, Bits<483>>,
    /// Those of them that name the record's ring.
    pub selected: Signal<In, Bits<21>>,
    /// In clock 4: the record has a second header line.
    pub many: Signal<In, Bit>,
    /// There is a record at the outputs.
    pub out_valid: Signal<Out, Bit>,
    /// The record.
    pub sized: Signal<Out, SizedDue>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    deep: Constant<Bits<21>>,
    // Clock 2
    ready_2: RegR<Bit>,
    due_2: Reg<Due>,
    wishes_2: Reg<Wishes>,
    // Clock 3
    ready_3: RegR<Bit>,
    due_3: Reg<Due>,
    content_3: Reg<Bit>,
    cut_3: Reg<Bits<8>>,
    // Clock 4
    ready_4: RegR<Bit>,
    due_4: Reg<Due>,
    captured_4: Reg<Bits<16>>,
    // Out
    ready_5: RegR<Bit>,
    sized_5: Reg<SizedDue>,
    scope_low: Signal<Local, Bits<21>>,
    scope_high: Signal<Local, Bits<21>>,
    to_inner: Signal<Local, Bits<21>>,
    to_l4: Signal<Local, Bits<21>>,
    to_content: Signal<Local, Bits<21>>,
    to_headers: Signal<Local, Bits<21>>,
    new_wishes: Signal<Local, Wishes>,
    outer: Signal<Local, Layer>,
    inner: Signal<Local, Layer>,
    has_inner: Signal<Local, Bit>,
    outer_wanted: Signal<Local, Bit>,
    outer_l4_wanted: Signal<Local, Bit>,
    outer_cut: Signal<Local, Bits<8>>,
    inner_cut: Signal<Local, Bits<8>>,
    captured: Signal<Local, Bits<16>>,
    whole_lines: Signal<Local, Bits<8>>,
    broken_line: Signal<Local, Bits<2>>,
    second_line: Signal<Local, Bits<2>>,
    lines: Signal<Local, Bits<8>>,
    new_sized: Signal<Local, SizedDue>,
}

impl Default for CutFinder {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            due: Signal::default(),
            hits: Signal::default(),
            selected: Signal::default(),
            many: Signal::default(),
            out_valid: Signal::default(),
            sized: Signal::default(),
            idle: Signal::default(),
            deep: Constant::new(deep_slots()),
            ready_2: RegR::default(),
            due_2: Reg::default(),
            wishes_2: Reg::default(),
            ready_3: RegR::default(),
            due_3: Reg::default(),
            content_3: Reg::default(),
            cut_3: Reg::default(),
            ready_4: RegR::default(),
            due_4: Reg::default(),
            captured_4: Reg::default(),
            ready_5: RegR::default(),
            sized_5: Reg::default(),
            scope_low: Signal::default(),
            scope_high: Signal::default(),
            to_inner: Signal::default(),
            to_l4: Signal::default(),
            to_content: Signal::default(),
            to_headers: Signal::default(),
            new_wishes: Signal::default(),
            outer: Signal::default(),
            inner: Signal::default(),
            has_inner: Signal::default(),
            outer_wanted: Signal::default(),
            outer_l4_wanted: Signal::default(),
            outer_cut: Signal::default(),
            inner_cut: Signal::default(),
            captured: Signal::default(),
            whole_lines: Signal::default(),
            broken_line: Signal::default(),
            second_line: Signal::default(),
            lines: Signal::default(),
            new_sized: Signal::default(),
        }
    }
}

impl Logic for CutFinder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ready_2, due_2, wishes_2, ready_3, due_3, content_3, cut_3);
        dff_setup!(self, clock, ready_4, due_4, captured_4, ready_5, sized_5);
        self.ready_2.reset.next = self.reset.val();
        self.ready_3.reset.next = self.reset.val();
        self.ready_4.reset.next = self.reset.val();
        self.ready_5.reset.next = self.reset.val();

        // Clock 1: wishes. A hit of a verdict has its scope in bits 18 and 19.
        self.scope_low.next = bits::<21>(0);
        self.scope_high.next = bits::<21>(0);
        if self.valid.val() {
            for i in 0..21 {
                self.scope_low.next = self.scope_low.val().replace_bit(i, self.hits.val().get_bit(i * 23 + 18));
                self.scope_high.next = self.scope_high.val().replace_bit(i, self.hits.val().get_bit(i * 23 + 19));
            }
        }
        self.to_inner.next = self.deep.val();
        if self.due.val().own_tunnel {
            self.to_inner.next = !bits::<21>(0);
        }
        self.to_content.next = self.selected.val() & self.scope_high.val() & !self.scope_low.val();
        self.to_headers.next = self.selected.val() & !self.to_content.val();
        self.to_l4.next = self.to_headers.val() & self.scope_low.val() & !self.scope_high.val();
        self.new_wishes.next.content = self.to_content.val().any();
        self.new_wishes.next.outer = (self.to_headers.val() & !self.to_inner.val()).any();
        self.new_wishes.next.outer_l4 = (self.to_l4.val() & !self.to_inner.val()).any();
        self.new_wishes.next.inner = (self.to_headers.val() & self.to_inner.val()).any();
        self.new_wishes.next.inner_l4 = (self.to_l4.val() & self.to_inner.val()).any();
        self.ready_2.d.next = self.valid.val();
        if self.valid.val() {
            self.due_2.d.next = self.due.val();
            self.wishes_2.d.next = self.new_wishes.val();
        }

        // Clock 2: the cut. A header that does not exist is all zeros.
        self.outer.next = self.due_2.q.val().headers.outer;
        self.inner.next = self.due_2.q.val().headers.inner;
        self.has_inner.next = self.inner.val().l3_offset.any();
        self.outer_wanted.next = self.wishes_2.q.val().outer | (self.wishes_2.q.val().inner & !self.has_inner.val());
        self.outer_l4_wanted.next =
            self.wishes_2.q.val().outer_l4 | (self.wishes_2.q.val().inner_l4 & !self.has_inner.val());
        self.outer_cut.next = bits::<8>(0);
        if !self.outer_wanted.val() {
            self.outer_cut.next = bits::<8>(0);
        } else if !self.outer.val().l3_offset.any() {
            self.outer_cut.next = bits::<8>(14);
        } else if self.outer_l4_wanted.val() {
            self.outer_cut.next = self.outer.val().l4_end;
        } else {
            self.outer_cut.next = self.outer.val().l3_end;
        }
        self.inner_cut.next = bits::<8>(0);
        if self.wishes_2.q.val().inner_l4 {
            self.inner_cut.next = self.inner.val().l4_end;
        } else if self.wishes_2.q.val().inner {
            self.inner_cut.next = self.inner.val().l3_end;
        }
        self.ready_3.d.next = self.ready_2.q.val();
        if self.ready_2.q.val() {
            self.due_3.d.next = self.due_2.q.val();
            self.content_3.d.next = self.wishes_2.q.val().content;
            self.cut_3.d.next = self.outer_cut.val();
            if self.inner_cut.val() > self.outer_cut.val() {
                self.cut_3.d.next = self.inner_cut.val();
            }
        }

        // Clock 3: bytes.
        self.captured.next = self.due_3.q.val().original;
        if !self.content_3.q.val() & (bit_cast::<16, 8>(self.cut_3.q.val()) < self.due_3.q.val().original) {
            self.captured.next = bit_cast::<16, 8>(self.cut_3.q.val());
        }
        self.ready_4.d.next = self.ready_3.q.val();
        if self.ready_3.q.val() {
            self.due_4.d.next = self.due_3.q.val();
            self.captured_4.d.next = self.captured.val();
        }

        // Clock 4: lines. All that is added is small, so that the sums stand side by side.
        self.whole_lines.next = self.captured_4.q.val().get_bits::<8>(6);
        self.broken_line.next = bit_cast::<2, 1>(self.captured_4.q.val().get_bits::<6>(0).any().into());
        self.second_line.next = bit_cast::<2, 1>(self.many.val().into());
        self.lines.next = self.whole_lines.val() + bit_cast::<8, 2>(self.broken_line.val());
        self.new_sized.next.due = self.due_4.q.val();
        self.new_sized.next.captured = self.captured_4.q.val();
        self.new_sized.next.lines = self.lines.val();
        self.new_sized.next.rest = bit_cast::<9, 8>(self.whole_lines.val())
            + bit_cast::<9, 2>(self.broken_line.val() + self.second_line.val());
        self.new_sized.next.room = bit_cast::<9, 8>(self.whole_lines.val())
            + bit_cast::<9, 2>(self.broken_line.val() + self.second_line.val() + bits::<2>(1));
        self.new_sized.next.room_with_gap = bit_cast::<9, 8>(self.whole_lines.val())
            + bit_cast::<9, 3>(bit_cast::<3, 2>(self.broken_line.val() + self.second_line.val()) + bits::<3>(2));
        self.ready_5.d.next = self.ready_4.q.val();
        if self.ready_4.q.val() {
            self.sized_5.d.next = self.new_sized.val();
        }

        self.out_valid.next = self.ready_5.q.val();
        self.sized.next = self.sized_5.q.val();
        self.idle.next = !self.ready_2.q.val() & !self.ready_3.q.val() & !self.ready_4.q.val() & !self.ready_5.q.val();
    }
}
