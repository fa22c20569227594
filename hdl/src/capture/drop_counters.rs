//! Packets and bytes dropped, per match index.
//!
//! # Theory of operation
//! Hit lists of dropped records wait in a queue of 512. The oldest one's indices stand in a row of 21 registers; each clock the first one is counted, the
//! others move up, and equal ones among them are struck out. Counting is a pipeline of three clocks: the counters are read; they are picked out of
//! their bank; the record is added; they are written back in the clock after. What one of the three additions before has changed and the memory does not show
//! yet is taken from there. The table engine's requests go the same way between records.
//!
//! The counters lie in 16 banks. After a reset all banks are written zero side by side, before anything is counted or answered; hit lists wait
//! meanwhile.
//!
//! # Limits
//! One hit a clock. A hit list that finds the queue full is not counted per match; `unattributed` says so.

use super::types::{DroppedRecord, Drops};
use crate::prelude::*;
use writ_abi::limits;

/// Banks of counters; a bank holds as many counters as the biggest table has rows, so that all sweeps take the same time.
pub const DROP_BANKS: usize = 16;
const _: () = {
    assert!(limits::MATCH_INDEX_COUNT == 1 << 17 && DROP_BANKS << 13 == 1 << 17, "kernels write these out");
    assert!(limits::DROP_QUEUE_FRAMES == 1 << 9 && limits::HITS_MAX == 21);
};

/// Per-match drop counters.
#[derive(LogicBlock)]
pub struct DropCounters {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A record is dropped.
    pub dropped: Signal<In, Bit>,
    /// Its hits.
    pub record: Signal<In, DroppedRecord>,
    /// The queue is full: the record is not counted per match.
    pub unattributed: Signal<Out, Bit>,
    /// The counters are swept.
    pub ready: Signal<Out, Bit>,
    /// Read the counters of `index`; held until `done`.
    pub request: Signal<In, Bit>,
    /// And set them to zero.
    pub clear: Signal<In, Bit>,
    /// Which.
    pub index: Signal<In, Bits<17>>,
    /// `packets` and `bytes` are there.
    pub done: Signal<Out, Bit>,
    /// Packets dropped.
    pub packets: Signal<Out, Bits<64>>,
    /// Bytes dropped.
    pub bytes: Signal<Out, Bits<64>>,
    queue: Fifo<DroppedRecord, 9, 10>,
    bank: [Ram1r1w<Drops, 13>; DROP_BANKS],
    bank_number: [Constant<Bits<4>>; DROP_BANKS],
    sweeping: RegR<Bit>,
    sweep: RegR<Bits<13>>,
    asked: RegR<Bit>,
    // The row of indices
    left: RegR<Bits<21>>,
    row: [Reg<Bits<17>>; limits::HITS_MAX],
    row_bytes: Reg<Bits<16>>,
    // The memories answer
    counting_1: RegR<Bit>,
    answering_1: RegR<Bit>,
    target_1: Reg<Bits<17>>,
    amount_1: Reg<Bits<16>>,
    // The sum
    counting_2: RegR<Bit>,
    answering_2: RegR<Bit>,
    target_2: Reg<Bits<17>>,
    amount_2: Reg<Bits<16>>,
    value_2: Reg<Drops>,
    // What is being written, and what was written one and two clocks ago
    writing: [RegR<Bit>; 3],
    written_target: [Reg<Bits<17>>; 3],
    written_value: [Reg<Drops>; 3],
    oldest: Signal<Local, DroppedRecord>,
    oldest_hits: Signal<Local, Bits<504>>,
    next: Signal<Local, Bits<17>>,
    rest: Signal<Local, Bits<21>>,
    count: Signal<Local, Bit>,
    ask: Signal<Local, Bit>,
    wanted: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    address: Signal<Local, Bits<17>>,
    found: Signal<Local, Drops>,
    value: Signal<Local, Drops>,
    sum: Signal<Local, Drops>,
    change: Signal<Local, Bit>,
    row_address: Signal<Local, Bits<13>>,
    new_value: Signal<Local, Drops>,
}

impl Default for DropCounters {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            dropped: Signal::default(),
            record: Signal::default(),
            unattributed: Signal::default(),
            ready: Signal::default(),
            request: Signal::default(),
            clear: Signal::default(),
            index: Signal::default(),
            done: Signal::default(),
            packets: Signal::default(),
            bytes: Signal::default(),
            queue: Fifo::default(),
            bank: core::array::from_fn(|_| Ram1r1w::new(RamStyle::Ultra)),
            bank_number: core::array::from_fn(|bank| Constant::new((bank as LiteralType).into())),
            sweeping: RegR::new(true),
            sweep: RegR::default(),
            asked: RegR::default(),
            left: RegR::default(),
            row: core::array::from_fn(|_| Reg::default()),
            row_bytes: Reg::default(),
            counting_1: RegR::default(),
            answering_1: RegR::default(),
            target_1: Reg::default(),
            amount_1: Reg::default(),
            counting_2: RegR::default(),
            answering_2: RegR::default(),
            target_2: Reg::default(),
            amount_2: Reg::default(),
            value_2: Reg::default(),
            writing: Default::default(),
            written_target: Default::default(),
            written_value: Default::default(),
            oldest: Signal::default(),
            oldest_hits: Signal::default(),
            next: Signal::default(),
            rest: Signal::default(),
            count: Signal::default(),
            ask: Signal::default(),
            wanted: Signal::default(),
            load: Signal::default(),
            address: Signal::default(),
            found: Signal::default(),
            value: Signal::default(),
            sum: Signal::default(),
            change: Signal::default(),
            row_address: Signal::default(),
            new_value: Signal::default(),
        }
    }
}

impl Logic for DropCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sweeping, sweep, asked, left, row_bytes);
        dff_setup!(self, clock, counting_1, answering_1, target_1, amount_1);
        dff_setup!(self, clock, counting_2, answering_2, target_2, amount_2, value_2);
        clock!(self, clock, queue);
        self.queue.reset.next = self.reset.val();
        self.sweeping.reset.next = self.reset.val();
        self.sweep.reset.next = self.reset.val();
        self.asked.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.counting_1.reset.next = self.reset.val();
        self.answering_1.reset.next = self.reset.val();
        self.counting_2.reset.next = self.reset.val();
        self.answering_2.reset.next = self.reset.val();
        for i in 0..21 {
            self.row[i].clock.next = self.clock.val();
            self.row[i].d.next = self.row[i].q.val();
        }
        for i in 0..3 {
            self.writing[i].clock.next = self.clock.val();
            self.writing[i].reset.next = self.reset.val();
            self.written_target[i].clock.next = self.clock.val();
            self.written_target[i].d.next = self.written_target[i].q.val();
            self.written_value[i].clock.next = self.clock.val();
            self.written_value[i].d.next = self.written_value[i].q.val();
        }

        self.queue.write.next = self.dropped.val();
        self.queue.data_in.next = self.record.val();
        self.unattributed.next = self.dropped.val() & self.queue.full.val();

        // The row: its first index is counted, the others move up, without those that equal it. A request waits for the end of a record.
        self.next.next = self.row[0].q.val();
        self.count.next = self.left.q.val().get_bit(0);
        self.rest.next = bits::<21>(0);
        if self.left.q.val().any() {
            for i in 0..20 {
                self.rest.next = self.rest.val().replace_bit(
                    i,
                    self.left.q.val().get_bit(i + 1)
                        & !(self.count.val() & (self.row[i + 1].q.val() == self.next.val())),
                );
                self.row[i].d.next = self.row[i + 1].q.val();
            }
            self.left.d.next = self.rest.val();
        }
        self.wanted.next = self.request.val() & !self.asked.q.val();
        self.ask.next = self.wanted.val() & !self.left.q.val().any() & !self.sweeping.q.val();
        self.load.next =
            self.queue.valid.val() & !(self.left.q.val() >> 1).any() & !self.wanted.val() & !self.sweeping.q.val();
        self.queue.read.next = self.load.val();
        self.oldest.next = self.queue.data_out.val();
        self.oldest_hits.next = self.oldest.val().hits.into();
        if self.load.val() {
            self.row_bytes.d.next = self.oldest.val().bytes;
            self.left.d.next = !bits::<21>(0) >> (bits::<5>(21) - self.oldest.val().hit_count);
            for i in 0..21 {
                self.row[i].d.next = self.oldest_hits.val().get_bits::<17>(i * 24);
            }
        }

        // Read.
        self.address.next = self.next.val();
        if self.ask.val() {
            self.asked.d.next = true;
            self.address.next = self.index.val();
        }
        self.counting_1.d.next = self.count.val();
        self.answering_1.d.next = self.ask.val();
        if self.count.val() | self.ask.val() {
            self.target_1.d.next = self.address.val();
            self.amount_1.d.next = self.row_bytes.q.val();
        }

        // Pick.
        self.found.next = self.bank[0].read_data.val();
        for i in 0..16 {
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].read_enable.next = (self.count.val() | self.ask.val())
                & (self.address.val().get_bits::<4>(13) == self.bank_number[i].val());
            self.bank[i].read_address.next = self.address.val().get_bits::<13>(0);
            if self.target_1.q.val().get_bits::<4>(13) == self.bank_number[i].val() {
                self.found.next = self.bank[i].read_data.val();
            }
        }
        self.counting_2.d.next = self.counting_1.q.val();
        self.answering_2.d.next = self.answering_1.q.val();
        if self.counting_1.q.val() | self.answering_1.q.val() {
            self.target_2.d.next = self.target_1.q.val();
            self.amount_2.d.next = self.amount_1.q.val();
            self.value_2.d.next = self.found.val();
        }

        // Add, or answer. The latest change counts.
        self.value.next = self.value_2.q.val();
        if self.writing[0].q.val() & (self.written_target[0].q.val() == self.target_2.q.val()) {
            self.value.next = self.written_value[0].q.val();
        } else if self.writing[1].q.val() & (self.written_target[1].q.val() == self.target_2.q.val()) {
            self.value.next = self.written_value[1].q.val();
        } else if self.writing[2].q.val() & (self.written_target[2].q.val() == self.target_2.q.val()) {
            self.value.next = self.written_value[2].q.val();
        }
        self.sum.next.packets = bits::<64>(0);
        self.sum.next.bytes = bits::<64>(0);
        if self.counting_2.q.val() {
            self.sum.next.packets = self.value.val().packets + bits::<64>(1);
            self.sum.next.bytes = self.value.val().bytes + bit_cast::<64, 16>(self.amount_2.q.val());
        }
        self.change.next = self.counting_2.q.val() | (self.answering_2.q.val() & self.clear.val());
        self.writing[0].d.next = self.change.val();
        if self.change.val() {
            self.written_target[0].d.next = self.target_2.q.val();
            self.written_value[0].d.next = self.sum.val();
        }
        for i in 0..2 {
            self.writing[i + 1].d.next = self.writing[i].q.val();
            if self.writing[i].q.val() {
                self.written_target[i + 1].d.next = self.written_target[i].q.val();
                self.written_value[i + 1].d.next = self.written_value[i].q.val();
            }
        }
        self.done.next = self.answering_2.q.val();
        self.packets.next = self.value.val().packets;
        self.bytes.next = self.value.val().bytes;
        if self.answering_2.q.val() {
            self.asked.d.next = false;
        }

        // Write, or sweep.
        self.row_address.next = self.written_target[0].q.val().get_bits::<13>(0);
        self.new_value.next = self.written_value[0].q.val();
        if self.sweeping.q.val() {
            self.row_address.next = self.sweep.q.val();
            self.new_value.next.packets = bits::<64>(0);
            self.new_value.next.bytes = bits::<64>(0);
            self.sweep.d.next = self.sweep.q.val() + bits::<13>(1);
            if self.sweep.q.val().all() {
                self.sweeping.d.next = false;
            }
        }
        for i in 0..16 {
            self.bank[i].write_enable.next = self.sweeping.q.val()
                | (self.writing[0].q.val()
                    & (self.written_target[0].q.val().get_bits::<4>(13) == self.bank_number[i].val()));
            self.bank[i].write_address.next = self.row_address.val();
            self.bank[i].write_data.next = self.new_value.val();
        }
        self.ready.next = !self.sweeping.q.val();
    }
}
