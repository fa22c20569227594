//! Two writers, one bus.
//!
//! # Theory of operation
//! One register towards the bus. It takes a line when it is empty or its line leaves in this clock, in turn from the writers while both
//! have one. Lines of one writer keep their order.

use super::types::LineWrite;
use crate::prelude::*;

/// Arbiter of DMA writes.
#[derive(LogicBlock, Default)]
pub struct WriteArbiter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// The first writer has a line.
    pub valid_0: Signal<In, Bit>,
    /// The line.
    pub line_0: Signal<In, LineWrite>,
    /// It is taken.
    pub take_0: Signal<Out, Bit>,
    /// The second writer has a line.
    pub valid_1: Signal<In, Bit>,
    /// The line.
    pub line_1: Signal<In, LineWrite>,
    /// It is taken.
    pub take_1: Signal<Out, Bit>,
    /// There is a line for the bus.
    pub valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, LineWrite>,
    /// The bus takes it.
    pub ready: Signal<In, Bit>,
    /// An index line went to the bus in the clock before.
    pub index_sent: Signal<Out, Bit>,
    full: RegR<Bit>,
    held: Reg<LineWrite>,
    first_last: RegR<Bit>,
    sent: RegR<Bit>,
    room: Signal<Local, Bit>,
    grant_0: Signal<Local, Bit>,
    grant_1: Signal<Local, Bit>,
}

impl Logic for WriteArbiter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, full, held, first_last, sent);
        self.full.reset.next = self.reset.val();
        self.first_last.reset.next = self.reset.val();
        self.sent.reset.next = self.reset.val();

        self.room.next = !self.full.q.val() | self.ready.val();
        self.grant_0.next = self.room.val() & self.valid_0.val() & !(self.valid_1.val() & self.first_last.q.val());
        self.grant_1.next = self.room.val() & self.valid_1.val() & !self.grant_0.val();
        self.take_0.next = self.grant_0.val();
        self.take_1.next = self.grant_1.val();
        if self.room.val() {
            self.full.d.next = self.grant_0.val() | self.grant_1.val();
        }
        if self.grant_0.val() {
            self.first_last.d.next = true;
            self.held.d.next = self.line_0.val();
        } else if self.grant_1.val() {
            self.first_last.d.next = false;
            self.held.d.next = self.line_1.val();
        }
        self.valid.next = self.full.q.val();
        self.line.next = self.held.q.val();
        self.sent.d.next = self.full.q.val() & self.ready.val() & self.held.q.val().index;
        self.index_sent.next = self.sent.q.val();
    }
}
