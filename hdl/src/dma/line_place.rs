//! Where a record ring's next line goes.
//!
//! # Theory of operation
//! Lines follow each other from the ring's base on, so the address only ever counts up by one line or starts again. A ring has at most 2^24 lines, so what stands
//! above the low 24 bits is that of the base, or one more: both are ready, and a carry chooses.

use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::RING_LINES_MAX == 1 << 24 && limits::LINE_BYTES == 64, "the kernel writes these out");

/// Address of a ring's next line.
#[derive(LogicBlock, Default)]
pub struct LinePlace {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Address of the ring; does not change while lines are written.
    pub base: Signal<In, Bits<64>>,
    /// The next line is the ring's first one.
    pub restart: Signal<In, Bit>,
    /// The next line is the one behind this one.
    pub step: Signal<In, Bit>,
    /// Where the line goes.
    pub address: Signal<Out, Bits<64>>,
    low: Reg<Bits<24>>,
    crossed: Reg<Bit>,
    ahead_low: Reg<Bits<18>>,
    ahead_high: Reg<Bits<17>>,
    high: Signal<Local, Bits<34>>,
}

impl Logic for LinePlace {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, crossed, ahead_low, ahead_high);
        self.ahead_low.d.next = bit_cast::<18, 17>(self.base.val().get_bits::<17>(30)) + bits::<18>(1);
        self.ahead_high.d.next =
            self.base.val().get_bits::<17>(47) + bit_cast::<17, 1>(self.ahead_low.q.val().get_bits::<1>(17));
        if self.restart.val() {
            self.low.d.next = self.base.val().get_bits::<24>(6);
            self.crossed.d.next = false;
        } else if self.step.val() {
            self.low.d.next = self.low.q.val() + bits::<24>(1);
            self.crossed.d.next = self.crossed.q.val() | self.low.q.val().all();
        }
        self.high.next = self.base.val().get_bits::<34>(30);
        if self.crossed.q.val() {
            self.high.next = bit_cast::<34, 17>(self.ahead_low.q.val().get_bits::<17>(0))
                | (bit_cast::<34, 17>(self.ahead_high.q.val()) << 17);
        }
        self.address.next = bit_cast::<64, 6>(self.base.val().get_bits::<6>(0))
            | (bit_cast::<64, 24>(self.low.q.val()) << 6)
            | (bit_cast::<64, 34>(self.high.val()) << 30);
    }
}
