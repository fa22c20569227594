//! All writers, one bus.
//!
//! # Theory of operation
//! Each writer has a buffer of a few lines, so that it learns from a register whether its line is taken. One register stands towards the bus. It takes a line when
//! it is empty or its line leaves in this clock; whose line that is was settled one clock before, from what the buffers would still hold then. A writer
//! keeps the bus for up to eight lines, 512 bytes, while it has one in every clock, so that what goes to neighbouring addresses stays together; then the
//! next one in a circle has its turn, if it has a line.
//! Lines of one writer keep their order, so an index line stays behind the data that it announces.
//!
//! # Limits
//! A line at the head of a buffer waits for at most 32 lines of the others.

use super::line_buffer::LineBuffer;
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
    /// If there is one, it is taken.
    pub accept: [Signal<Out, Bit>; WRITERS],
    /// There is a line for the bus.
    pub out_valid: Signal<Out, Bit>,
    /// The line.
    pub out_line: Signal<Out, LineWrite>,
    /// The bus takes it.
    pub ready: Signal<In, Bit>,
    /// An index line went to the bus in the clock before.
    pub index_sent: Signal<Out, Bit>,
    /// Whose it was.
    pub index_writer: Signal<Out, Bits<3>>,
    /// No line is under way.
    pub idle: Signal<Out, Bit>,
    buffer: [LineBuffer; WRITERS],
    full: RegR<Bit>,
    held: Reg<LineWrite>,
    owner: Reg<Bits<3>>,
    active: RegR<Bit>,
    last: RegR<Bits<5>>,
    which: RegR<Bits<3>>,
    burst: RegR<Bits<3>>,
    sent: RegR<Bit>,
    sender: Reg<Bits<3>>,
    room: Signal<Local, Bit>,
    empty: Signal<Local, Bits<5>>,
    wanted: Signal<Local, Bits<5>>,
    behind: Signal<Local, Bits<5>>,
    circle: Signal<Local, Bits<5>>,
    choice: Signal<Local, Bits<5>>,
    goes_on: Signal<Local, Bit>,
}

impl Logic for WriteArbiter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, full, held, owner, active, last, which, burst, sent, sender);
        self.full.reset.next = self.reset.val();
        self.active.reset.next = self.reset.val();
        self.last.reset.next = self.reset.val();
        self.which.reset.next = self.reset.val();
        self.burst.reset.next = self.reset.val();
        self.sent.reset.next = self.reset.val();

        // `last` has the bit of the writer that was chosen last, or none; its line goes to the register if `active`.
        self.room.next = !self.full.q.val() | self.ready.val();
        self.empty.next = bits::<5>(0);
        self.wanted.next = bits::<5>(0);
        for i in 0..5 {
            self.buffer[i].clock.next = self.clock.val();
            self.buffer[i].reset.next = self.reset.val();
            self.buffer[i].valid.next = self.valid[i].val();
            self.buffer[i].line.next = self.line[i].val();
            self.accept[i].next = self.buffer[i].ready.val();
            self.buffer[i].take.next = self.last.q.val().get_bit(i) & self.active.q.val() & self.room.val();
            self.empty.next = self.empty.val().replace_bit(i, !self.buffer[i].some.val());
            self.wanted.next = self.wanted.val().replace_bit(
                i,
                self.buffer[i].more.val()
                    | (self.buffer[i].some.val() & !(self.last.q.val().get_bit(i) & self.active.q.val())),
            );
        }
        if self.active.q.val() & self.room.val() {
            self.owner.d.next = self.which.q.val();
            if self.which.q.val().get_bit(2) {
                self.held.d.next = self.buffer[4].out_line.val();
            } else if self.which.q.val().get_bit(1) {
                self.held.d.next = self.buffer[2].out_line.val();
                if self.which.q.val().get_bit(0) {
                    self.held.d.next = self.buffer[3].out_line.val();
                }
            } else {
                self.held.d.next = self.buffer[0].out_line.val();
                if self.which.q.val().get_bit(0) {
                    self.held.d.next = self.buffer[1].out_line.val();
                }
            }
        }
        self.full.d.next = self.active.q.val() | (self.full.q.val() & !self.ready.val());

        // Who is next.
        self.goes_on.next = (self.wanted.val() & self.last.q.val()).any() & !self.burst.q.val().all();
        self.behind.next = bits::<5>(0)
            .replace_bit(1, self.last.q.val().get_bit(0))
            .replace_bit(2, self.last.q.val().get_bits::<2>(0).any())
            .replace_bit(3, self.last.q.val().get_bits::<3>(0).any())
            .replace_bit(4, self.last.q.val().get_bits::<4>(0).any());
        self.circle.next = self.wanted.val() & self.behind.val();
        if !self.circle.val().any() {
            self.circle.next = self.wanted.val();
        }
        self.choice.next = bits::<5>(0)
            .replace_bit(0, self.circle.val().get_bit(0))
            .replace_bit(1, self.circle.val().get_bits::<2>(0) == bits::<2>(2))
            .replace_bit(2, self.circle.val().get_bits::<3>(0) == bits::<3>(4))
            .replace_bit(3, self.circle.val().get_bits::<4>(0) == bits::<4>(8))
            .replace_bit(4, self.circle.val() == bits::<5>(16));
        if self.goes_on.val() {
            self.choice.next = self.last.q.val();
        }
        if self.room.val() | !self.active.q.val() {
            self.active.d.next = self.wanted.val().any();
            if self.wanted.val().any() {
                self.last.d.next = self.choice.val();
                self.which.d.next = bits::<3>(0)
                    .replace_bit(0, self.choice.val().get_bit(1) | self.choice.val().get_bit(3))
                    .replace_bit(1, self.choice.val().get_bit(2) | self.choice.val().get_bit(3))
                    .replace_bit(2, self.choice.val().get_bit(4));
                self.burst.d.next = bits::<3>(0);
                if self.goes_on.val() {
                    self.burst.d.next = self.burst.q.val() + bits::<3>(1);
                }
            }
        }

        self.out_valid.next = self.full.q.val();
        self.out_line.next = self.held.q.val();
        self.sent.d.next = self.full.q.val() & self.ready.val() & self.held.q.val().index;
        self.sender.d.next = self.owner.q.val();
        self.index_sent.next = self.sent.q.val();
        self.index_writer.next = self.sender.q.val();
        self.idle.next = !self.full.q.val() & self.empty.val().all();
    }
}
