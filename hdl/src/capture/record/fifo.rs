//! Records of one ring on their way to the bus: first lines in one FIFO, what follows them in another.
//!
//! # Theory of operation
//! A record's first line can only be written when the rest has passed, and has to be read before it. With a FIFO for each that needs no
//! addresses: the rest of a record is complete when its first line shows. Both have the depth of the whole, and room is given away by the decider,
//! so neither is ever written while full.
//!
//! A first line is read ahead, in the same clock perhaps as a line of the record before: two lines leave, and the second one is told one clock later.

use crate::prelude::*;

/// Record FIFO of 512 lines.
#[derive(LogicBlock, Default)]
pub struct RecordFifo {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// `line` is the first line of a record.
    pub write_header: Signal<In, Bit>,
    /// `line` is another line of a record.
    pub write_rest: Signal<In, Bit>,
    /// The line.
    pub line: Signal<In, Bits<512>>,
    /// There is a record.
    pub header_valid: Signal<Out, Bit>,
    /// Its first line.
    pub header: Signal<Out, Bits<512>>,
    /// Take the first line.
    pub take_header: Signal<In, Bit>,
    /// The oldest line behind a first line.
    pub rest: Signal<Out, Bits<512>>,
    /// There is one.
    pub rest_valid: Signal<Out, Bit>,
    /// Take it.
    pub take_rest: Signal<In, Bit>,
    /// A line has left, now or in a clock in which another one left too.
    pub line_freed: Signal<Out, Bit>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    headers: Fifo<Bits<512>, 9, 10>,
    rests: Fifo<Bits<512>, 9, 10>,
    owed: RegR<Bits<2>>,
    header_leaves: Signal<Local, Bit>,
    rest_leaves: Signal<Local, Bit>,
}

impl Logic for RecordFifo {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, owed);
        clock!(self, clock, headers, rests);
        self.owed.reset.next = self.reset.val();
        self.headers.reset.next = self.reset.val();
        self.rests.reset.next = self.reset.val();
        self.headers.write.next = self.write_header.val();
        self.headers.data_in.next = self.line.val();
        self.headers.read.next = self.take_header.val();
        self.rests.write.next = self.write_rest.val();
        self.rests.data_in.next = self.line.val();
        self.rests.read.next = self.take_rest.val();
        self.header_valid.next = self.headers.valid.val();
        self.header.next = self.headers.data_out.val();
        self.rest_valid.next = self.rests.valid.val();
        self.rest.next = self.rests.data_out.val();
        self.header_leaves.next = self.take_header.val() & self.headers.valid.val();
        self.rest_leaves.next = self.take_rest.val() & self.rests.valid.val();
        self.line_freed.next = self.header_leaves.val() | self.rest_leaves.val() | self.owed.q.val().any();
        if self.header_leaves.val() & self.rest_leaves.val() {
            self.owed.d.next = self.owed.q.val() + bits::<2>(1);
        } else if !self.header_leaves.val() & !self.rest_leaves.val() & self.owed.q.val().any() {
            self.owed.d.next = self.owed.q.val() - bits::<2>(1);
        }
        self.idle.next = !self.headers.count.val().any() & !self.rests.count.val().any();
    }
}
