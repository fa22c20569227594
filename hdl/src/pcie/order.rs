//! Keeps answers to the host behind what the card wrote before.
//!
//! # Theory of operation
//! A host that reads a register may look at its memory next, and expects to find there whatever the card wrote before the register answered. CC and RQ are two streams, and
//! the core's lines pass FIFOs. So an answer waits until every line that was there before it has gone out on RQ: that is so when none is inside, or when more lines have
//! been packed than can be inside. First it waits for lines that are still between the clocks. The hard block and the link keep the order from there on.
//!
//! # Limits
//! An answer is 17 clocks later. While RQ stands still none goes out, until [`StallWatch`](super::StallWatch) ends the session, which lets them go. Reads never hold one up: they are
//! put on RQ only when it takes them at once.

use crate::prelude::*;

/// Lines that can be inside the adapter: 32 between the clocks, 3 in registers, 32 in a FIFO, up to 16 in beats.
const LINES_MAX: usize = 32 + 3 + 32 + 16;
const _: () = assert!(LINES_MAX <= 96, "the kernel waits until 96 were packed");

/// Order of answers and writes.
#[derive(LogicBlock, Default)]
pub struct ReadOrder {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// An answer waits.
    pub asks: Signal<In, Bit>,
    /// Lines may go to the bus.
    pub open: Signal<In, Bit>,
    /// A line waits in front of the packer.
    pub line_waits: Signal<In, Bit>,
    /// Nothing waits behind it.
    pub path_idle: Signal<In, Bit>,
    /// A line was packed.
    pub line_packed: Signal<In, Bit>,
    /// The answer may go; stays until `asks` falls.
    pub may_go: Signal<Out, Bit>,
    timer: Reg<Bits<4>>,
    packed: Reg<Bits<7>>,
    passed: Reg<Bit>,
}

impl Logic for ReadOrder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, timer, packed, passed);
        self.timer.d.next = bits::<4>(0);
        self.packed.d.next = bits::<7>(0);
        self.passed.d.next = false;
        if self.asks.val() {
            self.timer.d.next = self.timer.q.val();
            if !self.timer.q.val().all() {
                self.timer.d.next = self.timer.q.val() + bits::<4>(1);
            }
            self.packed.d.next = self.packed.q.val();
            if self.line_packed.val() & !self.packed.q.val().get_bits::<2>(5).all() {
                self.packed.d.next = self.packed.q.val() + bits::<7>(1);
            }
            self.passed.d.next = self.passed.q.val()
                | !self.open.val()
                | self.packed.q.val().get_bits::<2>(5).all()
                | (self.timer.q.val().all() & !self.line_waits.val() & self.path_idle.val());
        }
        self.may_go.next = self.passed.q.val() & self.asks.val();
    }
}
