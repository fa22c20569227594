//! Notices when RQ stands still.
//!
//! # Theory of operation
//! Two clocks run: how long RQ has had a beat and has not taken it, and how long an answer to the host has waited for what the card wrote before it. Either ends the session
//! after `RQ_PATIENCE` and one more units of 256 clocks: a hard block that takes nothing, or a host that gives no credit for writes, holds up answers for no longer, and a
//! host that takes lines one by one, ever so slowly, does not either.

use crate::prelude::*;
use writ_abi::pci::adapter;

const _: () = assert!(adapter::RQ_PATIENCE_CLOCKS == 256, "the kernel writes this out");

/// Watches RQ.
#[derive(LogicBlock, Default)]
pub struct StallWatch {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Requests may go out.
    pub open: Signal<In, Bit>,
    /// RQ has a beat and did not take it.
    pub rq_waits: Signal<In, Bit>,
    /// An answer waits for lines.
    pub answer_waits: Signal<In, Bit>,
    /// `RQ_PATIENCE`.
    pub patience: Signal<In, Bits<16>>,
    /// It has lasted too long.
    pub stuck: Signal<Out, Bit>,
    /// In its first clock.
    pub noticed: Signal<Out, Bit>,
    /// RQ itself stands still, for as long as it does.
    pub standing: Signal<Out, Bit>,
    rq_timer: Reg<Bits<24>>,
    answer_timer: Reg<Bits<24>>,
    rq_late: Reg<Bit>,
    answer_late: Reg<Bit>,
    told: Reg<Bit>,
    late: Signal<Local, Bit>,
}

impl Logic for StallWatch {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, rq_timer, answer_timer, rq_late, answer_late, told);
        self.rq_timer.d.next = bits::<24>(0);
        self.rq_late.d.next = false;
        if self.rq_waits.val() {
            self.rq_timer.d.next = self.rq_timer.q.val() + bits::<24>(1);
            self.rq_late.d.next = self.rq_late.q.val()
                | (self.rq_timer.q.val().get_bits::<8>(0).all()
                    & (self.rq_timer.q.val().get_bits::<16>(8) >= self.patience.val()));
        }
        self.answer_timer.d.next = bits::<24>(0);
        self.answer_late.d.next = false;
        if self.answer_waits.val() {
            self.answer_timer.d.next = self.answer_timer.q.val() + bits::<24>(1);
            self.answer_late.d.next = self.answer_late.q.val()
                | (self.answer_timer.q.val().get_bits::<8>(0).all()
                    & (self.answer_timer.q.val().get_bits::<16>(8) >= self.patience.val()));
        }
        self.late.next = self.open.val() & (self.rq_late.q.val() | self.answer_late.q.val());
        self.told.d.next = self.late.val();
        self.stuck.next = self.late.val();
        self.noticed.next = self.late.val() & !self.told.q.val();
        self.standing.next = self.rq_late.q.val();
    }
}
