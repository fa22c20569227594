//! One record that is due for each ring that a frame's hits name.
//!
//! # Theory of operation
//! The frame stays at the queue's output while its rings are taken in rising order, one a clock; `finished` comes with the last. A frame that the
//! MAC flagged is no communication that arrived: it is passed on once, for the sake of the frame store and the counters, whatever rings it names.
//!
//! Everything comes out one clock later. What belongs to the frame and not to the ring moves once a frame only.

use crate::capture::types::{Description, Due};
use crate::lookup::types::Verdict;
use crate::prelude::*;

/// Takes frames apart by rings.
#[derive(LogicBlock, Default)]
pub struct Expander {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Its verdict.
    pub verdict: Signal<In, Verdict>,
    /// Its tunnel is one of the carrier's own.
    pub own_tunnel: Signal<In, Bit>,
    /// The rings that its hits name, at least one.
    pub rings: Signal<In, Bits<4>>,
    /// It is one ring.
    pub single: Signal<In, Bit>,
    /// Its description.
    pub description: Signal<In, Description>,
    /// The frame is not needed any more, whatever the MAC says of it.
    pub finished: Signal<Out, Bit>,
    /// There is a record.
    pub out_valid: Signal<Out, Bit>,
    /// The record.
    pub due: Signal<Out, Due>,
    /// Hits of its frame, 23 bits each.
    pub hits: Signal<Out, Bits<483>>,
    /// Those of them that name the record's ring.
    pub selected: Signal<Out, Bits<21>>,
    done: RegR<Bits<4>>,
    begun: RegR<Bit>,
    one_left: Reg<Bit>,
    ready: RegR<Bit>,
    frame: Reg<Due>,
    frame_hits: Reg<Bits<483>>,
    selection: Reg<Bits<21>>,
    rest: Signal<Local, Bits<4>>,
    pick: Signal<Local, Bits<4>>,
    later: Signal<Local, Bits<4>>,
    is_last: Signal<Local, Bit>,
    valid_hits: Signal<Local, Bits<21>>,
    ring_low: Signal<Local, Bits<21>>,
    ring_high: Signal<Local, Bits<21>>,
    same_low: Signal<Local, Bits<21>>,
    same_high: Signal<Local, Bits<21>>,
    original: Signal<Local, Bits<16>>,
    new_frame: Signal<Local, Due>,
}

impl Logic for Expander {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, done, begun, one_left, ready, frame, frame_hits, selection);
        self.done.reset.next = self.reset.val();
        self.begun.reset.next = self.reset.val();
        self.ready.reset.next = self.reset.val();

        // The lowest ring that is not done. Whether it is the last one is known before its clock.
        self.rest.next = self.rings.val() & !self.done.q.val();
        self.pick.next = bits::<4>(0)
            .replace_bit(0, self.rest.val().get_bit(0))
            .replace_bit(1, self.rest.val().get_bits::<2>(0) == bits::<2>(2))
            .replace_bit(2, self.rest.val().get_bits::<3>(0) == bits::<3>(4))
            .replace_bit(3, self.rest.val() == bits::<4>(8));
        self.later.next = self.rest.val() & !self.pick.val();
        self.one_left.d.next = (self.later.val() == bits::<4>(2))
            | (self.later.val() == bits::<4>(4))
            | (self.later.val() == bits::<4>(8));
        self.finished.next = (self.begun.q.val() & self.one_left.q.val()) | (!self.begun.q.val() & self.single.val());
        self.is_last.next = self.description.val().error | self.finished.val();
        if self.valid.val() {
            self.begun.d.next = !self.is_last.val();
            self.done.d.next = self.done.q.val() | self.pick.val();
            if self.is_last.val() {
                self.done.d.next = bits::<4>(0);
            }
        }

        // Its hits.
        self.valid_hits.next = bits::<21>(0);
        self.ring_low.next = bits::<21>(0);
        self.ring_high.next = bits::<21>(0);
        if self.valid.val() {
            for i in 0..21 {
                self.valid_hits.next = self.valid_hits.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23));
                self.ring_low.next = self.ring_low.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23 + 20));
                self.ring_high.next = self.ring_high.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23 + 21));
            }
        }
        self.same_low.next = self.ring_low.val();
        if self.pick.val().get_bit(0) | self.pick.val().get_bit(2) {
            self.same_low.next = !self.ring_low.val();
        }
        self.same_high.next = self.ring_high.val();
        if self.pick.val().get_bit(0) | self.pick.val().get_bit(1) {
            self.same_high.next = !self.ring_high.val();
        }

        self.original.next = bits::<16>(0);
        if self.description.val().length > bits::<16>(4) {
            self.original.next = self.description.val().length - bits::<16>(4);
        }
        self.new_frame.next.ticket = self.verdict.val().ticket;
        self.new_frame.next.headers = self.verdict.val().headers;
        self.new_frame.next.own_tunnel = self.own_tunnel.val();
        self.new_frame.next.description = self.description.val();
        self.new_frame.next.original = self.original.val();
        self.new_frame.next.ring = self.pick.val();
        self.new_frame.next.first = !self.done.q.val().any();
        self.new_frame.next.last = self.is_last.val();
        self.ready.d.next = self.valid.val();
        if self.valid.val() {
            self.frame.d.next = self.new_frame.val();
            self.selection.d.next = self.valid_hits.val() & self.same_low.val() & self.same_high.val();
        }
        if self.valid.val() & !self.done.q.val().any() {
            self.frame_hits.d.next = self.verdict.val().hits;
        }

        self.out_valid.next = self.ready.q.val();
        self.due.next = self.frame.q.val();
        self.hits.next = self.frame_hits.q.val();
        self.selected.next = self.selection.q.val();
    }
}
