//! The core's end of [`Session`](super::Session): resets the core when the session is over.
//!
//! # Theory of operation
//! The wish comes as a level, is answered with a level when the reset has been held for 32 clocks and the FIFOs between the clocks are open again, and goes away
//! when it has seen the answer.

use crate::prelude::*;

/// Reset of everything on the core's clock but the wires.
#[derive(LogicBlock, Default)]
pub struct CoreReset {
    /// Clock of the core.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// A reset is wanted, from a register of the hard block's clock.
    pub wanted: Signal<In, Bit>,
    /// The FIFOs to the hard block's clock are open.
    pub fifos_open: Signal<In, Bit>,
    /// Reset, the one at power-up included.
    pub core_reset: Signal<Out, Bit>,
    /// It is over, from a register.
    pub done: Signal<Out, Bit>,
    wanted_seen: Synchronizer<Bit>,
    holds: RegR<Bit>,
    timer: Reg<Bits<6>>,
    over: RegR<Bit>,
}

impl Logic for CoreReset {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, holds, timer, over);
        clock!(self, clock, wanted_seen);
        self.holds.reset.next = self.reset.val();
        self.over.reset.next = self.reset.val();
        self.wanted_seen.d.next = self.wanted.val();

        self.timer.d.next = bits::<6>(0);
        if self.wanted_seen.q.val() & !self.over.q.val() {
            // 32 clocks of reset, then until the FIFOs have followed.
            self.timer.d.next = self.timer.q.val();
            if !self.timer.q.val().all() {
                self.timer.d.next = self.timer.q.val() + bits::<6>(1);
            }
            if self.timer.q.val().all() & self.fifos_open.val() {
                self.over.d.next = true;
            }
        }
        if !self.wanted_seen.q.val() {
            self.over.d.next = false;
        }
        self.holds.d.next = self.wanted_seen.q.val() & !self.over.q.val() & !self.timer.q.val().get_bit(5);
        self.core_reset.next = self.reset.val() | self.holds.q.val();
        self.done.next = self.over.q.val();
    }
}
