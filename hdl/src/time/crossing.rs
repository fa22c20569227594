//! The card's time on the clock of a wire, where frames get their stamps.
//!
//! # Theory of operation
//! The core sends its time through a small FIFO, one in four clocks, so that the FIFO is always empty and a time takes a constant number of
//! clocks but for one thing: where the wire's clock stands when it arrives. Behind the FIFO the constant is added, and for each
//! clock since the arrival the wire's nominal period. So the card's steering and slewing come along by themselves, without a control loop. The
//! result never goes back: where a later time would be smaller than what was shown, what was shown stays.
//!
//! A step of the card's time (`step`), a reset, or an interruption makes the next time be taken as it is.
//!
//! # Limits
//! **Error** of `wire_now_ns` against the card's time at the start of the same clock: half a period of the wire's clock either way, for
//! where its edge stands, and 1 ns for rounding; 2.6 ns at 322 MHz. A sample that falls into the edge itself may come a
//! period later (metastability): 5.7 ns at most. If no time comes for seven clocks of the wire, because the core's clock has stopped or is in
//! reset, the time stands still and the quality is 0, unset.

use super::types::TimeWord;
use crate::axis::AsyncFifo;
use crate::prelude::*;

/// Clocks of the core from one time to the next.
const EVERY_CLOCKS: u64 = 4;
/// Numbers of clocks since an arrival that are told apart; the last one means that the time is stale.
const AGES: usize = 8;

/// The card's time on another clock.
#[derive(LogicBlock)]
pub struct TimeCrossing {
    /// Clock of the core.
    pub clock: Signal<In, Clock>,
    /// Reset of the card's clock.
    pub reset: Signal<In, Bit>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Its quality.
    pub quality: Signal<In, Bits<2>>,
    /// The time is stepped: from the next clock on `now_ns` has nothing to do with what it was.
    pub step: Signal<In, Bit>,
    /// Clock of the wire.
    pub wire_clock: Signal<In, Clock>,
    /// Card time there.
    pub wire_now_ns: Signal<Out, Bits<64>>,
    /// Its quality.
    pub wire_quality: Signal<Out, Bits<2>>,
    turn: Reg<Bits<2>>,
    era: Reg<Bits<2>>,
    was_reset: Reg<Bit>,
    fifo: AsyncFifo<TimeWord, 2, 3>,
    base: Reg<TimeWord>,
    mark: Reg<Bits<2>>,
    age: RegR<Bits<3>>,
    add: Reg<Bits<8>>,
    to: Reg<Bits<64>>,
    low: Reg<Bits<23>>,
    low_rest: Reg<Bits<42>>,
    middle: Reg<Bits<44>>,
    middle_rest: Reg<Bits<21>>,
    mark_1: Reg<Bits<2>>,
    mark_2: Reg<Bits<2>>,
    mark_3: Reg<Bits<2>>,
    quality_1: Reg<Bits<2>>,
    quality_2: Reg<Bits<2>>,
    quality_3: Reg<Bits<2>>,
    full: Reg<Bits<64>>,
    full_mark: Reg<Bits<2>>,
    full_quality: Reg<Bits<2>>,
    shown: Reg<Bits<64>>,
    shown_mark: Reg<Bits<2>>,
    shown_quality: Reg<Bits<2>>,
    word: Signal<Local, TimeWord>,
    arrived: Signal<Local, TimeWord>,
    offset: Signal<Local, Bits<8>>,
    stale: Signal<Local, Bit>,
    sum: Signal<Local, Bits<22>>,
    ahead: Signal<Local, Bits<8>>,
    offsets: [Constant<Bits<8>>; AGES],
    ages: [Constant<Bits<3>>; AGES],
}

impl TimeCrossing {
    /// A crossing between clocks of these periods, in 2^-32 ns.
    ///
    /// # Panics
    /// If the wire's clock is so much faster that times would be taken for stale, or if what has to be added is not below 128 ns.
    pub fn new(core_period: u64, wire_period: u64) -> Self {
        let stale_after = wire_period * (AGES as u64 - 1);
        assert!(
            core_period * EVERY_CLOCKS + 2 * wire_period < stale_after,
            "the wire's clock is too fast for the core's"
        );
        // From the clock whose time is sent to that of its arrival: one clock of the core for the write, half a clock of the wire for where
        // its edge stands, three to the FIFO's output, six registers. And half a nanosecond each for the part of the time that is
        // not sent and for rounding.
        let offset = |age: u64| (core_period + (19 + 2 * age) * wire_period / 2 + (1 << 32)) >> 32;
        assert!(offset(AGES as u64 - 1) < 128, "clocks too slow for the offsets' width");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            now_ns: Signal::default(),
            quality: Signal::default(),
            step: Signal::default(),
            wire_clock: Signal::default(),
            wire_now_ns: Signal::default(),
            wire_quality: Signal::default(),
            turn: Reg::default(),
            era: Reg::default(),
            was_reset: Reg::default(),
            fifo: AsyncFifo::new(RamStyle::Distributed),
            base: Reg::default(),
            mark: Reg::default(),
            age: RegR::default(),
            add: Reg::default(),
            to: Reg::default(),
            low: Reg::default(),
            low_rest: Reg::default(),
            middle: Reg::default(),
            middle_rest: Reg::default(),
            mark_1: Reg::default(),
            mark_2: Reg::default(),
            mark_3: Reg::default(),
            quality_1: Reg::default(),
            quality_2: Reg::default(),
            quality_3: Reg::default(),
            full: Reg::default(),
            full_mark: Reg::default(),
            full_quality: Reg::default(),
            shown: Reg::default(),
            shown_mark: Reg::default(),
            shown_quality: Reg::default(),
            word: Signal::default(),
            arrived: Signal::default(),
            offset: Signal::default(),
            stale: Signal::default(),
            sum: Signal::default(),
            ahead: Signal::default(),
            offsets: core::array::from_fn(|age| Constant::new(offset(age as u64).into())),
            ages: core::array::from_fn(|age| Constant::new((age as LiteralType).into())),
        }
    }
}

impl Default for TimeCrossing {
    /// Both clocks at 322.265625 MHz.
    fn default() -> Self {
        let period = u64::from(writ_abi::time::INCREMENT_NS) << 32 | u64::from(writ_abi::time::INCREMENT_FRACTION);
        Self::new(period, period)
    }
}

impl Logic for TimeCrossing {
    #[hdl_gen]
    fn update(&mut self) {
        // Core.
        dff_setup!(self, clock, turn, era, was_reset);
        self.fifo.write_clock.next = self.clock.val();
        self.was_reset.d.next = self.reset.val();
        if self.step.val() | (self.reset.val() & !self.was_reset.q.val()) {
            self.era.d.next = self.era.q.val() + bits::<2>(1);
        }
        self.turn.d.next = self.turn.q.val() + bits::<2>(1);
        self.word.next.ns = self.now_ns.val();
        self.word.next.quality = self.quality.val();
        self.word.next.era = self.era.q.val();
        self.fifo.write_reset.next = self.reset.val();
        self.fifo.write.next = !self.turn.q.val().any();
        self.fifo.data_in.next = self.word.val();

        // Wire.
        dff_setup!(self, wire_clock, base, mark, age, add, to, low, low_rest, middle, middle_rest);
        dff_setup!(self, wire_clock, mark_1, mark_2, mark_3, quality_1, quality_2, quality_3);
        dff_setup!(self, wire_clock, full, full_mark, full_quality, shown, shown_mark, shown_quality);
        self.fifo.read_clock.next = self.wire_clock.val();
        self.fifo.read_reset.next = false;
        self.fifo.read.next = true;
        self.arrived.next = self.fifo.data_out.val();
        self.stale.next = self.age.q.val().all();
        self.age.reset.next = self.fifo.valid.val();
        if !self.stale.val() {
            self.age.d.next = self.age.q.val() + bits::<3>(1);
        }
        if self.fifo.valid.val() {
            self.base.d.next = self.arrived.val();
            if self.stale.val() | (self.arrived.val().era != self.base.q.val().era) {
                self.mark.d.next = self.mark.q.val() + bits::<2>(1);
            }
        }
        self.offset.next = self.offsets[0].val();
        for i in 1..AGES {
            if self.age.q.val() == self.ages[i].val() {
                self.offset.next = self.offsets[i].val();
            }
        }
        self.add.d.next = self.offset.val();
        self.to.d.next = self.base.q.val().ns;
        self.mark_1.d.next = self.mark.q.val();
        self.quality_1.d.next = self.base.q.val().quality;
        if self.stale.val() {
            self.quality_1.d.next = bits::<2>(0);
        }

        // The sum in three parts, one a clock.
        self.low.d.next = bit_cast::<23, 22>(self.to.q.val().get_bits::<22>(0)) + bit_cast::<23, 8>(self.add.q.val());
        self.low_rest.d.next = self.to.q.val().get_bits::<42>(22);
        self.mark_2.d.next = self.mark_1.q.val();
        self.quality_2.d.next = self.quality_1.q.val();
        self.sum.next =
            bit_cast::<22, 21>(self.low_rest.q.val().get_bits::<21>(0)) + bit_cast::<22, 23>(self.low.q.val() >> 22);
        self.middle.d.next =
            bit_cast::<44, 22>(self.low.q.val().get_bits::<22>(0)) | (bit_cast::<44, 22>(self.sum.val()) << 22);
        self.middle_rest.d.next = self.low_rest.q.val().get_bits::<21>(21);
        self.mark_3.d.next = self.mark_2.q.val();
        self.quality_3.d.next = self.quality_2.q.val();
        self.full.d.next = bit_cast::<64, 43>(self.middle.q.val().get_bits::<43>(0))
            | (bit_cast::<64, 21>(self.middle_rest.q.val() + bit_cast::<21, 44>(self.middle.q.val() >> 43)) << 43);
        self.full_mark.d.next = self.mark_3.q.val();
        self.full_quality.d.next = self.quality_3.q.val();

        // Two times of one era are less than 128 ns apart.
        self.ahead.next = self.full.q.val().get_bits::<8>(0) - self.shown.q.val().get_bits::<8>(0);
        if !self.ahead.val().get_bit(7) | (self.full_mark.q.val() != self.shown_mark.q.val()) {
            self.shown.d.next = self.full.q.val();
        }
        self.shown_mark.d.next = self.full_mark.q.val();
        self.shown_quality.d.next = self.full_quality.q.val();
        self.wire_now_ns.next = self.shown.q.val();
        self.wire_quality.next = self.shown_quality.q.val();
    }
}
