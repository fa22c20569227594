//! 64-bit counters, and their copies that the host reads.
//!
//! # Theory of operation
//! Each counter adds what its event says; `snapshot` copies all of them in one clock, so the host reads values that belong together. The order is
//! that of [`writ_abi::registers::COUNTERS`]: construction fails if this block's order is another.

use crate::prelude::*;
use writ_abi::registers::{COUNTERS, Counter};

/// The order in which the kernel wires events to counters.
const ORDER: [Counter; 29] = [
    Counter::FramesInA,
    Counter::FramesInB,
    Counter::BytesInA,
    Counter::BytesInB,
    Counter::FramesOutA,
    Counter::FramesOutB,
    Counter::FramesLookedUpA,
    Counter::FramesLookedUpB,
    Counter::Class(0),
    Counter::Class(1),
    Counter::Class(2),
    Counter::Class(3),
    Counter::Class(4),
    Counter::Class(5),
    Counter::Class(6),
    Counter::Class(7),
    Counter::Class(8),
    Counter::FramesHit,
    Counter::Records,
    Counter::GapRecords,
    Counter::Drop(0),
    Counter::Drop(1),
    Counter::Drop(2),
    Counter::Drop(3),
    Counter::Drop(4),
    Counter::DropUnattributed,
    Counter::SuppressedTime,
    Counter::ExpiredHits,
    Counter::Commands,
];

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
    value: RegR<Bits<64>>,
    copy: RegR<Bits<64>>,
}

impl Logic for CounterCell {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, value, copy);
        self.value.reset.next = self.reset.val();
        self.copy.reset.next = self.reset.val();
        if self.add.val().any() {
            self.value.d.next = self.value.q.val() + bit_cast::<64, 16>(self.add.val());
        }
        if self.snapshot.val() {
            self.copy.d.next = self.value.q.val();
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
    /// See [`crate::lookup::Lookup`].
    pub suppressed: Signal<In, Bit>,
    /// See [`crate::lookup::Lookup`].
    pub expired: Signal<In, Bits<3>>,
    /// A frame with hits has got a number.
    pub outcome: Signal<In, Bit>,
    /// With `outcome`: drop cause, or copied.
    pub outcome_cause: Signal<In, Bits<3>>,
    /// A gap record is made.
    pub gap_record: Signal<In, Bit>,
    /// A dropped frame is not counted per match.
    pub unattributed: Signal<In, Bit>,
    /// A command has been answered.
    pub answered: Signal<In, Bit>,
    /// Show a counter.
    pub read: Signal<In, Bit>,
    /// Which.
    pub number: Signal<In, Bits<6>>,
    /// Its copy; 0 while `read` is low and where no counter is.
    pub shown: Signal<Out, Bits<64>>,
    cell: [CounterCell; ORDER.len()],
    cell_number: [Constant<Bits<6>>; ORDER.len()],
    class_number: [Constant<Bits<4>>; 9],
    cause_number: [Constant<Bits<3>>; 3],
}

impl Default for Counters {
    fn default() -> Self {
        assert!(COUNTERS.iter().map(|(counter, _, _)| *counter).eq(ORDER), "the ABI's order of counters is another");
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
            outcome: Signal::default(),
            outcome_cause: Signal::default(),
            gap_record: Signal::default(),
            unattributed: Signal::default(),
            answered: Signal::default(),
            read: Signal::default(),
            number: Signal::default(),
            shown: Signal::default(),
            cell: core::array::from_fn(|_| CounterCell::default()),
            cell_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            class_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            cause_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
        }
    }
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        self.shown.next = bits::<64>(0);
        for i in 0..29 {
            self.cell[i].clock.next = self.clock.val();
            self.cell[i].reset.next = self.reset.val();
            self.cell[i].snapshot.next = self.snapshot.val();
            if self.read.val() & (self.number.val() == self.cell_number[i].val()) {
                self.shown.next = self.cell[i].shown.val();
            }
        }
        for i in 0..29 {
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
        for i in 0..9 {
            if self.done.val() & (self.class.val() == self.class_number[i].val()) {
                self.cell[i + 8].add.next = bits::<16>(1);
            }
        }
        if self.outcome.val() {
            self.cell[17].add.next = bits::<16>(1);
            if self.outcome_cause.val() == bits::<3>(7) {
                self.cell[18].add.next = bits::<16>(1);
            }
            for i in 0..3 {
                if self.outcome_cause.val() == self.cause_number[i].val() {
                    self.cell[i + 20].add.next = bits::<16>(1);
                }
            }
        }
        self.cell[19].add.next = bit_cast::<16, 1>(self.gap_record.val().into());
        self.cell[23].add.next = bit_cast::<16, 1>((self.arrived[0].val() & self.arrived_error[0].val()).into())
            + bit_cast::<16, 1>((self.arrived[1].val() & self.arrived_error[1].val()).into());
        self.cell[24].add.next = bit_cast::<16, 1>(self.window_dropped[0].val().into())
            + bit_cast::<16, 1>(self.window_dropped[1].val().into());
        self.cell[25].add.next = bit_cast::<16, 1>(self.unattributed.val().into());
        self.cell[26].add.next = bit_cast::<16, 1>((self.done.val() & self.suppressed.val()).into());
        self.cell[27].add.next = bit_cast::<16, 3>(self.expired.val());
        self.cell[28].add.next = bit_cast::<16, 1>(self.answered.val().into());
    }
}
