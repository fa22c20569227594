//! Nanoseconds of TAI, counted in 2^-32 ns, and the floor below which no row lives again.
//!
//! # Theory of operation
//! Each clock adds the programmed increment to a 64-bit count of nanoseconds with a 32-bit fraction. `set` steps it, but only while
//! the card is disarmed. Each step first raises the expiry floor to the tick of the time that is left behind: a row that had expired
//! by the old time stays expired, however far back the clock is set. The quality goes through one register here so
//! that it changes in the same clock as the time it was written with.
//!
//! # Limits
//! No slewing by itself and no PPS input: the host steers through the increment.

use crate::prelude::*;
use writ_abi::time::{NOT_AFTER_BITS, NOT_AFTER_SHIFT};

const _: () = assert!(NOT_AFTER_SHIFT == 20 && NOT_AFTER_BITS == 44, "kernels write both numbers out");

/// The card's clock.
#[derive(LogicBlock, Default)]
pub struct CardClock {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets time, floor and quality to zero.
    pub reset: Signal<In, Bit>,
    /// The card is armed: `set` is ignored.
    pub armed: Signal<In, Bit>,
    /// Set the time to `set_ns` now.
    pub set: Signal<In, Bit>,
    /// Time to set.
    pub set_ns: Signal<In, Bits<64>>,
    /// Quality as the host wrote it.
    pub set_quality: Signal<In, Bits<2>>,
    /// Whole nanoseconds a clock.
    pub increment_ns: Signal<In, Bits<8>>,
    /// 2^-32 ns a clock.
    pub increment_fraction: Signal<In, Bits<32>>,
    /// Card time.
    pub now_ns: Signal<Out, Bits<64>>,
    /// Quality of `now_ns`.
    pub quality: Signal<Out, Bits<2>>,
    /// Rows with a `not_after` up to this tick are expired whatever the time.
    pub expiry_floor: Signal<Out, Bits<44>>,
    ns: RegR<Bits<64>>,
    fraction: RegR<Bits<32>>,
    floor: RegR<Bits<44>>,
    grade: RegR<Bits<2>>,
    fraction_sum: Signal<Local, Bits<33>>,
    carry: Signal<Local, Bits<64>>,
    tick: Signal<Local, Bits<44>>,
}

impl Logic for CardClock {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ns, fraction, floor, grade);
        self.ns.reset.next = self.reset.val();
        self.fraction.reset.next = self.reset.val();
        self.floor.reset.next = self.reset.val();
        self.grade.reset.next = self.reset.val();

        self.fraction_sum.next =
            bit_cast::<33, 32>(self.fraction.q.val()) + bit_cast::<33, 32>(self.increment_fraction.val());
        self.carry.next = bit_cast::<64, 33>(self.fraction_sum.val() >> 32);
        self.tick.next = self.ns.q.val().get_bits::<44>(20);

        self.fraction.d.next = self.fraction_sum.val().get_bits::<32>(0);
        self.ns.d.next = self.ns.q.val() + bit_cast::<64, 8>(self.increment_ns.val()) + self.carry.val();
        // A number without meaning is no trust.
        self.grade.d.next = bits::<2>(0);
        if self.set_quality.val() != bits::<2>(3) {
            self.grade.d.next = self.set_quality.val();
        }
        if self.set.val() & !self.armed.val() {
            self.ns.d.next = self.set_ns.val();
            self.fraction.d.next = bits::<32>(0);
            if self.tick.val() > self.floor.q.val() {
                self.floor.d.next = self.tick.val();
            }
        }

        self.now_ns.next = self.ns.q.val();
        self.quality.next = self.grade.q.val();
        self.expiry_floor.next = self.floor.q.val();
    }
}
