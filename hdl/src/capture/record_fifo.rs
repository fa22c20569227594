//! Records on their way to the bus: headers in one FIFO, payloads in another.
//!
//! # Theory of operation
//! A header can only be written when its payload has passed, and has to be read before it. With a FIFO for each that needs no
//! addresses: the payload is complete when its header shows. Both have the depth of the whole, and room is given away by the decider,
//! so neither is ever written while full.

use crate::prelude::*;

/// Record FIFO of 512 lines.
#[derive(LogicBlock, Default)]
pub struct RecordFifo {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// `line` is a header line or a gap record.
    pub write_header: Signal<In, Bit>,
    /// `line` is a line of payload.
    pub write_payload: Signal<In, Bit>,
    /// The line.
    pub line: Signal<In, Bits<512>>,
    /// There is a record.
    pub header_valid: Signal<Out, Bit>,
    /// Its header line.
    pub header: Signal<Out, Bits<512>>,
    /// Take the header line.
    pub take_header: Signal<In, Bit>,
    /// The oldest line of payload.
    pub payload: Signal<Out, Bits<512>>,
    /// There is one.
    pub payload_valid: Signal<Out, Bit>,
    /// Take it.
    pub take_payload: Signal<In, Bit>,
    /// A line has left.
    pub line_freed: Signal<Out, Bit>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    headers: Fifo<Bits<512>, 9, 10>,
    payloads: Fifo<Bits<512>, 9, 10>,
}

impl Logic for RecordFifo {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, headers, payloads);
        self.headers.reset.next = self.reset.val();
        self.payloads.reset.next = self.reset.val();
        self.headers.write.next = self.write_header.val();
        self.headers.data_in.next = self.line.val();
        self.headers.read.next = self.take_header.val();
        self.payloads.write.next = self.write_payload.val();
        self.payloads.data_in.next = self.line.val();
        self.payloads.read.next = self.take_payload.val();
        self.header_valid.next = self.headers.valid.val();
        self.header.next = self.headers.data_out.val();
        self.payload_valid.next = self.payloads.valid.val();
        self.payload.next = self.payloads.data_out.val();
        self.line_freed.next =
            (self.take_header.val() & self.headers.valid.val()) | (self.take_payload.val() & self.payloads.valid.val());
        self.idle.next = !self.headers.count.val().any() & !self.payloads.count.val().any();
    }
}
