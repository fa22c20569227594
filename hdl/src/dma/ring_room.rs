//! Lines that a record ring has free.
//!
//! # Theory of operation
//! What is free follows from both indices in four clocks, one sum each. Meanwhile every record that starts takes its lines from what was known before, so
//! `free` is never more than there is. It stops at 2047, many times the longest record. A ring whose size is none that the ABI allows, or whose consumer index
//! is one that the producer has not reached, has nothing free.

use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::RING_LINES_MIN == 1 << 8 && limits::RING_LINES_MAX == 1 << 24);

/// Free lines of a record ring.
#[derive(LogicBlock, Default)]
pub struct RingRoom {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Lines of the ring, a power of two.
    pub ring_lines: Signal<In, Bits<32>>,
    /// Lines that the host has released.
    pub consumer: Signal<In, Bits<32>>,
    /// Lines that are written.
    pub producer: Signal<In, Bits<32>>,
    /// The producer moves by `lines`.
    pub spend: Signal<In, Bit>,
    /// How many.
    pub lines: Signal<In, Bits<9>>,
    /// The producer goes elsewhere: nothing is free until that is known.
    pub clear: Signal<In, Bit>,
    /// Lines that are free, or 2047.
    pub free: Signal<Out, Bits<11>>,
    /// `free`, and what was found out from it in the clock before, has all to do with where the producer is.
    pub certain: Signal<Out, Bit>,
    /// Bits of an index that are a place in the ring.
    pub mask: Signal<Out, Bits<32>>,
    size_mask: Reg<Bits<32>>,
    power: Reg<Bit>,
    in_range: Reg<Bit>,
    used: Reg<Bits<32>>,
    over: Reg<Bit>,
    rest: Reg<Bits<26>>,
    offered: Reg<Bits<11>>,
    known: Reg<Bits<5>>,
    left: Reg<Bits<11>>,
}

impl Logic for RingRoom {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, size_mask, power, in_range, used, over, rest, offered, known, left);

        // Size.
        self.size_mask.d.next = self.ring_lines.val() - bits::<32>(1);
        self.power.d.next = !(self.ring_lines.val() & self.size_mask.q.val()).any();
        self.in_range.d.next = self.ring_lines.val().get_bits::<17>(8).any()
            & !self.ring_lines.val().get_bits::<8>(0).any()
            & !self.ring_lines.val().get_bits::<7>(25).any();
        self.mask.next = self.size_mask.q.val();

        // One sum a clock. A consumer that is too far makes `used` more than the ring has.
        self.used.d.next = self.producer.val() - self.consumer.val();
        self.over.d.next = self.used.q.val().get_bits::<7>(25).any();
        self.rest.d.next = bit_cast::<26, 25>(self.ring_lines.val().get_bits::<25>(0))
            - bit_cast::<26, 25>(self.used.q.val().get_bits::<25>(0));
        self.offered.d.next = self.rest.q.val().get_bits::<11>(0);
        if self.rest.q.val().get_bits::<14>(11).any() {
            self.offered.d.next = bits::<11>(2047);
        }
        if self.rest.q.val().get_bit(25) | self.over.q.val() | !self.power.q.val() | !self.in_range.q.val() {
            self.offered.d.next = bits::<11>(0);
        }

        // Three clocks behind a move the sums know of it.
        self.known.d.next = (self.known.q.val() << 1) | bits::<5>(1);
        if self.spend.val() | self.clear.val() {
            self.known.d.next = bits::<5>(0);
        }
        if self.clear.val() {
            self.left.d.next = bits::<11>(0);
        } else if self.spend.val() {
            self.left.d.next = self.left.q.val() - bit_cast::<11, 9>(self.lines.val());
        } else if self.known.q.val().get_bit(2) {
            self.left.d.next = self.offered.q.val();
        }
        self.free.next = self.left.q.val();
        self.certain.next = self.known.q.val().get_bit(4);
    }
}
