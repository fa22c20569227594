//! 64-bit counters, and their copies that the host reads.
//!
//! # Theory of operation
//! Each counter adds what its event said in the clock before; `snapshot` copies all of them in one clock, so the host reads values that belong
//! together. A copy that is asked for is at the output one clock later. What happens on the wires' clocks is counted there
//! ([`crate::axis::WireCounters`]) and only shown here. Numbers are those of [`writ_abi::registers::COUNTERS`].

use super::in_flight::InFlight;
use crate::axis::WIRE_COUNTS;
use crate::prelude::*;
use writ_abi::registers::{COUNTERS, Counter};

/// Counters that this block counts itself, in the order in which its kernel wires events to them. The classes stand where [`FIRST_CLASS`] says.
const CELLS: usize = 41;
const FIRST_CLASS: usize = 2;
const OUTSIDE: [Counter; CELLS - 16] = [
    Counter::FramesLookedUpA,
    Counter::FramesLookedUpB,
    Counter::FramesHit,
    Counter::RecordsDue,
    Counter::Records,
    Counter::GapRecords,
    Counter::Drop(0),
    Counter::Drop(1),
    Counter::Drop(2),
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
    Counter::TapCutA,
    Counter::TapCutB,
    Counter::SelfTestA,
    Counter::SelfTestB,
    Counter::VerdictsHit,
    Counter::FlaggedHits,
];
/// Levels, in the order in which the kernel wires them.
const LEVELS: [Counter; 3] = [Counter::InFlightA, Counter::InFlightB, Counter::InFlightHits];
/// Counters of each wire, in the order of [`crate::axis::WireCounters`]: what came in on a port, and what left on the other one. Of flagged
/// frames there is one counter, for both wires together.
const WIRES: [[Counter; WIRE_COUNTS]; 2] = [
    [
        Counter::FramesInA,
        Counter::BytesInA,
        Counter::Drop(3),
        Counter::FramesOutB,
        Counter::TapFifoA,
        Counter::MacOverflowB,
        Counter::MacUnderflowB,
    ],
    [
        Counter::FramesInB,
        Counter::BytesInB,
        Counter::Drop(3),
        Counter::FramesOutA,
        Counter::TapFifoB,
        Counter::MacOverflowA,
        Counter::MacUnderflowA,
    ],
];
const _: () = assert!(
    CELLS + LEVELS.len() + 2 * WIRE_COUNTS - 1 == COUNTERS.len() && COUNTERS.len() <= 64,
    "kernels write these out"
);

/// Number of a counter in the ABI.
fn number_of(counter: Counter) -> Constant<Bits<6>> {
    let number = COUNTERS.iter().position(|(each, _, _)| *each == counter);
    let number = number.unwrap_or_else(|| panic!("the ABI has no counter {counter:?}"));
    Constant::new((number as LiteralType).into())
}

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
    /// Copies of the counts of the wire from port A to port B.
    pub wire_a: [Signal<In, Bits<64>>; WIRE_COUNTS],
    /// Copies of the counts of the wire from port B to port A.
    pub wire_b: [Signal<In, Bits<64>>; WIRE_COUNTS],
    /// A frame has lost its end on the way to the copy side.
    pub tap_cut: [Signal<In, Bit>; 2],
    /// A frame of the card's own is made.
    pub self_test: [Signal<In, Bit>; 2],
    /// A frame's window is complete and will be looked up.
    pub window_kept: [Signal<In, Bit>; 2],
    /// A frame's window found no room.
    pub window_dropped: [Signal<In, Bit>; 2],
    /// A frame's keys enter lookup.
    pub looked_up: Signal<In, Bit>,
    /// With `looked_up`: port B.
    pub looked_up_port: Signal<In, Bit>,
    /// A frame has its verdict.
    pub done: Signal<In, Bit>,
    /// With `done`: it has at least one hit that counts.
    pub hit: Signal<In, Bit>,
    /// A frame with hits was discarded because the MAC flagged it or its end is missing.
    pub flagged: Signal<In, Bit>,
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
    cell: [CounterCell; CELLS],
    level: [InFlight; LEVELS.len()],
    answer: Reg<Bits<64>>,
    chosen: [Signal<Local, Bits<64>>; CELLS],
    wired: Signal<Local, Bits<64>>,
    found: Signal<Local, Bits<64>>,
    errors_low: Reg<Bits<33>>,
    errors_high: Reg<Bits<32>>,
    errors_carried: Reg<Bits<32>>,
    cell_number: [Constant<Bits<6>>; CELLS],
    level_number: [Constant<Bits<6>>; LEVELS.len()],
    wire_a_number: [Constant<Bits<6>>; WIRE_COUNTS],
    wire_b_number: [Constant<Bits<6>>; WIRE_COUNTS],
    errors_number: Constant<Bits<6>>,
    class_number: [Constant<Bits<4>>; 16],
    cause_number: [Constant<Bits<3>>; 3],
}

impl Default for Counters {
    fn default() -> Self {
        let classes = (0..16).map(Counter::Class);
        let mut cells: Vec<Counter> = OUTSIDE.to_vec();
        cells.splice(FIRST_CLASS..FIRST_CLASS, classes);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            snapshot: Signal::default(),
            wire_a: Default::default(),
            wire_b: Default::default(),
            tap_cut: Default::default(),
            self_test: Default::default(),
            window_kept: Default::default(),
            window_dropped: Default::default(),
            looked_up: Signal::default(),
            looked_up_port: Signal::default(),
            done: Signal::default(),
            hit: Signal::default(),
            flagged: Signal::default(),
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
            level: Default::default(),
            answer: Reg::default(),
            chosen: core::array::from_fn(|_| Signal::default()),
            wired: Signal::default(),
            found: Signal::default(),
            errors_low: Reg::default(),
            errors_high: Reg::default(),
            errors_carried: Reg::default(),
            cell_number: core::array::from_fn(|cell| number_of(cells[cell])),
            level_number: LEVELS.map(number_of),
            wire_a_number: WIRES[0].map(number_of),
            wire_b_number: WIRES[1].map(number_of),
            errors_number: number_of(Counter::Drop(3)),
            class_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            cause_number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
        }
    }
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        // Flagged frames of both wires; the sum stands before the last count of a snapshot has come.
        dff_setup!(self, clock, errors_low, errors_high, errors_carried, answer);
        self.errors_low.d.next = bit_cast::<33, 32>(self.wire_a[2].val().get_bits::<32>(0))
            + bit_cast::<33, 32>(self.wire_b[2].val().get_bits::<32>(0));
        self.errors_high.d.next = self.wire_a[2].val().get_bits::<32>(32) + self.wire_b[2].val().get_bits::<32>(32);
        self.errors_carried.d.next = self.errors_high.q.val() + bit_cast::<32, 33>(self.errors_low.q.val() >> 32);

        self.found.next = bits::<64>(0);
        for i in 0..41 {
            self.cell[i].clock.next = self.clock.val();
            self.cell[i].reset.next = self.reset.val();
            self.cell[i].snapshot.next = self.snapshot.val();
            self.cell[i].add.next = bits::<16>(0);
            self.chosen[i].next = bits::<64>(0);
            if self.read.val() & (self.number.val() == self.cell_number[i].val()) {
                self.chosen[i].next = self.cell[i].shown.val();
            }
            self.found.next = self.found.val() | self.chosen[i].val();
        }
        self.wired.next = bits::<64>(0);
        for i in 0..3 {
            self.level[i].clock.next = self.clock.val();
            self.level[i].reset.next = self.reset.val();
            self.level[i].snapshot.next = self.snapshot.val();
            if self.read.val() & (self.number.val() == self.level_number[i].val()) {
                self.wired.next = self.level[i].shown.val();
            }
        }
        for i in 0..WIRE_COUNTS {
            if self.read.val() & (self.number.val() == self.wire_a_number[i].val()) {
                self.wired.next = self.wire_a[i].val();
            }
            if self.read.val() & (self.number.val() == self.wire_b_number[i].val()) {
                self.wired.next = self.wire_b[i].val();
            }
        }
        if self.read.val() & (self.number.val() == self.errors_number.val()) {
            self.wired.next = bit_cast::<64, 32>(self.errors_low.q.val().get_bits::<32>(0))
                | (bit_cast::<64, 32>(self.errors_carried.q.val()) << 32);
        }
        self.answer.d.next = self.found.val() | self.wired.val();
        self.shown.next = self.answer.q.val();

        if self.looked_up.val() & !self.looked_up_port.val() {
            self.cell[0].add.next = bits::<16>(1);
        }
        if self.looked_up.val() & self.looked_up_port.val() {
            self.cell[1].add.next = bits::<16>(1);
        }
        for i in 0..16 {
            if self.done.val() & (self.class.val() == self.class_number[i].val()) {
                self.cell[i + 2].add.next = bits::<16>(1);
            }
        }
        if self.outcome.val() {
            self.cell[18].add.next = bit_cast::<16, 1>(self.outcome_first.val().into());
            self.cell[19].add.next = bits::<16>(1);
            if self.outcome_cause.val() == bits::<3>(7) {
                self.cell[20].add.next = bits::<16>(1);
            }
            for i in 0..3 {
                if self.outcome_cause.val() == self.cause_number[i].val() {
                    self.cell[i + 22].add.next = bits::<16>(1);
                }
            }
        }
        self.cell[21].add.next = bit_cast::<16, 1>(self.gap_record.val().into());
        self.cell[25].add.next = bit_cast::<16, 1>(self.window_dropped[0].val().into())
            + bit_cast::<16, 1>(self.window_dropped[1].val().into());
        self.cell[26].add.next = bit_cast::<16, 1>(self.window_dropped[0].val().into());
        self.cell[27].add.next = bit_cast::<16, 1>(self.unattributed.val().into());
        self.cell[28].add.next = bit_cast::<16, 1>((self.done.val() & self.suppressed.val()).into());
        self.cell[29].add.next = bit_cast::<16, 5>(self.expired.val());
        self.cell[30].add.next = bit_cast::<16, 5>(self.multiple.val());
        self.cell[31].add.next = bit_cast::<16, 5>(self.damaged_reads.val());
        self.cell[32].add.next = bit_cast::<16, 3>(self.damaged_rows.val());
        self.cell[33].add.next = bit_cast::<16, 1>(self.scrub_round.val().into());
        self.cell[34].add.next = bit_cast::<16, 1>(self.answered.val().into());
        for port in 0..2 {
            if self.tap_cut[port].val() {
                self.cell[port + 35].add.next = bits::<16>(1);
            }
            if self.self_test[port].val() {
                self.cell[port + 37].add.next = bits::<16>(1);
            }
            self.level[port].enters.next = self.window_kept[port].val();
        }
        self.cell[39].add.next = bit_cast::<16, 1>((self.done.val() & self.hit.val()).into());
        self.cell[40].add.next = bit_cast::<16, 1>(self.flagged.val().into());
        self.level[0].leaves.next = self.looked_up.val() & !self.looked_up_port.val();
        self.level[1].leaves.next = self.looked_up.val() & self.looked_up_port.val();
        self.level[2].enters.next = self.done.val() & self.hit.val();
        self.level[2].leaves.next = (self.outcome.val() & self.outcome_first.val()) | self.flagged.val();
    }
}
