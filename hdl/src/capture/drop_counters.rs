//! Packets and bytes dropped, per match index.
//!
//! # Theory of operation
//! Hit lists of dropped records wait in a queue of 512. The oldest one's indices stand in a row of 21 registers; each clock the first one is counted, the
//! others move up, and equal ones among them are struck out. Counting is a pipeline: the counters are read and picked out of
//! their bank; the record is added in three slices ([`DropSlice`]), one clock each; they are written back seven clocks after they were read. What one of the six
//! changes before has made of them and the memory does not show yet is taken from there; which one that is, is found out by comparing indices while the
//! memory is read. The table engine's requests go the same way between records.
//!
//! The counters lie in 16 banks. After a reset all banks are written zero side by side, before anything is counted or answered; hit lists wait
//! meanwhile.
//!
//! # Limits
//! One hit a clock. A hit list that finds the queue full is not counted per match; `unattributed` says so.

use super::drop_slice::DropSlice;
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
    pending: RegR<Bit>,
    wanted_index: Reg<Bits<17>>,
    wanted_clear: Reg<Bit>,
    // The row of indices
    left: RegR<Bits<21>>,
    row: [Reg<Bits<17>>; limits::HITS_MAX],
    row_bytes: Reg<Bits<16>>,
    // What was read one clock ago, two, and so on
    counting: RegR<Bits<6>>,
    answering: RegR<Bits<6>>,
    changing: RegR<Bits<7>>,
    keeping: Reg<Bits<6>>,
    target: [Reg<Bits<17>>; 7],
    amount: [Reg<Bits<16>>; 3],
    value_2: Reg<Drops>,
    value_3: Reg<Drops>,
    value_4: Reg<Drops>,
    choice: [Reg<Bits<6>>; 3],
    again: Reg<Bits<4>>,
    low_packets: DropSlice,
    middle_packets: DropSlice,
    high_packets: DropSlice,
    low_bytes: DropSlice,
    middle_bytes: DropSlice,
    high_bytes: DropSlice,
    oldest: Signal<Local, DroppedRecord>,
    oldest_hits: Signal<Local, Bits<504>>,
    next: Signal<Local, Bits<17>>,
    rest: Signal<Local, Bits<21>>,
    count: Signal<Local, Bit>,
    ask: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    address: Signal<Local, Bits<17>>,
    found: Signal<Local, Drops>,
    same: Signal<Local, Bits<6>>,
    pick: Signal<Local, Bits<6>>,
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
            pending: RegR::default(),
            wanted_index: Reg::default(),
            wanted_clear: Reg::default(),
            left: RegR::default(),
            row: core::array::from_fn(|_| Reg::default()),
            row_bytes: Reg::default(),
            counting: RegR::default(),
            answering: RegR::default(),
            changing: RegR::default(),
            keeping: Reg::default(),
            target: Default::default(),
            amount: Default::default(),
            value_2: Reg::default(),
            value_3: Reg::default(),
            value_4: Reg::default(),
            choice: Default::default(),
            again: Reg::default(),
            low_packets: DropSlice::default(),
            middle_packets: DropSlice::default(),
            high_packets: DropSlice::default(),
            low_bytes: DropSlice::default(),
            middle_bytes: DropSlice::default(),
            high_bytes: DropSlice::default(),
            oldest: Signal::default(),
            oldest_hits: Signal::default(),
            next: Signal::default(),
            rest: Signal::default(),
            count: Signal::default(),
            ask: Signal::default(),
            load: Signal::default(),
            address: Signal::default(),
            found: Signal::default(),
            same: Signal::default(),
            pick: Signal::default(),
            row_address: Signal::default(),
            new_value: Signal::default(),
        }
    }
}

impl Logic for DropCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sweeping, sweep, asked, pending, wanted_index, wanted_clear, left, row_bytes);
        dff_setup!(self, clock, counting, answering, changing, keeping, value_2, value_3, value_4, again);
        clock!(self, clock, queue, low_packets, middle_packets, high_packets, low_bytes, middle_bytes, high_bytes);
        self.queue.reset.next = self.reset.val();
        self.sweeping.reset.next = self.reset.val();
        self.sweep.reset.next = self.reset.val();
        self.asked.reset.next = self.reset.val();
        self.pending.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.counting.reset.next = self.reset.val();
        self.answering.reset.next = self.reset.val();
        self.changing.reset.next = self.reset.val();
        for i in 0..21 {
            self.row[i].clock.next = self.clock.val();
            self.row[i].d.next = self.row[i].q.val();
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
        self.wanted_index.d.next = self.index.val();
        self.wanted_clear.d.next = self.clear.val();
        self.ask.next = self.pending.q.val() & !self.left.q.val().any() & !self.sweeping.q.val();
        self.pending.d.next = self.request.val() & !self.asked.q.val() & !self.ask.val();
        self.load.next =
            self.queue.valid.val() & !(self.left.q.val() >> 1).any() & !self.pending.q.val() & !self.sweeping.q.val();
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
            self.address.next = self.wanted_index.q.val();
        }
        self.counting.d.next = (self.counting.q.val() << 1) | bit_cast::<6, 1>(self.count.val().into());
        self.answering.d.next = (self.answering.q.val() << 1) | bit_cast::<6, 1>(self.ask.val().into());
        self.changing.d.next = (self.changing.q.val() << 1)
            | bit_cast::<7, 1>((self.count.val() | (self.ask.val() & self.wanted_clear.q.val())).into());
        self.keeping.d.next =
            (self.keeping.q.val() << 1) | bit_cast::<6, 1>((self.count.val() | !self.wanted_clear.q.val()).into());
        self.target[0].d.next = self.address.val();
        self.amount[0].d.next = self.row_bytes.q.val();
        self.target[0].clock.next = self.clock.val();
        self.amount[0].clock.next = self.clock.val();
        for i in 0..6 {
            self.target[i + 1].clock.next = self.clock.val();
            self.target[i + 1].d.next = self.target[i].q.val();
        }
        for i in 0..2 {
            self.amount[i + 1].clock.next = self.clock.val();
            self.amount[i + 1].d.next = self.amount[i].q.val();
        }

        // Pick, and find out which of the six changes before is the latest of the same counters.
        self.found.next = self.bank[0].read_data.val();
        for i in 0..16 {
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].read_enable.next = (self.count.val() | self.ask.val())
                & (self.address.val().get_bits::<4>(13) == self.bank_number[i].val());
            self.bank[i].read_address.next = self.address.val().get_bits::<13>(0);
            if self.target[0].q.val().get_bits::<4>(13) == self.bank_number[i].val() {
                self.found.next = self.bank[i].read_data.val();
            }
        }
        self.value_2.d.next = self.found.val();
        self.value_3.d.next = self.value_2.q.val();
        self.value_4.d.next = self.value_3.q.val();
        self.same.next = bits::<6>(0);
        for i in 0..6 {
            self.same.next = self.same.val().replace_bit(
                i,
                self.changing.q.val().get_bit(i + 1) & (self.target[i + 1].q.val() == self.target[0].q.val()),
            );
        }
        self.pick.next = bits::<6>(1);
        if self.same.val().get_bit(1) {
            self.pick.next = bits::<6>(2);
        } else if self.same.val().get_bit(2) {
            self.pick.next = bits::<6>(4);
        } else if self.same.val().get_bit(3) {
            self.pick.next = bits::<6>(8);
        } else if self.same.val().get_bit(4) {
            self.pick.next = bits::<6>(16);
        } else if self.same.val().get_bit(5) {
            self.pick.next = bits::<6>(32);
        }
        self.again.d.next = (self.again.q.val() << 1) | bit_cast::<4, 1>(self.same.val().get_bits::<1>(0));
        self.choice[0].clock.next = self.clock.val();
        self.choice[0].d.next = self.pick.val();
        for i in 0..2 {
            self.choice[i + 1].clock.next = self.clock.val();
            self.choice[i + 1].d.next = self.choice[i].q.val();
        }

        // Add.
        self.low_packets.stored.next = self.value_2.q.val().packets.get_bits::<22>(0);
        self.low_packets.choice.next = self.choice[0].q.val();
        self.low_packets.again.next = self.again.q.val().get_bit(1);
        self.low_packets.keep.next = self.keeping.q.val().get_bit(2);
        self.low_packets.look.next = self.answering.q.val().get_bit(2);
        self.low_packets.add.next = bits::<16>(0);
        self.low_bytes.stored.next = self.value_2.q.val().bytes.get_bits::<22>(0);
        self.low_bytes.choice.next = self.choice[0].q.val();
        self.low_bytes.again.next = self.again.q.val().get_bit(1);
        self.low_bytes.keep.next = self.keeping.q.val().get_bit(2);
        self.low_bytes.look.next = self.answering.q.val().get_bit(2);
        self.low_bytes.add.next = bits::<16>(0);
        self.middle_packets.stored.next = self.value_3.q.val().packets.get_bits::<22>(22);
        self.middle_packets.choice.next = self.choice[1].q.val();
        self.middle_packets.again.next = self.again.q.val().get_bit(2);
        self.middle_packets.keep.next = self.keeping.q.val().get_bit(3);
        self.middle_packets.look.next = self.answering.q.val().get_bit(3);
        self.middle_packets.add.next = bit_cast::<16, 1>(self.low_packets.carry.val().into());
        self.middle_bytes.stored.next = self.value_3.q.val().bytes.get_bits::<22>(22);
        self.middle_bytes.choice.next = self.choice[1].q.val();
        self.middle_bytes.again.next = self.again.q.val().get_bit(2);
        self.middle_bytes.keep.next = self.keeping.q.val().get_bit(3);
        self.middle_bytes.look.next = self.answering.q.val().get_bit(3);
        self.middle_bytes.add.next = bit_cast::<16, 1>(self.low_bytes.carry.val().into());
        self.high_packets.stored.next = bit_cast::<22, 20>(self.value_4.q.val().packets.get_bits::<20>(44));
        self.high_packets.choice.next = self.choice[2].q.val();
        self.high_packets.again.next = self.again.q.val().get_bit(3);
        self.high_packets.keep.next = self.keeping.q.val().get_bit(4);
        self.high_packets.look.next = self.answering.q.val().get_bit(4);
        self.high_packets.add.next = bit_cast::<16, 1>(self.middle_packets.carry.val().into());
        self.high_bytes.stored.next = bit_cast::<22, 20>(self.value_4.q.val().bytes.get_bits::<20>(44));
        self.high_bytes.choice.next = self.choice[2].q.val();
        self.high_bytes.again.next = self.again.q.val().get_bit(3);
        self.high_bytes.keep.next = self.keeping.q.val().get_bit(4);
        self.high_bytes.look.next = self.answering.q.val().get_bit(4);
        self.high_bytes.add.next = bit_cast::<16, 1>(self.middle_bytes.carry.val().into());
        if self.counting.q.val().get_bit(2) {
            self.low_packets.add.next = bits::<16>(1);
            self.low_bytes.add.next = self.amount[2].q.val();
        }

        // Answer.
        self.done.next = self.answering.q.val().get_bit(5);
        self.packets.next = bit_cast::<64, 22>(self.low_packets.seen.val())
            | (bit_cast::<64, 22>(self.middle_packets.seen.val()) << 22)
            | (bit_cast::<64, 20>(self.high_packets.seen.val().get_bits::<20>(0)) << 44);
        self.bytes.next = bit_cast::<64, 22>(self.low_bytes.seen.val())
            | (bit_cast::<64, 22>(self.middle_bytes.seen.val()) << 22)
            | (bit_cast::<64, 20>(self.high_bytes.seen.val().get_bits::<20>(0)) << 44);
        if self.answering.q.val().get_bit(5) {
            self.asked.d.next = false;
        }

        // Write, or sweep.
        self.row_address.next = self.target[5].q.val().get_bits::<13>(0);
        self.new_value.next.packets = bit_cast::<64, 22>(self.low_packets.result[2].val())
            | (bit_cast::<64, 22>(self.middle_packets.result[1].val()) << 22)
            | (bit_cast::<64, 20>(self.high_packets.result[0].val().get_bits::<20>(0)) << 44);
        self.new_value.next.bytes = bit_cast::<64, 22>(self.low_bytes.result[2].val())
            | (bit_cast::<64, 22>(self.middle_bytes.result[1].val()) << 22)
            | (bit_cast::<64, 20>(self.high_bytes.result[0].val().get_bits::<20>(0)) << 44);
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
                | (self.changing.q.val().get_bit(5)
                    & (self.target[5].q.val().get_bits::<4>(13) == self.bank_number[i].val()));
            self.bank[i].write_address.next = self.row_address.val();
            self.bank[i].write_data.next = self.new_value.val();
        }
        self.ready.next = !self.sweeping.q.val();
    }
}
