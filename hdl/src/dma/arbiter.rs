//! All writers, one bus.
//!
//! # Theory of operation
//! One register towards the bus. It takes a line when it is empty or its line leaves in this clock. A writer keeps the bus for up to eight lines, 512
//! bytes, while it has one in every clock, so that what goes to neighbouring addresses stays together; then the next one in a circle has its turn, if it has a line.
//! Lines of one writer keep their order, so an index line stays behind the data that it announces.
//!
//! # Limits
//! A writer waits for at most 32 lines of the others.

use super::types::LineWrite;
use crate::prelude::*;
use writ_abi::limits;

/// Writers: one for each record ring, then the completion ring's.
pub const WRITERS: usize = limits::RECORD_RINGS + 1;
const _: () = assert!(WRITERS == 5, "the kernel writes this out");

/// Arbiter of DMA writes.
#[derive(LogicBlock, Default)]
pub struct WriteArbiter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A writer has a line.
    pub valid: [Signal<In, Bit>; WRITERS],
    /// The line.
    pub line: [Signal<In, LineWrite>; WRITERS],
    /// It is taken.
    pub take: [Signal<Out, Bit>; WRITERS],
    /// There is a line for the bus.
    pub out_valid: Signal<Out, Bit>,
    /// The line.
    pub out_line: Signal<Out, LineWrite>,
    /// The bus takes it.
    pub ready: Signal<In, Bit>,
    /// An index line went to the bus in the clock before.
    pub index_sent: Signal<Out, Bit>,
    full: RegR<Bit>,
    held: Reg<LineWrite>,
    last: RegR<Bits<5>>,
    burst: RegR<Bits<3>>,
    sent: RegR<Bit>,
    room: Signal<Local, Bit>,
    wanted: Signal<Local, Bits<5>>,
    behind: Signal<Local, Bits<5>>,
    circle: Signal<Local, Bits<5>>,
    grant: Signal<Local, Bits<5>>,
    goes_on: Signal<Local, Bit>,
}

impl Logic for WriteArbiter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, full, held, last, burst, sent);
        self.full.reset.next = self.reset.val();
        self.last.reset.next = self.reset.val();
        self.burst.reset.next = self.reset.val();
        self.sent.reset.next = self.reset.val();

        // `last` has the bit of the writer that was last, or none; `behind` those of the writers behind it.
        self.room.next = !self.full.q.val() | self.ready.val();
        self.wanted.next = bits::<5>(0);
        for i in 0..5 {
            self.wanted.next = self.wanted.val().replace_bit(i, self.valid[i].val());
        }
        self.goes_on.next = (self.wanted.val() & self.last.q.val()).any() & !self.burst.q.val().all();
        self.behind.next = !(self.last.q.val() | (self.last.q.val() - bits::<5>(1)));
        if !self.last.q.val().any() {
            self.behind.next = !bits::<5>(0);
        }
        self.circle.next = self.wanted.val() & self.behind.val();
        if !self.circle.val().any() {
            self.circle.next = self.wanted.val();
        }
        self.grant.next = bits::<5>(0);
        if self.room.val() {
            self.grant.next = self.circle.val() & (!self.circle.val() + bits::<5>(1));
            if self.goes_on.val() {
                self.grant.next = self.last.q.val();
            }
            self.full.d.next = self.wanted.val().any();
        }
        for i in 0..5 {
            self.take[i].next = self.grant.val().get_bit(i);
            if self.grant.val().get_bit(i) {
                self.held.d.next = self.line[i].val();
            }
        }
        if self.grant.val().any() {
            self.last.d.next = self.grant.val();
            self.burst.d.next = bits::<3>(0);
            if self.goes_on.val() {
                self.burst.d.next = self.burst.q.val() + bits::<3>(1);
            }
        }

        self.out_valid.next = self.full.q.val();
        self.out_line.next = self.held.q.val();
        self.sent.d.next = self.full.q.val() & self.ready.val() & self.held.q.val().index;
        self.index_sent.next = self.sent.q.val();
    }
}
