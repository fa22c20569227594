//! Steering the card's clock: its state, slewing, the pulse per second.

use crate::card::{Card, CardError, read, write_checked};
use writ_abi::registers::clock;
use writ_abi::time::TimeQuality;

/// How the card's clock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockState {
    /// Quality that stamps get now.
    pub quality: TimeQuality,
    /// Somebody tried to set the clock while the card was armed, and it was not disarmed since: the quality is `Unset` and nothing is copied.
    pub refused: bool,
    /// Nanoseconds that a slew still has to add.
    pub slew_left_ns: i32,
}

/// The pulse-per-second input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Rising edges since the card's reset, modulo 2^32.
    pub count: u32,
    /// The card's time two to three core clocks after the last of them.
    pub ns: u64,
}

/// Largest offset that can be slewed, either way.
pub const SLEW_NS_MAX: i32 = (1 << (clock::SLEW_NS.width - 1)) - 1;

impl Card {
    /// How the card's clock does.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NotTaken`] for a quality without meaning.
    pub fn clock_state(&self) -> Result<ClockState, CardError> {
        let state = read(&*self.bar, clock::STATE_AT)?;
        let left = clock::SLEW_LEFT_NS.extract(read(&*self.bar, clock::SLEW_LEFT_AT)?);
        let unused = u32::BITS - clock::SLEW_LEFT_NS.width;
        let quality = TimeQuality::from_bits(clock::STATE_QUALITY.extract(state) as u8);
        Ok(ClockState {
            quality: quality.ok_or(CardError::NotTaken { register: clock::STATE_AT, wrote: 0, read: state })?,
            refused: clock::STATE_REFUSED.extract(state) == 1,
            slew_left_ns: (left << unused) as i32 >> unused,
        })
    }

    /// Adds an offset to the card's time, armed or not, one nanosecond every `clocks` core clocks (2 to 65,536). The time never goes back. What is
    /// left of a slew before is dropped.
    ///
    /// # Errors
    /// [`CardError::Setting`] for an offset beyond [`SLEW_NS_MAX`] or another number of clocks, [`CardError::Gone`], or [`CardError::NotTaken`] if
    /// the card does not follow.
    pub fn slew(&self, ns: i32, clocks: u32) -> Result<(), CardError> {
        if ns.unsigned_abs() > SLEW_NS_MAX.unsigned_abs() {
            return Err(CardError::Setting { name: "slew_ns", given: ns.unsigned_abs().into() });
        }
        if !(2..=1 << clock::SLEW_INTERVAL.width).contains(&clocks) {
            return Err(CardError::Setting { name: "slew_clocks", given: clocks.into() });
        }
        let _held = self.hold();
        write_checked(&*self.bar, clock::SLEW_INTERVAL_AT, clocks - 1)?;
        let wrote = clock::SLEW_NS.place(ns as u32);
        self.bar.write32(clock::SLEW_AT, wrote | clock::SLEW_START.mask());
        let read = read(&*self.bar, clock::SLEW_AT)?;
        if read == wrote { Ok(()) } else { Err(CardError::NotTaken { register: clock::SLEW_AT, wrote, read }) }
    }

    /// The last pulse of the pulse-per-second input.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    pub fn pulse(&self) -> Result<Pulse, CardError> {
        let _held = self.hold();
        let count = self.bar.read32(clock::PPS_COUNT_AT);
        let low = self.bar.read32(clock::PPS_LO_AT);
        // The high word is never all ones before the year 2554.
        let high = read(&*self.bar, clock::PPS_HI_AT)?;
        Ok(Pulse { count, ns: u64::from(high) << 32 | u64::from(low) })
    }
}
