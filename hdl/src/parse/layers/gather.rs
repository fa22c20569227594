//! Bytes from anywhere in the window.
//!
//! # Theory of operation
//! Headers start at any even byte, which makes some 80 places. Many bytes come out in two clocks: first 16 bytes grain ([`GatherBlock`]), with
//! 14 bytes more than are wanted, then a shift by 0 to 14 bytes in the stage itself. Few bytes are cheaper in one clock
//! ([`GatherWord`]). Both hold their result in a register, so that nothing switches while no frame wants anything.
//!
//! Window bits from 1024 on are reached by another path than those in front of them. That keeps every variable offset inside the window, for
//! which simulators have a quick way.

use crate::prelude::*;

/// `W` bits from a place that is a multiple of 16 bytes. Anything from byte 176 of the window on.
#[derive(LogicBlock, Default)]
pub struct GatherBlock<const N: usize, const W: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Gather at this clock.
    pub enable: Signal<In, Bit>,
    /// Where from.
    pub window: Signal<In, Bits<N>>,
    /// Place in the window, in units of two bytes; the lower three bits are left to the next clock.
    pub at: Signal<In, Bits<7>>,
    /// The bits.
    pub block: Signal<Out, Bits<W>>,
    register: Reg<Bits<W>>,
    place: Signal<Local, Bits<10>>,
    tail: Signal<Local, Bits<528>>,
}

impl<const N: usize, const W: usize> Logic for GatherBlock<N, W> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, register);
        self.place.next = bit_cast::<10, 3>(self.at.val().get_bits::<3>(3)) << 7;
        self.tail.next = self.window.val().get_bits::<528>(1024);
        if self.enable.val() {
            if !self.at.val().get_bit(6) {
                self.register.d.next = self.window.val().get_bits::<W>(self.place.val().index());
            } else if self.at.val().get_bit(4) {
                self.register.d.next = self.tail.val().get_bits::<W>(256);
            } else if !self.at.val().get_bit(3) {
                self.register.d.next = self.tail.val().get_bits::<W>(0);
            } else {
                self.register.d.next = self.tail.val().get_bits::<W>(128);
            }
        }
        self.block.next = self.register.q.val();
    }
}

/// Four bytes from any even place. Anything from byte 192 of the window on.
#[derive(LogicBlock, Default)]
pub struct GatherWord<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Gather at this clock.
    pub enable: Signal<In, Bit>,
    /// Where from.
    pub window: Signal<In, Bits<N>>,
    /// Place in the window, in units of two bytes.
    pub at: Signal<In, Bits<7>>,
    /// The bytes.
    pub word: Signal<Out, Bits<32>>,
    register: Reg<Bits<32>>,
    place: Signal<Local, Bits<10>>,
    tail: Signal<Local, Bits<528>>,
    tail_place: Signal<Local, Bits<9>>,
}

impl<const N: usize> Logic for GatherWord<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, register);
        self.place.next = bit_cast::<10, 6>(self.at.val().get_bits::<6>(0)) << 4;
        self.tail.next = self.window.val().get_bits::<528>(1024);
        self.tail_place.next = bit_cast::<9, 5>(self.at.val().get_bits::<5>(0)) << 4;
        if self.enable.val() {
            if !self.at.val().get_bit(6) {
                self.register.d.next = self.window.val().get_bits::<32>(self.place.val().index());
            } else {
                self.register.d.next = self.tail.val().get_bits::<32>(self.tail_place.val().index());
            }
        }
        self.word.next = self.register.q.val();
    }
}
