//! The card's time.

use writ_abi::time::{INCREMENT_FRACTION, INCREMENT_NS, NOT_AFTER_SHIFT};

/// 64 bits of nanoseconds and 32 of their fraction, moved on each clock.
pub(super) struct Clock {
    now_ns: u64,
    fraction: u32,
    /// 2^-32 ns a clock.
    increment: u64,
    expiry_floor: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        let increment = u64::from(INCREMENT_NS) << 32 | u64::from(INCREMENT_FRACTION);
        Self { now_ns: 0, fraction: 0, increment, expiry_floor: 0 }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    pub(super) fn expiry_floor(&self) -> u64 {
        self.expiry_floor
    }

    pub(super) fn increment(&self) -> u64 {
        self.increment
    }

    pub(super) fn set_increment(&mut self, ns: u32, fraction: u32) {
        self.increment = u64::from(ns) << 32 | u64::from(fraction);
    }

    pub(super) fn advance(&mut self, clocks: u64) {
        let moved = u128::from(self.increment) * u128::from(clocks) + u128::from(self.fraction);
        self.fraction = moved as u32;
        self.now_ns = self.now_ns.wrapping_add((moved >> 32) as u64);
    }

    /// Steps the clock. What had expired by the old time stays expired.
    pub(super) fn step(&mut self, now_ns: u64) {
        self.expiry_floor = self.expiry_floor.max(self.now_ns >> NOT_AFTER_SHIFT);
        self.now_ns = now_ns;
        self.fraction = 0;
    }
}
