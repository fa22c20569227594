//! What happens on one wire, counted on its own clock, and the counts as the core sees them.
//!
//! # Theory of operation
//! The core asks for a snapshot; in one clock of the wire all counts are copied, so they belong together; then they go to the core
//! through a FIFO, one a clock. A count is two parts, of 31 and 32 bits, the carry between them in a register: what is copied is the low part
//! of the clock before, to which the high part belongs. What is to be added waits in a register first: events come at the end of long paths.
//!
//! # Limits
//! A snapshot that is asked for while another is under way (`pending`) is not taken. If the wire's clock stands still, it stays
//! pending until the clock runs or the core is reset.

use super::async_fifo::AsyncFifo;
use super::beat::CountWord;
use crate::cdc::EventCrossing;
use crate::prelude::*;

/// Counts of one wire, in the order of [`WireCounters::values`].
pub const WIRE_COUNTS: usize = 7;

/// One count and its copy.
#[derive(LogicBlock, Default)]
pub struct WireCounterCell {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets both to zero.
    pub reset: Signal<In, Bit>,
    /// Count this many.
    pub add: Signal<In, Bits<16>>,
    /// Copy.
    pub copy: Signal<In, Bit>,
    /// The copy.
    pub copied: Signal<Out, Bits<64>>,
    late: RegR<Bits<16>>,
    low: RegR<Bits<32>>,
    low_before: RegR<Bits<31>>,
    high: RegR<Bits<32>>,
    shadow: Reg<Bits<64>>,
}

impl Logic for WireCounterCell {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, late, low, low_before, high, shadow);
        self.late.reset.next = self.reset.val();
        self.late.d.next = self.add.val();
        self.low.reset.next = self.reset.val();
        self.low_before.reset.next = self.reset.val();
        self.high.reset.next = self.reset.val();
        self.low.d.next =
            bit_cast::<32, 31>(self.low.q.val().get_bits::<31>(0)) + bit_cast::<32, 16>(self.late.q.val());
        self.low_before.d.next = self.low.q.val().get_bits::<31>(0);
        if self.low.q.val().get_bit(31) {
            self.high.d.next = self.high.q.val() + bits::<32>(1);
        }
        if self.copy.val() {
            self.shadow.d.next =
                bit_cast::<64, 31>(self.low_before.q.val()) | (bit_cast::<64, 32>(self.high.q.val()) << 31);
        }
        self.copied.next = self.shadow.q.val();
    }
}

/// Counters of one wire.
#[derive(LogicBlock)]
pub struct WireCounters {
    /// Clock of the wire.
    pub wire_clock: Signal<In, Clock>,
    /// A frame has arrived.
    pub arrived: Signal<In, Bit>,
    /// With `arrived`: its bytes with FCS.
    pub arrived_bytes: Signal<In, Bits<16>>,
    /// With `arrived`: the MAC flagged it.
    pub arrived_error: Signal<In, Bit>,
    /// A frame has left.
    pub departed: Signal<In, Bit>,
    /// A frame was lost on its way from the tap to the core.
    pub tap_lost: Signal<In, Bit>,
    /// A frame was lost or cut in the FIFO in front of the transmitter.
    pub mac_overflow: Signal<In, Bit>,
    /// The transmitter had to wait inside a frame at this clock.
    pub mac_underflow: Signal<In, Bit>,
    /// Clock of the core.
    pub clock: Signal<In, Clock>,
    /// Sets all counts to zero.
    pub reset: Signal<In, Bit>,
    /// Copy all counts.
    pub snapshot: Signal<In, Bit>,
    /// The snapshot has not come yet.
    pub pending: Signal<Out, Bit>,
    /// Counts at the last snapshot: frames in, bytes in, frames in that the MAC flagged, frames out, frames lost to the tap, frames lost or
    /// cut in front of the transmitter, clocks in which the transmitter had to wait.
    pub values: [Signal<Out, Bits<64>>; WIRE_COUNTS],
    cell: [WireCounterCell; WIRE_COUNTS],
    ask: EventCrossing<3>,
    wanted: Reg<Bit>,
    index: Reg<Bits<3>>,
    fifo: AsyncFifo<CountWord, 3, 4>,
    waiting: RegR<Bit>,
    value: [RegR<Bits<64>>; WIRE_COUNTS],
    closed: Signal<Local, Bit>,
    start: Signal<Local, Bit>,
    out: Signal<Local, CountWord>,
    came: Signal<Local, CountWord>,
    number: [Constant<Bits<3>>; WIRE_COUNTS],
}

impl Default for WireCounters {
    fn default() -> Self {
        Self {
            wire_clock: Signal::default(),
            arrived: Signal::default(),
            arrived_bytes: Signal::default(),
            arrived_error: Signal::default(),
            departed: Signal::default(),
            tap_lost: Signal::default(),
            mac_overflow: Signal::default(),
            mac_underflow: Signal::default(),
            clock: Signal::default(),
            reset: Signal::default(),
            snapshot: Signal::default(),
            pending: Signal::default(),
            values: Default::default(),
            cell: Default::default(),
            ask: EventCrossing::default(),
            wanted: Reg::default(),
            index: Reg::default(),
            fifo: AsyncFifo::default(),
            waiting: RegR::default(),
            value: Default::default(),
            closed: Signal::default(),
            start: Signal::default(),
            out: Signal::default(),
            came: Signal::default(),
            number: core::array::from_fn(|number| Constant::new((number as LiteralType + 1).into())),
        }
    }
}

impl Logic for WireCounters {
    #[hdl_gen]
    fn update(&mut self) {
        // Wire.
        dff_setup!(self, wire_clock, wanted, index);
        self.closed.next = !self.fifo.open.val();
        self.ask.from_clock.next = self.clock.val();
        self.ask.event.next = self.snapshot.val() & !self.waiting.q.val();
        self.ask.clock.next = self.wire_clock.val();
        self.ask.reset.next = false;
        self.start.next = self.wanted.q.val() & !self.closed.val() & !self.index.q.val().any();
        self.wanted.d.next = self.ask.seen.val() | (self.wanted.q.val() & !self.start.val());
        for i in 0..WIRE_COUNTS {
            self.cell[i].clock.next = self.wire_clock.val();
            self.cell[i].reset.next = self.closed.val();
            self.cell[i].copy.next = self.start.val();
            self.cell[i].add.next = bits::<16>(0);
        }
        if self.arrived.val() {
            self.cell[1].add.next = self.arrived_bytes.val();
        }
        self.cell[0].add.next = bit_cast::<16, 1>(self.arrived.val().into());
        self.cell[2].add.next = bit_cast::<16, 1>((self.arrived.val() & self.arrived_error.val()).into());
        self.cell[3].add.next = bit_cast::<16, 1>(self.departed.val().into());
        self.cell[4].add.next = bit_cast::<16, 1>(self.tap_lost.val().into());
        self.cell[5].add.next = bit_cast::<16, 1>(self.mac_overflow.val().into());
        self.cell[6].add.next = bit_cast::<16, 1>(self.mac_underflow.val().into());

        // Copies leave one a clock: number 1 is the first, 0 is none.
        self.fifo.write_clock.next = self.wire_clock.val();
        self.fifo.write_reset.next = false;
        self.fifo.write.next = self.index.q.val().any();
        self.out.next.number = self.index.q.val();
        self.out.next.value = bits::<64>(0);
        for i in 0..WIRE_COUNTS {
            if self.index.q.val() == self.number[i].val() {
                self.out.next.value = self.cell[i].copied.val();
            }
        }
        self.fifo.data_in.next = self.out.val();
        if self.start.val() {
            self.index.d.next = bits::<3>(1);
        } else if self.index.q.val().any() & !self.fifo.full.val() {
            self.index.d.next = self.index.q.val() + bits::<3>(1);
        }
        if self.closed.val() {
            self.index.d.next = bits::<3>(0);
        }

        // Core.
        dff_setup!(self, clock, waiting);
        self.waiting.reset.next = self.reset.val();
        self.fifo.read_clock.next = self.clock.val();
        self.fifo.read_reset.next = self.reset.val();
        self.fifo.read.next = true;
        self.came.next = self.fifo.data_out.val();
        if self.snapshot.val() {
            self.waiting.d.next = true;
        } else if self.fifo.valid.val() & self.came.val().number.all() {
            self.waiting.d.next = false;
        }
        for i in 0..WIRE_COUNTS {
            self.value[i].clock.next = self.clock.val();
            self.value[i].reset.next = self.reset.val();
            self.value[i].d.next = self.value[i].q.val();
            if self.fifo.valid.val() & (self.came.val().number == self.number[i].val()) {
                self.value[i].d.next = self.came.val().value;
            }
            self.values[i].next = self.value[i].q.val();
        }
        self.pending.next = self.waiting.q.val();
    }
}

const _: () = assert!(WIRE_COUNTS == 7, "the kernel takes number 7 for the last");
