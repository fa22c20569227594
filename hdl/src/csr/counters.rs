//! 64-bit counters, and their copies that the host reads.
//!
//! # Theory of operation
//! Each counter adds what its event said in the clock before; `snapshot` copies all of them in one clock, so the host reads values that belong
//! together. A copy that is asked for is at the output one clock later. The order of the counters is that of [`writ_abi::registers::COUNTERS`]: construction fails if this block's order is another.

use crate::prelude::*;
use writ_abi::registers::{COUNTERS, Counter};

/// Counters of the ABI.
const COUNT: usize = 42;

/// The order in which the kernel wires events to counters: first those in front of the classes, then those behind.
const BEFORE: [Counter; 8] = [
    Counter::FramesInA,
    Counter::FramesInB,
    Counter::BytesInA,
    Counter::BytesInB,
    Counter::FramesOutA,
    Counter::FramesOutB,
    Counter::FramesLookedUpA,
    Counter::FramesLookedUpB,
];
const BEHIND: [Counter; 18] = [
    Counter::FramesHit,
    Counter::RecordsDue,
    Counter::Records,
    Counter::GapRecords,
    Counter::Drop(0),
    Counter::Drop(1),
    Counter::Drop(2),
    Counter::Drop(3),
    Counter::Drop(4),
    Counter::WindowFifoA,
    Counter::DropUnattributed,
    Counter::SuppressedTime,
    Counter::ExpiredHits,
    Counter::MultiHits,
    Counter::DamagedReads,
    Counter::DamagedRows,
    Counter::ScrubRounds,
    Counter::Commands,
];
const _: () = assert!(COUNT == BEFORE.len() + 16 + BEHIND.len() && COUNT <= 64, "kernels write these out");

/// One counter and its copy.
#[derive(LogicBlock, Default)]
pub struct CounterCell {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets both to zero.
    pub reset: Signal<In, Bit>,
    /// Count this many.
    pub add: Signal<In, Bits<16>>,
    /// Copy.
    pub snapshot: Signal<In, Bit>,
    /// The copy.
    pub shown: Signal<Out, Bits<64>>,
    added: RegR<Bits<16>>,
    count: WideCounter,
    copy: RegR<Bits<64>>,
}

impl Logic for CounterCell {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, added, copy);
        clock!(self, clock, count);
        self.added.reset.next = self.reset.val();
        self.count.reset.next = self.reset.val();
        self.copy.reset.next = self.reset.val();
        self.added.d.next = self.add.val();
        self.count.add.next = self.added.q.val();
        if self.snapshot.val() {
            self.copy.d.next = self.count.value.val();
        }
        self.shown.next = self.copy.q.val();
    }
}

/// All counters. Index 0 is port A, 1 is port B.
#[derive(LogicBlock)]
pub struct Counters {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets everything to zero.
    pub reset: Signal<In, Bit>,
    /// Copy all counters.
    pub snapshot: Signal<In, Bit>,
    /// A frame has arrived.
    pub arrived: [Signal<In, Bit>; 2],
    /// With `arrived`: its bytes with FCS.
    pub arrived_bytes: [Signal<In, Bits<16>>; 2],
    /// With `arrived`: the MAC flagged it.
    pub arrived_error: [Signal<In, Bit>; 2],
    /// A frame has left on the port.
    pub departed: [Signal<In, Bit>; 2],
    /// A frame's window found no room.
    pub window_dropped: [Signal<In, Bit>; 2],
    /// A frame's keys enter lookup.
    pub looked_up: Signal<In, Bit>,
    /// With `looked_up`: port B.
    pub looked_up_port: Signal<In, Bit>,
    /// A frame has its verdict.
    pub done: Signal<In, Bit>,
    /// With `done`: its parse class.
    pub class: Signal<In, Bits<4>>,
    /// See [`crate::lookup::LookupPath`].
    pub suppressed: Signal<In, Bit>,
    /// See [`crate::lookup::LookupPath`].
    pub expired: Signal<In, Bits<5>>,
    /// See [`crate::lookup::LookupPath`].
    pub multiple: Signal<In, Bits<5>>,
    /// See [`crate::lookup::LookupPath`].
    pub damaged_reads: Signal<In, Bits<5>>,
    /// The scrubber has found damaged rows: so many.
    pub damaged_rows: Signal<In, Bits<3>>,
    /// The scrubber has seen all rows.
    pub scrub_round: Signal<In, Bit>,
    /// A record has got its number.
    pub outcome: Signal<In, Bit>,
    /// With `outcome`: drop cause, or copied.
    pub outcome_cause: Signal<In, Bits<3>>,
    /// With `outcome`: it is the first of its frame.
    pub outcome_first: Signal<In, Bit>,
    /// A gap record is made.
    pub gap_record: Signal<In, Bit>,
    /// A dropped record is not counted per match.
    pub unattributed: Signal<In, Bit>,
    /// A command has been answered.
    pub answered: Signal<In, Bit>,
    /// Show a counter.
    pub read: Signal<In, Bit>,
    /// Which.
    pub number: Signal<In, Bits<6>>,
    /// Its copy, one clock later; 0 behind a clock without `read` and where no counter is.
    pub shown: Signal<Out, Bits<64>>,
    cell: [CounterCell; COUNT],
    answer: Reg<Bits<64>>,
    chosen: [Signal<Local, Bits<64>>; COUNT],
    found: Signal<Local, Bits<64>>,
    cell_number: [Constant<Bits<6>>; COUNT],
    class_number: [Constant<Bits<4>>; 16],
    cause_number: [Constant<Bits<3>>; 3],
}

impl Default for Counters {
    fn default() -> Self {
        let order = BEFORE.into_iter().chain((0..16).map(Counter::Class)).chain(BEHIND);
        assert!(COUNTERS.iter().map(|(counter, _, _)| *counter).eq(order), "the ABI's order of counters is another");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            snapshot: Signal::default(),
            arrived: Default::default(),
            arrived_bytes: Default::default(),
            arrived_error: Default::default(),
            departed: Default::default(),
            window_dropped: Default::default(),
            looked_up: Signal::default(),
            looked_up_port: Signal::default(),
            done: Signal::default(),
            class: Signal::default(),
            suppressed: Signal::default(),
            expired: Signal::default(),
            multiple: Signal::default(),
            damaged_reads: Signal::default(),
            damaged_rows: Signal::default(),
            scrub_round: Signal::default(),
            outcome: Signal::default(),
            outcome_cause: Signal::default(),
            outcome_first: Signal::default(),
            gap_record: Signal::default(),
            unattributed: Signal::default(),
            answered: Signal::default(),
            read: Signal::default(),
            number: Signal::default(),
            shown: Signal::default(),
            cell: core::array::from_fn(|_| CounterCell::default()),
            answer: Reg::default(),
            chosen: core::array::from_fn(|_| Signal::default()),
            found: Signal::default(),
            cell_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            class_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            cause_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
        }
    }
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, answer);
        self.found.next = bits::<64>(0);
        for i in 0..42 {
            self.cell[i].clock.next = self.clock.val();
            self.cell[i].reset.next = self.reset.val();
            self.cell[i].snapshot.next = self.snapshot.val();
            self.chosen[i].next = bits::<64>(0);
            if self.read.val() & (self.number.val() == self.cell_number[i].val()) {
                self.chosen[i].next = self.cell[i].shown.val();
            }
            self.found.next = self.found.val() | self.chosen[i].val();
        }
        self.answer.d.next = self.found.val();
        self.shown.next = self.answer.q.val();
        for i in 0..42 {
            self.cell[i].add.next = bits::<16>(0);
        }
        for port in 0..2 {
            if self.arrived[port].val() {
                self.cell[port].add.next = bits::<16>(1);
                self.cell[port + 2].add.next = self.arrived_bytes[port].val();
            }
            if self.departed[port].val() {
                self.cell[port + 4].add.next = bits::<16>(1);
            }
        }
        if self.looked_up.val() & !self.looked_up_port.val() {
            self.cell[6].add.next = bits::<16>(1);
        }
        if self.looked_up.val() & self.looked_up_port.val() {
            self.cell[7].add.next = bits::<16>(1);
        }
        for i in 0..16 {
            if self.done.val() & (self.class.val() == self.class_number[i].val()) {
                self.cell[i + 8].add.next = bits::<16>(1);
            }
        }
        if self.outcome.val() {
            self.cell[24].add.next = bit_cast::<16, 1>(self.outcome_first.val().into());
            self.cell[25].add.next = bits::<16>(1);
            if self.outcome_cause.val() == bits::<3>(7) {
                self.cell[26].add.next = bits::<16>(1);
            }
            for i in 0..3 {
                if self.outcome_cause.val() == self.cause_number[i].val() {
                    self.cell[i + 28].add.next = bits::<16>(1);
                }
            }
        }
        self.cell[27].add.next = bit_cast::<16, 1>(self.gap_record.val().into());
        self.cell[31].add.next = bit_cast::<16, 1>((self.arrived[0].val() & self.arrived_error[0].val()).into())
            + bit_cast::<16, 1>((self.arrived[1].val() & self.arrived_error[1].val()).into());
        self.cell[32].add.next = bit_cast::<16, 1>(self.window_dropped[0].val().into())
            + bit_cast::<16, 1>(self.window_dropped[1].val().into());
        self.cell[33].add.next = bit_cast::<16, 1>(self.window_dropped[0].val().into());
        self.cell[34].add.next = bit_cast::<16, 1>(self.unattributed.val().into());
        self.cell[35].add.next = bit_cast::<16, 1>((self.done.val() & self.suppressed.val()).into());
        self.cell[36].add.next = bit_cast::<16, 5>(self.expired.val());
        self.cell[37].add.next = bit_cast::<16, 5>(self.multiple.val());
        self.cell[38].add.next = bit_cast::<16, 5>(self.damaged_reads.val());
        self.cell[39].add.next = bit_cast::<16, 3>(self.damaged_rows.val());
        self.cell[40].add.next = bit_cast::<16, 1>(self.scrub_round.val().into());
        self.cell[41].add.next = bit_cast::<16, 1>(self.answered.val().into());
    }
}
