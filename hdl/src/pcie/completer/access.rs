//! The core's end of register accesses.
//!
//! # Theory of operation
//! One access at a time, in the order in which they came. While the core is being reset (`hold`) none is begun. A read that a reset swallowed fails after 64 clocks, so that
//! every read has an answer.

use crate::pcie::types::{AccessAnswer, AccessRequest};
use crate::prelude::*;

/// Register accesses, on the core's clock.
#[derive(LogicBlock, Default)]
pub struct RegisterAccess {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// The core is being reset.
    pub hold: Signal<In, Bit>,
    /// There is a request.
    pub request_valid: Signal<In, Bit>,
    /// The request.
    pub request: Signal<In, AccessRequest>,
    /// It is taken.
    pub request_take: Signal<Out, Bit>,
    /// There is an answer.
    pub answer_valid: Signal<Out, Bit>,
    /// The answer.
    pub answer: Signal<Out, AccessAnswer>,
    /// It is taken.
    pub answer_ready: Signal<In, Bit>,
    /// Write a register.
    pub mmio_write_valid: Signal<Out, Bit>,
    /// Where.
    pub mmio_write_address: Signal<Out, Bits<12>>,
    /// What.
    pub mmio_write_data: Signal<Out, Bits<32>>,
    /// Read a register.
    pub mmio_read_valid: Signal<Out, Bit>,
    /// Where.
    pub mmio_read_address: Signal<Out, Bits<12>>,
    /// The answer.
    pub mmio_read_data_valid: Signal<In, Bit>,
    /// What stands there.
    pub mmio_read_data: Signal<In, Bits<32>>,
    writes: RegR<Bit>,
    reads: RegR<Bit>,
    waits: RegR<Bit>,
    answers: RegR<Bit>,
    current: Reg<AccessRequest>,
    result: Reg<AccessAnswer>,
    timer: Reg<Bits<6>>,
    head: Signal<Local, AccessRequest>,
    now: Signal<Local, AccessRequest>,
    takes: Signal<Local, Bit>,
}

impl Logic for RegisterAccess {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, writes, reads, waits, answers, current, result, timer);
        self.writes.reset.next = self.reset.val();
        self.reads.reset.next = self.reset.val();
        self.waits.reset.next = self.reset.val();
        self.answers.reset.next = self.reset.val();

        self.head.next = self.request.val();
        self.now.next = self.current.q.val();
        self.takes.next = self.request_valid.val() & !self.waits.q.val() & !self.answers.q.val() & !self.hold.val();
        self.request_take.next = self.takes.val();
        self.writes.d.next = self.takes.val() & self.head.val().write;
        self.reads.d.next = self.takes.val() & !self.head.val().write;
        if self.takes.val() {
            self.current.d.next = self.request.val();
            self.waits.d.next = !self.head.val().write;
        }
        self.mmio_write_valid.next = self.writes.q.val();
        self.mmio_write_address.next = self.now.val().address;
        self.mmio_write_data.next = self.now.val().data;
        self.mmio_read_valid.next = self.reads.q.val();
        self.mmio_read_address.next = self.now.val().address;

        self.timer.d.next = self.timer.q.val() + bits::<6>(1);
        if !self.waits.q.val() {
            self.timer.d.next = bits::<6>(0);
        }
        if self.waits.q.val() & (self.mmio_read_data_valid.val() | self.timer.q.val().all()) {
            self.waits.d.next = false;
            self.answers.d.next = true;
            self.result.d.next.number = self.now.val().number;
            self.result.d.next.failed = !self.mmio_read_data_valid.val();
            self.result.d.next.data = self.mmio_read_data.val();
        }
        if self.answers.q.val() & self.answer_ready.val() {
            self.answers.d.next = false;
        }
        self.answer_valid.next = self.answers.q.val();
        self.answer.next = self.result.q.val();
    }
}
