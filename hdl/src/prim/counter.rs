//! A wide counter without a long sum.

use super::{Reg, RegR};
use rust_hdl::core::prelude::*;
use rust_hdl::widgets::dff_setup;

/// Counts up to 2^64, and shows the exact count in every clock.
///
/// Only the low 24 bits are added. What follows the present upper bits is computed ahead, in two steps, so that a carry has only to choose it.
/// That takes two clocks, and two carries are never that near: the largest addend needs 256 clocks from one to the next.
#[derive(LogicBlock, Default)]
pub struct WideCounter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets the count to zero.
    pub reset: Signal<In, Bit>,
    /// Count this many.
    pub add: Signal<In, Bits<16>>,
    /// The count.
    pub value: Signal<Out, Bits<64>>,
    low: RegR<Bits<24>>,
    high: RegR<Bits<40>>,
    next_low: Reg<Bits<21>>,
    next_high: Reg<Bits<20>>,
    sum: Signal<Local, Bits<25>>,
}

impl Logic for WideCounter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, high, next_low, next_high);
        self.low.reset.next = self.reset.val();
        self.high.reset.next = self.reset.val();
        self.sum.next = bit_cast::<25, 24>(self.low.q.val()) + bit_cast::<25, 16>(self.add.val());
        self.low.d.next = self.sum.val().get_bits::<24>(0);
        if self.sum.val().get_bit(24) {
            self.high.d.next = bit_cast::<40, 20>(self.next_low.q.val().get_bits::<20>(0))
                | (bit_cast::<40, 20>(self.next_high.q.val()) << 20);
        }
        self.next_low.d.next = bit_cast::<21, 20>(self.high.q.val().get_bits::<20>(0)) + bits::<21>(1);
        self.next_high.d.next =
            self.high.q.val().get_bits::<20>(20) + bit_cast::<20, 1>(self.next_low.q.val().get_bits::<1>(20));
        self.value.next = bit_cast::<64, 24>(self.low.q.val()) | (bit_cast::<64, 40>(self.high.q.val()) << 24);
    }
}
