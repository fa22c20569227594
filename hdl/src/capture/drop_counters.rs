//! Packets and bytes dropped, per match index.
//!
//! # Theory of operation
//! Hit lists of dropped frames wait in a queue of 512. Each clock one distinct index of the oldest frame goes through two steps: its counters are
//! read; then the frame is added and they are written back. A step that wants what the step before it is just writing takes
//! it from there. The table engine's requests go through the same two steps between frames. After a reset all counters are
//! written zero, one a clock, before anything is counted or answered; hit lists wait meanwhile.
//!
//! # Limits
//! One index a clock. A hit list that finds the queue full is not counted per match; `unattributed` says so.

use super::types::{DroppedFrame, Drops};
use crate::lookup::types::Hit;
use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::MATCH_INDEX_COUNT == 1 << 15);

/// Per-match drop counters.
#[derive(LogicBlock)]
pub struct DropCounters {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A frame is dropped.
    pub dropped: Signal<In, Bit>,
    /// Its hits.
    pub frame: Signal<In, DroppedFrame>,
    /// The queue is full: the frame is not counted per match.
    pub unattributed: Signal<Out, Bit>,
    /// The counters are swept.
    pub ready: Signal<Out, Bit>,
    /// Read the counters of `index`; held until `done`.
    pub request: Signal<In, Bit>,
    /// And set them to zero.
    pub clear: Signal<In, Bit>,
    /// Which.
    pub index: Signal<In, Bits<15>>,
    /// `packets` and `bytes` are there.
    pub done: Signal<Out, Bit>,
    /// Packets dropped.
    pub packets: Signal<Out, Bits<64>>,
    /// Bytes dropped.
    pub bytes: Signal<Out, Bits<64>>,
    queue: Fifo<DroppedFrame, 9, 10>,
    memory: Ram1r1w<Drops, 15>,
    sweeping: RegR<Bit>,
    sweep: RegR<Bits<15>>,
    left: RegR<Bits<4>>,
    asked: RegR<Bit>,
    // Second step
    adding: RegR<Bit>,
    answering: RegR<Bit>,
    target: Reg<Bits<15>>,
    amount: Reg<Bits<16>>,
    // What the second step has just written
    written: RegR<Bit>,
    written_index: Reg<Bits<15>>,
    written_value: Reg<Drops>,
    current: Signal<Local, DroppedFrame>,
    hit_0: Signal<Local, Hit>,
    hit_1: Signal<Local, Hit>,
    hit_2: Signal<Local, Hit>,
    hit_3: Signal<Local, Hit>,
    distinct: Signal<Local, Bits<4>>,
    todo: Signal<Local, Bits<4>>,
    rest: Signal<Local, Bits<4>>,
    next_index: Signal<Local, Bits<15>>,
    ask: Signal<Local, Bit>,
    count: Signal<Local, Bit>,
    value: Signal<Local, Drops>,
    sum: Signal<Local, Drops>,
    write: Signal<Local, Bit>,
}

impl Default for DropCounters {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            dropped: Signal::default(),
            frame: Signal::default(),
            unattributed: Signal::default(),
            ready: Signal::default(),
            request: Signal::default(),
            clear: Signal::default(),
            index: Signal::default(),
            done: Signal::default(),
            packets: Signal::default(),
            bytes: Signal::default(),
            queue: Fifo::default(),
            memory: Ram1r1w::new(RamStyle::Ultra),
            sweeping: RegR::new(true),
            sweep: RegR::default(),
            left: RegR::new(bits::<4>(15)),
            asked: RegR::default(),
            adding: RegR::default(),
            answering: RegR::default(),
            target: Reg::default(),
            amount: Reg::default(),
            written: RegR::default(),
            written_index: Reg::default(),
            written_value: Reg::default(),
            current: Signal::default(),
            hit_0: Signal::default(),
            hit_1: Signal::default(),
            hit_2: Signal::default(),
            hit_3: Signal::default(),
            distinct: Signal::default(),
            todo: Signal::default(),
            rest: Signal::default(),
            next_index: Signal::default(),
            ask: Signal::default(),
            count: Signal::default(),
            value: Signal::default(),
            sum: Signal::default(),
            write: Signal::default(),
        }
    }
}

impl Logic for DropCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sweeping, sweep, left, asked, adding, answering, target, amount);
        dff_setup!(self, clock, written, written_index, written_value);
        clock!(self, clock, queue, memory);
        self.queue.reset.next = self.reset.val();
        self.sweeping.reset.next = self.reset.val();
        self.sweep.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.asked.reset.next = self.reset.val();
        self.adding.reset.next = self.reset.val();
        self.answering.reset.next = self.reset.val();
        self.written.reset.next = self.reset.val();

        self.queue.write.next = self.dropped.val();
        self.queue.data_in.next = self.frame.val();
        self.unattributed.next = self.dropped.val() & self.queue.full.val();

        // Which of the oldest frame's hits are the first with their index, and which of them are still to do.
        self.current.next = self.queue.data_out.val();
        self.hit_0.next = self.current.val().hit_0;
        self.hit_1.next = self.current.val().hit_1;
        self.hit_2.next = self.current.val().hit_2;
        self.hit_3.next = self.current.val().hit_3;
        self.distinct.next = bits::<4>(0);
        if self.hit_0.val().valid {
            self.distinct.next = self.distinct.val() | bits::<4>(1);
        }
        if self.hit_1.val().valid
            & !(self.hit_0.val().valid & (self.hit_0.val().match_index == self.hit_1.val().match_index))
        {
            self.distinct.next = self.distinct.val() | bits::<4>(2);
        }
        if self.hit_2.val().valid
            & !(self.hit_0.val().valid & (self.hit_0.val().match_index == self.hit_2.val().match_index))
            & !(self.hit_1.val().valid & (self.hit_1.val().match_index == self.hit_2.val().match_index))
        {
            self.distinct.next = self.distinct.val() | bits::<4>(4);
        }
        if self.hit_3.val().valid
            & !(self.hit_0.val().valid & (self.hit_0.val().match_index == self.hit_3.val().match_index))
            & !(self.hit_1.val().valid & (self.hit_1.val().match_index == self.hit_3.val().match_index))
            & !(self.hit_2.val().valid & (self.hit_2.val().match_index == self.hit_3.val().match_index))
        {
            self.distinct.next = self.distinct.val() | bits::<4>(8);
        }
        self.todo.next = self.distinct.val() & self.left.q.val();
        self.next_index.next = self.hit_3.val().match_index;
        self.rest.next = bits::<4>(0);
        if self.todo.val().get_bit(0) {
            self.next_index.next = self.hit_0.val().match_index;
            self.rest.next = self.todo.val() & bits::<4>(14);
        } else if self.todo.val().get_bit(1) {
            self.next_index.next = self.hit_1.val().match_index;
            self.rest.next = self.todo.val() & bits::<4>(12);
        } else if self.todo.val().get_bit(2) {
            self.next_index.next = self.hit_2.val().match_index;
            self.rest.next = self.todo.val() & bits::<4>(8);
        }

        // First step: read. A request waits for the end of a frame.
        self.ask.next = self.request.val() & !self.asked.q.val() & self.left.q.val().all() & !self.sweeping.q.val();
        self.count.next = self.queue.valid.val() & !self.ask.val() & !self.sweeping.q.val();
        self.queue.read.next = self.count.val() & !self.rest.val().any();
        if self.count.val() {
            self.left.d.next = self.rest.val();
            if !self.rest.val().any() {
                self.left.d.next = bits::<4>(15);
            }
        }
        self.memory.read_enable.next = self.ask.val() | self.count.val();
        self.memory.read_address.next = self.next_index.val();
        if self.ask.val() {
            self.asked.d.next = true;
            self.memory.read_address.next = self.index.val();
        }
        self.adding.d.next = self.count.val();
        self.answering.d.next = self.ask.val();
        if self.ask.val() {
            self.target.d.next = self.index.val();
        } else if self.count.val() {
            self.target.d.next = self.next_index.val();
            self.amount.d.next = self.current.val().bytes;
        }

        // Second step: add and write, or answer.
        self.value.next = self.memory.read_data.val();
        if self.written.q.val() & (self.written_index.q.val() == self.target.q.val()) {
            self.value.next = self.written_value.q.val();
        }
        self.sum.next.packets = bits::<64>(0);
        self.sum.next.bytes = bits::<64>(0);
        if self.adding.q.val() {
            self.sum.next.packets = self.value.val().packets + bits::<64>(1);
            self.sum.next.bytes = self.value.val().bytes + bit_cast::<64, 16>(self.amount.q.val());
        }
        self.write.next = self.adding.q.val() | (self.answering.q.val() & self.clear.val());
        self.written.d.next = self.write.val();
        if self.write.val() {
            self.written_index.d.next = self.target.q.val();
            self.written_value.d.next = self.sum.val();
        }
        self.memory.write_enable.next = self.write.val() | self.sweeping.q.val();
        self.memory.write_address.next = self.target.q.val();
        self.memory.write_data.next = self.sum.val();
        self.done.next = self.answering.q.val();
        self.packets.next = self.value.val().packets;
        self.bytes.next = self.value.val().bytes;
        if self.answering.q.val() {
            self.asked.d.next = false;
        }

        // Sweep.
        if self.sweeping.q.val() {
            self.memory.write_address.next = self.sweep.q.val();
            self.sweep.d.next = self.sweep.q.val() + bits::<15>(1);
            if self.sweep.q.val().all() {
                self.sweeping.d.next = false;
            }
        }
        self.ready.next = !self.sweeping.q.val();
    }
}
