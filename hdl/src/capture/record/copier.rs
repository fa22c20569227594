//! Makes records: moves the captured lines from frame store to the ring's record FIFO, and builds the headers.
//!
//! # Theory of operation
//! Each clock is one slot: a gap record, a second header line, a line of payload, a first header line, or nothing. This block chooses the slot and reads
//! the frame store (clock 1); the [`Framer`] does the rest (clocks 2 to 5). A record's slots come in the order of this list, which puts its first line behind
//! all that the first line's CRCs depend on.
//!
//! # Limits
//! One line a clock, headers included; no bubble between records.

use super::framer::{Framer, Slot};
use super::lines::RecordLines;
use crate::capture::types::Job;
use crate::parse::types::Ticket;
use crate::prelude::*;

/// What the copier is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum CopyState {
    /// Waiting for a job.
    Idle,
    /// Making the slot of a gap record.
    Gap,
    /// Making the slot of a second header line.
    Second,
    /// Making slots of payload.
    Payload,
    /// Making the slot of a first header line.
    Header,
}

/// Makes records.
#[derive(LogicBlock, Default)]
pub struct Copier {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a job.
    pub job_valid: Signal<In, Bit>,
    /// The job.
    pub job: Signal<In, Job>,
    /// The job is taken.
    pub job_take: Signal<Out, Bit>,
    /// Read a line of port A's store.
    pub read_a: Signal<Out, Bit>,
    /// Read a line of port B's store.
    pub read_b: Signal<Out, Bit>,
    /// Which.
    pub read_line: Signal<Out, Bits<11>>,
    /// Line of port A, one clock later.
    pub line_a: Signal<In, Bits<512>>,
    /// Line of port B, one clock later.
    pub line_b: Signal<In, Bits<512>>,
    /// A copy begins.
    pub begun: Signal<Out, Bit>,
    /// With `begun`: which frame.
    pub begun_ticket: Signal<Out, Ticket>,
    /// A copy has read its last line.
    pub copied: Signal<Out, Bit>,
    /// With `copied`: port B.
    pub copied_port: Signal<Out, Bit>,
    /// `line` is the first line of a record, for the rings that are set.
    pub write_header: Signal<Out, Bits<4>>,
    /// `line` is another line of a record, for the rings that are set.
    pub write_rest: Signal<Out, Bits<4>>,
    /// A line for a record FIFO.
    pub line: Signal<Out, Bits<512>>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    state: RegR<CopyState>,
    work: Reg<Job>,
    lines_left: Reg<Bits<8>>,
    next_line: Reg<Bits<11>>,
    record_lines: RecordLines,
    framer: Framer,
    new_work: Signal<Local, Job>,
    new_ticket: Signal<Local, Ticket>,
    ticket: Signal<Local, Ticket>,
    take: Signal<Local, Bit>,
    slot: Signal<Local, Slot>,
}

impl Logic for Copier {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, work, lines_left, next_line);
        clock!(self, clock, framer);
        self.state.reset.next = self.reset.val();
        self.framer.reset.next = self.reset.val();

        // Which slot is this clock's?
        self.ticket.next = self.work.q.val().ticket;
        self.new_work.next = self.job.val();
        self.new_ticket.next = self.new_work.val().ticket;
        self.slot.next = Slot::Empty;
        self.take.next = false;
        self.copied.next = false;
        self.copied_port.next = self.ticket.val().port;
        self.read_a.next = false;
        self.read_b.next = false;
        self.read_line.next = self.next_line.q.val();
        match self.state.q.val() {
            CopyState::Idle => {
                self.take.next = self.job_valid.val();
            }
            CopyState::Gap => {
                self.slot.next = Slot::Gap;
                if !self.work.q.val().packet {
                    self.take.next = self.job_valid.val();
                    self.state.d.next = CopyState::Idle;
                } else if self.record_lines.has_second.val() {
                    self.state.d.next = CopyState::Second;
                } else if self.lines_left.q.val().any() {
                    self.state.d.next = CopyState::Payload;
                } else {
                    self.state.d.next = CopyState::Header;
                }
            }
            CopyState::Second => {
                self.slot.next = Slot::Second;
                if self.lines_left.q.val().any() {
                    self.state.d.next = CopyState::Payload;
                } else {
                    self.state.d.next = CopyState::Header;
                }
            }
            CopyState::Payload => {
                self.slot.next = Slot::Payload;
                self.read_a.next = !self.ticket.val().port;
                self.read_b.next = self.ticket.val().port;
                self.next_line.d.next = self.next_line.q.val() + bits::<11>(1);
                self.lines_left.d.next = self.lines_left.q.val() - bits::<8>(1);
                if self.lines_left.q.val() == bits::<8>(1) {
                    self.state.d.next = CopyState::Header;
                }
            }
            CopyState::Header => {
                self.slot.next = Slot::Header;
                self.copied.next = true;
                self.take.next = self.job_valid.val();
                self.state.d.next = CopyState::Idle;
            }
        }
        self.job_take.next = self.take.val();
        self.begun.next = self.take.val() & self.new_work.val().packet;
        self.begun_ticket.next = self.new_ticket.val();
        if self.take.val() {
            self.work.d.next = self.job.val();
            self.lines_left.d.next = self.new_work.val().lines;
            self.next_line.d.next = self.new_ticket.val().start.get_bits::<11>(0);
            if self.new_work.val().gap.open {
                self.state.d.next = CopyState::Gap;
            } else if self.new_work.val().hit_count > bits::<5>(8) {
                self.state.d.next = CopyState::Second;
            } else if self.new_work.val().lines.any() {
                self.state.d.next = CopyState::Payload;
            } else {
                self.state.d.next = CopyState::Header;
            }
        }

        self.record_lines.job.next = self.work.q.val();
        self.framer.slot.next = self.slot.val();
        self.framer.built.next = self.record_lines.packet.val();
        if self.slot.val() == Slot::Gap {
            self.framer.built.next = self.record_lines.gap.val();
        } else if self.slot.val() == Slot::Second {
            self.framer.built.next = self.record_lines.second.val();
        }
        self.framer.ring.next = self.work.q.val().ring;
        self.framer.has_second.next = self.record_lines.has_second.val();
        self.framer.last.next = self.lines_left.q.val() == bits::<8>(1);
        self.framer.port.next = self.ticket.val().port;
        self.framer.captured.next = self.work.q.val().captured;
        self.framer.line_a.next = self.line_a.val();
        self.framer.line_b.next = self.line_b.val();
        self.line.next = self.framer.line.val();
        self.write_rest.next = self.framer.write_rest.val();
        self.write_header.next = self.framer.write_header.val();
        self.idle.next = (self.state.q.val() == CopyState::Idle) & self.framer.idle.val();
    }
}
