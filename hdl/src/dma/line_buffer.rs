//! Four lines between a writer and the arbiter.
//!
//! # Theory of operation
//! Whether there is room, a line, or a second one stands in registers, so that neither side waits for the other one's decision of the same clock. Four
//! lines are enough for one in and one out in every clock.

use super::types::LineWrite;
use crate::prelude::*;

/// Buffer of one writer.
#[derive(LogicBlock)]
pub struct LineBuffer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Drops all lines.
    pub reset: Signal<In, Bit>,
    /// The writer has a line.
    pub valid: Signal<In, Bit>,
    /// The line.
    pub line: Signal<In, LineWrite>,
    /// A line would be taken.
    pub ready: Signal<Out, Bit>,
    /// There is a line.
    pub some: Signal<Out, Bit>,
    /// There are two or more.
    pub more: Signal<Out, Bit>,
    /// The oldest line.
    pub out_line: Signal<Out, LineWrite>,
    /// It leaves.
    pub take: Signal<In, Bit>,
    lines: LutRam<LineWrite, 2>,
    write_place: RegR<Bits<2>>,
    read_place: RegR<Bits<2>>,
    count: RegR<Bits<3>>,
    open: RegR<Bit>,
    first: RegR<Bit>,
    second: RegR<Bit>,
    comes: Signal<Local, Bit>,
    next_count: Signal<Local, Bits<3>>,
}

impl Default for LineBuffer {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            line: Signal::default(),
            ready: Signal::default(),
            some: Signal::default(),
            more: Signal::default(),
            out_line: Signal::default(),
            take: Signal::default(),
            lines: LutRam::default(),
            write_place: RegR::default(),
            read_place: RegR::default(),
            count: RegR::default(),
            open: RegR::new(true),
            first: RegR::default(),
            second: RegR::default(),
            comes: Signal::default(),
            next_count: Signal::default(),
        }
    }
}

impl Logic for LineBuffer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write_place, read_place, count, open, first, second);
        clock!(self, clock, lines);
        self.write_place.reset.next = self.reset.val();
        self.read_place.reset.next = self.reset.val();
        self.count.reset.next = self.reset.val();
        self.open.reset.next = self.reset.val();
        self.first.reset.next = self.reset.val();
        self.second.reset.next = self.reset.val();

        self.ready.next = self.open.q.val();
        self.some.next = self.first.q.val();
        self.more.next = self.second.q.val();
        self.comes.next = self.valid.val() & self.open.q.val();
        self.lines.write_enable.next = self.comes.val();
        self.lines.write_address.next = self.write_place.q.val();
        self.lines.write_data.next = self.line.val();
        self.lines.read_address.next = self.read_place.q.val();
        self.out_line.next = self.lines.read_data.val();
        if self.comes.val() {
            self.write_place.d.next = self.write_place.q.val() + bits::<2>(1);
        }
        if self.take.val() {
            self.read_place.d.next = self.read_place.q.val() + bits::<2>(1);
        }
        self.next_count.next = self.count.q.val();
        if self.comes.val() & !self.take.val() {
            self.next_count.next = self.count.q.val() + bits::<3>(1);
        } else if !self.comes.val() & self.take.val() {
            self.next_count.next = self.count.q.val() - bits::<3>(1);
        }
        self.count.d.next = self.next_count.val();
        self.open.d.next = !self.next_count.val().get_bit(2);
        self.first.d.next = self.next_count.val().any();
        self.second.d.next = self.next_count.val().get_bits::<2>(1).any();
    }
}
