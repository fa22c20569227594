//! The card's clock: nanoseconds of TAI, set, steered, slewed, measured against a pulse per second. And the floor below which no row
//! lives again.
//!
//! # Theory of operation
//! Each clock adds the programmed increment to a 64-bit count of nanoseconds with a 32-bit fraction: that is how the host steers the
//! rate. A **slew** adds an offset of whole nanoseconds over time, one every so many clocks, while the clock goes on; a new one
//! replaces what is left of the one before. One nanosecond is less than any useful increment, and a negative slew rests while the
//! increment is below one, so **the time never goes back but by `set`**, and `set` works only while the card is disarmed. A `set` while
//! armed is not taken; but whoever wrote it thinks that the time is wrong, so from then on the quality is `unset` until the card is
//! disarmed, and nothing is copied.
//!
//! Each step first raises the expiry floor to the tick of the time that is left behind: a row that had expired by the old time stays
//! expired, however far back the clock is set.
//!
//! **PPS.** The first clock that sees the input high captures the time and counts. The input's edge came 2 to 3 clocks before the captured time
//! (two registers of the synchroniser, and where the clock stood): the host subtracts 2.5 clocks and is right to half a clock.
//!
//! **Timing.** No path is longer than a sum of 23 bits and a choice. The fraction is added in two halves, and its carry to the
//! increment, before they reach the count; so an increment counts four clocks after it was written. The count's upper 41 bits
//! have their successor ready in registers: it is needed every 2^23 ns at most. A `set` is taken three clocks after it came: then
//! the successor of what it sets is ready too.
//!
//! # Limits
//! A `set` that comes within the three clocks of another replaces it. A `set` drops what four clocks would have added to the fraction:
//! less than 4 ns. No PPS output.

use crate::prelude::*;
use writ_abi::time::{NOT_AFTER_BITS, NOT_AFTER_SHIFT};

const _: () = assert!(NOT_AFTER_SHIFT == 20 && NOT_AFTER_BITS == 44, "kernels write both numbers out");

/// The card's clock.
#[derive(LogicBlock, Default)]
pub struct SteeredClock {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets time, floor and quality to zero, and ends a slew.
    pub reset: Signal<In, Bit>,
    /// The card is armed.
    pub armed: Signal<In, Bit>,
    /// Set the time to `set_ns`, three clocks from now.
    pub set: Signal<In, Bit>,
    /// Time to set.
    pub set_ns: Signal<In, Bits<64>>,
    /// Quality as the host wrote it.
    pub set_quality: Signal<In, Bits<2>>,
    /// Whole nanoseconds a clock.
    pub increment_ns: Signal<In, Bits<8>>,
    /// 2^-32 ns a clock.
    pub increment_fraction: Signal<In, Bits<32>>,
    /// Slew by `slew_ns` from now on.
    pub slew: Signal<In, Bit>,
    /// Nanoseconds to add, two's complement.
    pub slew_ns: Signal<In, Bits<24>>,
    /// Clocks from one nanosecond of a slew to the next, less one. 0 is taken for 1.
    pub slew_interval: Signal<In, Bits<16>>,
    /// Pulse per second, without relation to any clock.
    pub pps: Signal<In, Bit>,
    /// Card time.
    pub now_ns: Signal<Out, Bits<64>>,
    /// Quality of `now_ns`.
    pub quality: Signal<Out, Bits<2>>,
    /// The time is stepped: from the next clock on `now_ns` has nothing to do with what it was.
    pub stepped: Signal<Out, Bit>,
    /// A `set` came while armed.
    pub refused: Signal<Out, Bit>,
    /// One came, and the card was not disarmed since.
    pub in_doubt: Signal<Out, Bit>,
    /// Rows with a `not_after` up to this tick are expired whatever the time.
    pub expiry_floor: Signal<Out, Bits<44>>,
    /// Nanoseconds that the slew still has to add, two's complement.
    pub slew_left: Signal<Out, Bits<24>>,
    /// Card time at the last pulse.
    pub pps_ns: Signal<Out, Bits<64>>,
    /// Pulses.
    pub pps_count: Signal<Out, Bits<32>>,
    low: RegR<Bits<23>>,
    upper: RegR<Bits<41>>,
    next_low: Reg<Bits<21>>,
    next_upper: Reg<Bits<41>>,
    set_next_low: Reg<Bits<21>>,
    set_next_upper: Reg<Bits<41>>,
    fraction_low: RegR<Bits<17>>,
    fraction_high: RegR<Bits<17>>,
    step_high: RegR<Bits<16>>,
    carry_step: RegR<Bits<17>>,
    pace: RegR<Bits<9>>,
    pace_2: RegR<Bits<9>>,
    pace_3: RegR<Bits<9>>,
    advance: RegR<Bits<9>>,
    wanted: RegR<Bit>,
    settling: RegR<Bits<2>>,
    doubted: RegR<Bit>,
    grade: RegR<Bits<2>>,
    floor: RegR<Bits<44>>,
    left: RegR<Bits<44>>,
    left_valid: RegR<Bits<2>>,
    above_high: Reg<Bit>,
    same_high: Reg<Bit>,
    above_low: Reg<Bit>,
    slewing: RegR<Bits<24>>,
    countdown: RegR<Bits<16>>,
    up: RegR<Bit>,
    down: RegR<Bit>,
    pps_seen: Synchronizer<Bit>,
    pps_before: Reg<Bit>,
    pps_time: RegR<Bits<64>>,
    pps_pulses: RegR<Bits<32>>,
    due: Signal<Local, Bit>,
    less: Signal<Local, Bits<24>>,
    sum: Signal<Local, Bits<24>>,
    execute: Signal<Local, Bit>,
    steps: Signal<Local, Bit>,
    pulse: Signal<Local, Bit>,
    time: Signal<Local, Bits<64>>,
    tick: Signal<Local, Bits<44>>,
}

impl Logic for SteeredClock {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            low,
            upper,
            next_low,
            next_upper,
            set_next_low,
            set_next_upper,
            fraction_low,
            fraction_high,
            step_high,
            carry_step,
            pace,
            pace_2,
            pace_3,
            advance
        );
        dff_setup!(
            self, clock, wanted, settling, doubted, grade, floor, left, left_valid, above_high, same_high, above_low
        );
        dff_setup!(self, clock, slewing, countdown, up, down, pps_before, pps_time, pps_pulses);
        clock!(self, clock, pps_seen);
        self.low.reset.next = self.reset.val();
        self.upper.reset.next = self.reset.val();
        self.fraction_low.reset.next = self.reset.val();
        self.fraction_high.reset.next = self.reset.val();
        self.step_high.reset.next = self.reset.val();
        self.carry_step.reset.next = self.reset.val();
        self.pace.reset.next = self.reset.val();
        self.pace_2.reset.next = self.reset.val();
        self.pace_3.reset.next = self.reset.val();
        self.advance.reset.next = self.reset.val();
        self.wanted.reset.next = self.reset.val();
        self.settling.reset.next = self.reset.val();
        self.doubted.reset.next = self.reset.val();
        self.grade.reset.next = self.reset.val();
        self.floor.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.left_valid.reset.next = self.reset.val();
        self.slewing.reset.next = self.reset.val();
        self.countdown.reset.next = self.reset.val();
        self.up.reset.next = self.reset.val();
        self.down.reset.next = self.reset.val();
        self.pps_time.reset.next = self.reset.val();
        self.pps_pulses.reset.next = self.reset.val();

        // Slew: one nanosecond, up or down, behind the end of the countdown.
        self.due.next = !self.countdown.q.val().any()
            & !(self.up.q.val() | self.down.q.val())
            & self.slewing.q.val().any()
            & !self.slew.val();
        self.up.d.next = self.due.val() & !self.slewing.q.val().get_bit(23);
        self.down.d.next = self.due.val() & self.slewing.q.val().get_bit(23) & self.increment_ns.val().any();
        self.pace.d.next = bit_cast::<9, 8>(self.increment_ns.val());
        self.less.next = bits::<24>(0);
        if self.up.q.val() {
            self.pace.d.next = bit_cast::<9, 8>(self.increment_ns.val()) + bits::<9>(1);
            self.less.next = bits::<24>(0xff_ffff);
        } else if self.down.q.val() {
            // The increment may have changed since.
            if self.increment_ns.val().any() {
                self.pace.d.next = bit_cast::<9, 8>(self.increment_ns.val()) - bits::<9>(1);
            }
            self.less.next = bits::<24>(1);
        }
        self.slewing.d.next = self.slewing.q.val() + self.less.val();
        self.countdown.d.next = self.countdown.q.val() - bits::<16>(1);
        if !self.countdown.q.val().any() {
            self.countdown.d.next = self.slew_interval.val();
        }
        if self.slew.val() {
            self.slewing.d.next = self.slew_ns.val();
            self.countdown.d.next = self.slew_interval.val();
        }

        // The count. `advance` is what the next clock adds.
        self.fraction_low.d.next = bit_cast::<17, 16>(self.fraction_low.q.val().get_bits::<16>(0))
            + bit_cast::<17, 16>(self.increment_fraction.val().get_bits::<16>(0));
        self.step_high.d.next = self.increment_fraction.val().get_bits::<16>(16);
        self.carry_step.d.next =
            bit_cast::<17, 16>(self.step_high.q.val()) + bit_cast::<17, 17>(self.fraction_low.q.val() >> 16);
        self.fraction_high.d.next =
            bit_cast::<17, 16>(self.fraction_high.q.val().get_bits::<16>(0)) + self.carry_step.q.val();
        self.pace_2.d.next = self.pace.q.val();
        self.pace_3.d.next = self.pace_2.q.val();
        self.advance.d.next = self.pace_3.q.val() + bit_cast::<9, 17>(self.fraction_high.q.val() >> 16);
        self.sum.next = bit_cast::<24, 23>(self.low.q.val()) + bit_cast::<24, 9>(self.advance.q.val());
        self.low.d.next = self.sum.val().get_bits::<23>(0);
        if self.sum.val().get_bit(23) {
            self.upper.d.next = self.next_upper.q.val();
        }
        self.next_low.d.next = bit_cast::<21, 20>(self.upper.q.val().get_bits::<20>(0)) + bits::<21>(1);
        self.next_upper.d.next = bit_cast::<41, 20>(self.next_low.q.val().get_bits::<20>(0))
            | (bit_cast::<41, 21>(
                self.upper.q.val().get_bits::<21>(20) + bit_cast::<21, 21>(self.next_low.q.val() >> 20),
            ) << 20);
        self.set_next_low.d.next = bit_cast::<21, 20>(self.set_ns.val().get_bits::<20>(23)) + bits::<21>(1);
        self.set_next_upper.d.next = bit_cast::<41, 20>(self.set_next_low.q.val().get_bits::<20>(0))
            | (bit_cast::<41, 21>(
                self.set_ns.val().get_bits::<21>(43) + bit_cast::<21, 21>(self.set_next_low.q.val() >> 20),
            ) << 20);

        // Steps.
        self.time.next = bit_cast::<64, 23>(self.low.q.val()) | (bit_cast::<64, 41>(self.upper.q.val()) << 23);
        self.tick.next = self.time.val().get_bits::<44>(20);
        self.execute.next = self.wanted.q.val() & !self.settling.q.val().any();
        self.wanted.d.next = self.set.val() | (self.wanted.q.val() & !self.execute.val());
        self.steps.next = self.execute.val() & !self.armed.val();
        if self.settling.q.val().any() {
            self.settling.d.next = self.settling.q.val() - bits::<2>(1);
        }
        if self.set.val() {
            self.settling.d.next = bits::<2>(2);
        }
        if self.steps.val() {
            self.low.d.next = self.set_ns.val().get_bits::<23>(0);
            self.upper.d.next = self.set_ns.val().get_bits::<41>(23);
            self.next_upper.d.next = self.set_next_upper.q.val();
            self.next_low.d.next = self.set_next_low.q.val();
            self.fraction_low.d.next = bits::<17>(0);
            self.fraction_high.d.next = bits::<17>(0);
            self.step_high.d.next = bits::<16>(0);
            self.carry_step.d.next = bits::<17>(0);
            self.advance.d.next = self.pace_3.q.val();
            self.left.d.next = self.tick.val();
        }
        self.stepped.next = self.steps.val();
        self.refused.next = self.execute.val() & self.armed.val();
        self.in_doubt.next = self.doubted.q.val();
        self.doubted.d.next = (self.doubted.q.val() | self.execute.val()) & self.armed.val();

        // The floor: the tick that was left, if it is above.
        self.left_valid.d.next = bits::<2>(0);
        if self.steps.val() {
            self.left_valid.d.next = bits::<2>(1);
        } else if self.left_valid.q.val() == bits::<2>(1) {
            self.left_valid.d.next = bits::<2>(2);
        }
        self.above_high.d.next = self.left.q.val().get_bits::<22>(22) > self.floor.q.val().get_bits::<22>(22);
        self.same_high.d.next = self.left.q.val().get_bits::<22>(22) == self.floor.q.val().get_bits::<22>(22);
        self.above_low.d.next = self.left.q.val().get_bits::<22>(0) > self.floor.q.val().get_bits::<22>(0);
        if (self.left_valid.q.val() == bits::<2>(2))
            & (self.above_high.q.val() | (self.same_high.q.val() & self.above_low.q.val()))
        {
            self.floor.d.next = self.left.q.val();
        }

        // Quality: a number without meaning is no trust.
        self.grade.d.next = bits::<2>(0);
        if self.set_quality.val() != bits::<2>(3) {
            self.grade.d.next = self.set_quality.val();
        }
        self.quality.next = self.grade.q.val();
        if self.doubted.q.val() {
            self.quality.next = bits::<2>(0);
        }

        // Pulse per second.
        self.pps_seen.d.next = self.pps.val();
        self.pps_before.d.next = self.pps_seen.q.val();
        self.pulse.next = self.pps_seen.q.val() & !self.pps_before.q.val();
        if self.pulse.val() {
            self.pps_time.d.next = self.time.val();
            self.pps_pulses.d.next = self.pps_pulses.q.val() + bits::<32>(1);
        }

        self.now_ns.next = self.time.val();
        self.expiry_floor.next = self.floor.q.val();
        self.slew_left.next = self.slewing.q.val();
        self.pps_ns.next = self.pps_time.q.val();
        self.pps_count.next = self.pps_pulses.q.val();
    }
}
