//! Records of one ring on their way to the bus: first lines in one FIFO, what follows them in another.
//!
//! # Theory of operation
//! A record's first line can only be written when the rest has passed, and has to be read before it. With a FIFO for each that needs no
//! addresses: the rest of a record is complete when its first line shows. Both have the depth of the whole, and room is given away by the decider,
//! so neither is ever written while full.

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
    /// A line has left.
    pub line_freed: Signal<Out, Bit>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    headers: Fifo<Bits<512>, 9, 10>,
    rests: Fifo<Bits<512>, 9, 10>,
}

impl Logic for RecordFifo {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, headers, rests);
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
        self.line_freed.next =
            (self.take_header.val() & self.headers.valid.val()) | (self.take_rest.val() & self.rests.valid.val());
        self.idle.next = !self.headers.count.val().any() & !self.rests.count.val().any();
    }
}
