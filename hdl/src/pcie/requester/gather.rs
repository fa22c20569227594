//! Lines into TLPs, and all TLPs into one row.
//!
//! # Theory of operation
//! Lines at neighbouring addresses join into one write, up to the maximum payload size and never over a boundary of 4 KiB. A write is closed when the
//! next line does not join, when it is full, behind an index line, or when the packer has nothing else to do and no line is there: so writes are
//! short and early while the bus is idle, and as long as they may be while it is busy. Lines wait in a FIFO; a closed write goes into a queue.
//!
//! Reads and interrupt messages take their place in the same queue. A message is asked for when the index write before it is in the queue
//! (`index_queued`), so it cannot overtake it. A read or a message waits for one write at most.
//!
//! While `open` is low lines are thrown away, one a clock.
//!
//! # Limits
//! Payload sizes above 512 bytes are taken for 512.

use crate::pcie::types::{BusLine, Tlp};
use crate::prelude::*;

/// Gathers lines into writes.
#[derive(LogicBlock, Default)]
pub struct Gather {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Empties queue and FIFO. Lines that come meanwhile are thrown away and counted as ever.
    pub reset: Signal<In, Bit>,
    /// Lines, reads and messages may go to the bus.
    pub open: Signal<In, Bit>,
    /// `cfg_max_payload`: 0, 1, 2 for 128, 256, 512 bytes.
    pub max_payload: Signal<In, Bits<2>>,
    /// There is a line.
    pub line_valid: Signal<In, Bit>,
    /// The line.
    pub line: Signal<In, BusLine>,
    /// It is taken.
    pub line_take: Signal<Out, Bit>,
    /// There is a read.
    pub read_valid: Signal<In, Bit>,
    /// Of which line.
    pub read_address: Signal<In, Bits<64>>,
    /// It is taken.
    pub read_take: Signal<Out, Bit>,
    /// There is an interrupt message.
    pub message_valid: Signal<In, Bit>,
    /// Where it goes.
    pub message_address: Signal<In, Bits<64>>,
    /// What it says.
    pub message_data: Signal<In, Bits<32>>,
    /// It is taken.
    pub message_take: Signal<Out, Bit>,
    /// The packer will soon have nothing to do.
    pub hungry: Signal<In, Bit>,
    /// There is a TLP.
    pub tlp_valid: Signal<Out, Bit>,
    /// The TLP.
    pub tlp: Signal<Out, Tlp>,
    /// It is taken.
    pub take_tlp: Signal<In, Bit>,
    /// The oldest line.
    pub data: Signal<Out, Bits<512>>,
    /// It is taken.
    pub take_data: Signal<In, Bit>,
    /// A write that ends with an index line is in the queue.
    pub index_queued: Signal<Out, Bit>,
    /// Its interrupt vector.
    pub index_vector: Signal<Out, Bits<3>>,
    /// A line was thrown away.
    pub dropped: Signal<Out, Bit>,
    /// A line is here.
    pub busy: Signal<Out, Bit>,
    /// Lines in the FIFO.
    pub waiting: Signal<Out, Bits<6>>,
    queue: Fifo<Tlp, 4, 5>,
    lines: Fifo<Bits<512>, 5, 6>,
    held: Reg<BusLine>,
    holds: Reg<Bit>,
    joins: Reg<Bit>,
    expected: Reg<Bits<58>>,
    count: RegR<Bits<4>>,
    sealed: RegR<Bit>,
    vector: Reg<Bits<3>>,
    start: Reg<Bits<64>>,
    limit: Reg<Bits<4>>,
    turn: RegR<Bit>,
    queued: RegR<Bit>,
    queued_vector: Reg<Bits<3>>,
    lost: Reg<Bit>,
    incoming: Signal<Local, BusLine>,
    present: Signal<Local, BusLine>,
    full: Signal<Local, Bit>,
    others: Signal<Local, Bit>,
    fits: Signal<Local, Bit>,
    due: Signal<Local, Bit>,
    closes: Signal<Local, Bit>,
    takes: Signal<Local, Bit>,
    moves: Signal<Local, Bit>,
    serves: Signal<Local, Bit>,
    entry: Signal<Local, Tlp>,
}

impl Logic for Gather {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, holds, joins, expected, count, sealed, vector, start, limit, turn, lost);
        dff_setup!(self, clock, queued, queued_vector);
        clock!(self, clock, queue, lines);
        self.queue.reset.next = self.reset.val();
        self.lines.reset.next = self.reset.val();
        self.count.reset.next = self.reset.val();
        self.sealed.reset.next = self.reset.val();
        self.turn.reset.next = self.reset.val();
        self.queued.reset.next = self.reset.val();

        // The write that is being gathered, and the line behind it.
        self.present.next = self.held.q.val();
        self.limit.d.next = bits::<4>(8);
        if self.max_payload.val() == bits::<2>(0) {
            self.limit.d.next = bits::<4>(2);
        }
        if self.max_payload.val() == bits::<2>(1) {
            self.limit.d.next = bits::<4>(4);
        }
        self.full.next = self.count.q.val() >= self.limit.q.val();
        self.fits.next = self.joins.q.val() & !self.full.val() & !self.sealed.q.val();
        self.due.next = self.count.q.val().any()
            & (self.full.val()
                | self.sealed.q.val()
                | (self.holds.q.val() & !self.joins.q.val())
                | (!self.holds.q.val() & self.hungry.val()));
        self.others.next = (self.read_valid.val() | self.message_valid.val()) & self.open.val();
        self.serves.next = self.others.val() & (self.turn.q.val() | !self.due.val()) & !self.queue.full.val();
        self.closes.next = self.due.val() & self.open.val() & !self.serves.val() & !self.queue.full.val();
        self.takes.next = self.holds.q.val()
            & self.open.val()
            & !self.lines.full.val()
            & (self.closes.val() | !self.count.q.val().any() | self.fits.val());
        self.moves.next = !self.holds.q.val() | self.takes.val() | !self.open.val();
        self.lost.d.next = self.holds.q.val() & !self.open.val();

        if self.closes.val() {
            self.count.d.next = bits::<4>(0);
            self.sealed.d.next = false;
            self.turn.d.next = true;
        }
        if self.serves.val() {
            self.turn.d.next = false;
        }
        if self.takes.val() {
            self.count.d.next = self.count.q.val() + bits::<4>(1);
            if self.closes.val() | !self.count.q.val().any() {
                self.count.d.next = bits::<4>(1);
                self.start.d.next = self.present.val().address;
            }
            self.sealed.d.next = self.present.val().index;
            self.vector.d.next = self.present.val().vector;
        }
        self.lines.write.next = self.takes.val();
        self.lines.data_in.next = self.present.val().data;

        // The next line. Whether it follows the one before is known when it is here.
        self.incoming.next = self.line.val();
        if self.moves.val() {
            self.holds.d.next = self.line_valid.val();
            if self.line_valid.val() {
                self.held.d.next = self.line.val();
                self.joins.d.next = (self.incoming.val().address.get_bits::<58>(6) == self.expected.q.val())
                    & self.incoming.val().address.get_bits::<6>(6).any();
                self.expected.d.next = self.incoming.val().address.get_bits::<58>(6) + bits::<58>(1);
            }
        }
        self.line_take.next = self.moves.val();

        // The queue.
        self.entry.next.lines = self.count.q.val();
        self.entry.next.read = false;
        self.entry.next.word = self.message_data.val();
        self.entry.next.address = self.start.q.val();
        self.read_take.next = false;
        self.message_take.next = false;
        if self.serves.val() {
            self.entry.next.lines = bits::<4>(0);
            self.entry.next.read = !self.message_valid.val();
            self.entry.next.address = self.read_address.val();
            self.read_take.next = !self.message_valid.val();
            if self.message_valid.val() {
                self.entry.next.address = self.message_address.val();
                self.message_take.next = true;
            }
        }
        self.queue.write.next = self.closes.val() | self.serves.val();
        self.queue.data_in.next = self.entry.val();
        self.queue.read.next = self.take_tlp.val();
        self.tlp_valid.next = self.queue.valid.val();
        self.tlp.next = self.queue.data_out.val();
        self.lines.read.next = self.take_data.val();
        self.data.next = self.lines.data_out.val();
        self.queued.d.next = self.closes.val() & self.sealed.q.val();
        self.queued_vector.d.next = self.vector.q.val();
        self.index_queued.next = self.queued.q.val();
        self.index_vector.next = self.queued_vector.q.val();
        self.dropped.next = self.lost.q.val();
        self.waiting.next = self.lines.count.val();
        self.busy.next = self.holds.q.val() | self.lines.count.val().any();
    }
}
