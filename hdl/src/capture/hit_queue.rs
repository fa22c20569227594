//! Verdicts with hits wait here until their frame has ended.
//!
//! # Theory of operation
//! Each port's looked-up frames are numbered as their verdicts come, the same way its frame store numbers the descriptions it writes, because
//! both see the port's frames in order and leave out those whose window was dropped. The oldest entry leaves when its description exists; the
//! description is read on the way. It stays at the output until `finished`: a frame whose hits name several rings is looked at once for each.
//!
//! An entry waits for the rest of its own frame (a frame of 9668 bytes lasts 152 clocks, and as many times that as the wire's beats are narrower) and for the frames in front of it, one clock for each ring
//! that they name. `stall` guards against traffic of which more than one ring a clock is due, and against frames that do not end: it stops the
//! merger, so that what follows is counted as dropped before lookup instead of being lost here, and before the store runs out of
//! descriptions.
//!
//! # Limits
//! One frame a clock. Behind a stall there is room for the 128 frames that parser and lookup may hold.

use super::types::{Description, Pending};
use crate::lookup::types::Verdict;
use crate::prelude::*;

/// Queue of verdicts with hits.
#[derive(LogicBlock, Default)]
pub struct HitQueue {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A frame has its verdict.
    pub done: Signal<In, Bit>,
    /// With `done`: it has hits.
    pub hit: Signal<In, Bit>,
    /// With `done`: the frame.
    pub verdict: Signal<In, Verdict>,
    /// With `done`: its tunnel is one of the carrier's own.
    pub own_tunnel: Signal<In, Bit>,
    /// First frame of port A without a description.
    pub described_a: Signal<In, Bits<10>>,
    /// First frame of port B without a description.
    pub described_b: Signal<In, Bits<10>>,
    /// Read a description of port A.
    pub describe_a: Signal<Out, Bit>,
    /// Read a description of port B.
    pub describe_b: Signal<Out, Bit>,
    /// Which.
    pub describe_number: Signal<Out, Bits<10>>,
    /// Description of port A, one clock later, until the next is read.
    pub description_a: Signal<In, Description>,
    /// Description of port B, one clock later, until the next is read.
    pub description_b: Signal<In, Description>,
    /// A verdict whose frame has ended.
    pub valid: Signal<Out, Bit>,
    /// The verdict.
    pub out_verdict: Signal<Out, Verdict>,
    /// The frame's tunnel is one of the carrier's own.
    pub out_own_tunnel: Signal<Out, Bit>,
    /// The rings that its hits name.
    pub rings: Signal<Out, Bits<4>>,
    /// It is one ring.
    pub single: Signal<Out, Bit>,
    /// The frame's description.
    pub description: Signal<Out, Description>,
    /// The verdict at the output is not needed any more. One whose frame the MAC flagged leaves after one clock anyhow.
    pub finished: Signal<In, Bit>,
    /// Clocks that the oldest entry may wait for the end of its frame.
    pub patience: Signal<In, Bits<11>>,
    /// Let no frame into the parser.
    pub stall: Signal<Out, Bit>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    queue: Fifo<Pending, 9, 10>,
    number_a: RegR<Bits<10>>,
    number_b: RegR<Bits<10>>,
    waited: RegR<Bits<11>>,
    stalled: RegR<Bit>,
    leaving: RegR<Bit>,
    left: Reg<Verdict>,
    left_own: Reg<Bit>,
    left_rings: Reg<Bits<4>>,
    left_single: Reg<Bit>,
    is_b: Signal<Local, Bit>,
    valid_hits: Signal<Local, Bits<21>>,
    ring_low: Signal<Local, Bits<21>>,
    ring_high: Signal<Local, Bits<21>>,
    named: Signal<Local, Bits<4>>,
    newcomer: Signal<Local, Pending>,
    oldest: Signal<Local, Pending>,
    oldest_verdict: Signal<Local, Verdict>,
    oldest_is_b: Signal<Local, Bit>,
    left_verdict: Signal<Local, Verdict>,
    ended: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    shown: Signal<Local, Description>,
    leaves: Signal<Local, Bit>,
}

impl Logic for HitQueue {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, number_a, number_b, waited, stalled, leaving, left, left_own, left_rings, left_single);
        clock!(self, clock, queue);
        self.queue.reset.next = self.reset.val();
        self.number_a.reset.next = self.reset.val();
        self.number_b.reset.next = self.reset.val();
        self.waited.reset.next = self.reset.val();
        self.stalled.reset.next = self.reset.val();
        self.leaving.reset.next = self.reset.val();

        // In. A hit is 23 bits: valid, index, scope, ring from bit 20.
        self.is_b.next = self.verdict.val().ticket.port;
        self.valid_hits.next = bits::<21>(0);
        self.ring_low.next = bits::<21>(0);
        self.ring_high.next = bits::<21>(0);
        if self.done.val() & self.hit.val() {
            for i in 0..21 {
                self.valid_hits.next = self.valid_hits.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23));
                self.ring_low.next = self.ring_low.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23 + 20));
                self.ring_high.next = self.ring_high.val().replace_bit(i, self.verdict.val().hits.get_bit(i * 23 + 21));
            }
        }
        self.named.next = bits::<4>(0)
            .replace_bit(0, (self.valid_hits.val() & !self.ring_high.val() & !self.ring_low.val()).any())
            .replace_bit(1, (self.valid_hits.val() & !self.ring_high.val() & self.ring_low.val()).any())
            .replace_bit(2, (self.valid_hits.val() & self.ring_high.val() & !self.ring_low.val()).any())
            .replace_bit(3, (self.valid_hits.val() & self.ring_high.val() & self.ring_low.val()).any());
        self.newcomer.next.verdict = self.verdict.val();
        self.newcomer.next.own_tunnel = self.own_tunnel.val();
        self.newcomer.next.rings = self.named.val();
        self.newcomer.next.number = self.number_a.q.val();
        if self.is_b.val() {
            self.newcomer.next.number = self.number_b.q.val();
        }
        if self.done.val() {
            if self.is_b.val() {
                self.number_b.d.next = self.number_b.q.val() + bits::<10>(1);
            } else {
                self.number_a.d.next = self.number_a.q.val() + bits::<10>(1);
            }
        }
        self.queue.write.next = self.done.val() & self.hit.val();
        self.queue.data_in.next = self.newcomer.val();

        // Out.
        self.oldest.next = self.queue.data_out.val();
        self.oldest_verdict.next = self.oldest.val().verdict;
        self.oldest_is_b.next = self.oldest_verdict.val().ticket.port;
        self.ended.next = self.oldest.val().number != self.described_a.val();
        if self.oldest_is_b.val() {
            self.ended.next = self.oldest.val().number != self.described_b.val();
        }
        self.left_verdict.next = self.left.q.val();
        self.shown.next = self.description_a.val();
        if self.left_verdict.val().ticket.port {
            self.shown.next = self.description_b.val();
        }
        self.leaves.next = self.finished.val() | self.shown.val().error;
        self.take.next = self.queue.valid.val() & self.ended.val() & (!self.leaving.q.val() | self.leaves.val());
        self.queue.read.next = self.take.val();
        self.describe_a.next = self.take.val() & !self.oldest_is_b.val();
        self.describe_b.next = self.take.val() & self.oldest_is_b.val();
        self.describe_number.next = self.oldest.val().number;
        if self.take.val() {
            self.leaving.d.next = true;
            self.left.d.next = self.oldest_verdict.val();
            self.left_own.d.next = self.oldest.val().own_tunnel;
            self.left_rings.d.next = self.oldest.val().rings;
            self.left_single.d.next = (self.oldest.val().rings == bits::<4>(1))
                | (self.oldest.val().rings == bits::<4>(2))
                | (self.oldest.val().rings == bits::<4>(4))
                | (self.oldest.val().rings == bits::<4>(8));
        } else if self.leaves.val() {
            self.leaving.d.next = false;
        }
        self.valid.next = self.leaving.q.val();
        self.out_verdict.next = self.left.q.val();
        self.out_own_tunnel.next = self.left_own.q.val();
        self.rings.next = self.left_rings.q.val();
        self.single.next = self.left_single.q.val();
        self.description.next = self.shown.val();

        // Guard.
        self.waited.d.next = bits::<11>(0);
        if self.queue.valid.val() & !self.ended.val() {
            self.waited.d.next = self.waited.q.val();
            if !self.waited.q.val().all() {
                self.waited.d.next = self.waited.q.val() + bits::<11>(1);
            }
        }
        self.stalled.d.next =
            (self.waited.q.val() >= self.patience.val()) | (self.queue.count.val() >= bits::<10>(384));
        self.stall.next = self.stalled.q.val();
        self.idle.next = !self.queue.count.val().any() & !self.leaving.q.val();
    }
}
