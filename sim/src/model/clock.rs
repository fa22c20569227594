//! The card's time.

use writ_abi::time::{INCREMENT_FRACTION, INCREMENT_NS, NOT_AFTER_SHIFT};

/// 64 bits of nanoseconds and 32 of their fraction, moved on each clock.
pub(super) struct Clock {
    now_ns: u64,
    fraction: u32,
    /// 2^-32 ns a clock.
    increment: u64,
    expiry_floor: u64,
    /// Somebody tried to step it while the card was armed.
    is_doubted: bool,
    slew: Slew,
    pulse: Pulse,
}

/// An offset that comes a nanosecond at a time.
#[derive(Default)]
struct Slew {
    left_ns: i32,
    /// From one nanosecond to the next.
    every_clocks: u64,
    /// Until the next one.
    wait_clocks: u64,
}

/// The pulse-per-second input.
#[derive(Clone, Copy, Default)]
pub(super) struct Pulse {
    pub(super) count: u32,
    /// At the last rising edge.
    pub(super) ns: u64,
}

impl Slew {
    /// Nanoseconds that come in so many clocks.
    fn advance(&mut self, clocks: u64) -> i32 {
        if self.left_ns == 0 || clocks < self.wait_clocks {
            self.wait_clocks = self.wait_clocks.saturating_sub(clocks);
            return 0;
        }
        let past = clocks - self.wait_clocks;
        let due = (past / self.every_clocks + 1).min(u64::from(self.left_ns.unsigned_abs()));
        self.wait_clocks = self.every_clocks - past % self.every_clocks;
        let step = due as i32 * self.left_ns.signum();
        self.left_ns -= step;
        step
    }
}

impl Clock {
    pub(super) fn new() -> Self {
        let increment = u64::from(INCREMENT_NS) << 32 | u64::from(INCREMENT_FRACTION);
        Self {
            now_ns: 0,
            fraction: 0,
            increment,
            expiry_floor: 0,
            is_doubted: false,
            slew: Slew::default(),
            pulse: Pulse::default(),
        }
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
        let slewed = self.slew.advance(clocks);
        self.now_ns = self.now_ns.wrapping_add((moved >> 32) as u64).wrapping_add_signed(slewed.into());
    }

    /// Adds an offset, a nanosecond every so many clocks. What is left of the one before is dropped.
    pub(super) fn slew(&mut self, ns: i32, interval: u32) {
        let every_clocks = u64::from(interval.max(1)) + 1;
        self.slew = Slew { left_ns: ns, every_clocks, wait_clocks: every_clocks };
    }

    pub(super) fn slew_left_ns(&self) -> i32 {
        self.slew.left_ns
    }

    /// Somebody tried to step it while the card was armed: it is not to be trusted until [`Clock::disarmed`].
    pub(super) fn doubt(&mut self) {
        self.is_doubted = true;
    }

    pub(super) fn disarmed(&mut self) {
        self.is_doubted = false;
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// The pulse-per-second input rises.
    pub(super) fn pulse(&mut self) {
        self.pulse = Pulse { count: self.pulse.count.wrapping_add(1), ns: self.now_ns };
    }

    pub(super) fn last_pulse(&self) -> Pulse {
        self.pulse
    }

    /// Steps the clock. What had expired by the old time stays expired.
    pub(super) fn step(&mut self, now_ns: u64) {
        self.expiry_floor = self.expiry_floor.max(self.now_ns >> NOT_AFTER_SHIFT);
        self.now_ns = now_ns;
        self.fraction = 0;
    }
}
