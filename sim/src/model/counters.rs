//! Live counters and their snapshot.

use writ_abi::PortSide;
use writ_abi::registers::{COUNTERS, Counter};

#[derive(Clone)]
pub(super) struct LiveCounters([u64; COUNTERS.len()]);

impl LiveCounters {
    pub(super) const ZERO: Self = Self([0; COUNTERS.len()]);

    pub(super) fn add(&mut self, counter: Counter, amount: u64) {
        if let Some(position) = COUNTERS.iter().position(|(each, _, _)| *each == counter) {
            self.0[position] += amount;
        }
    }

    /// Adds to the counter of a pair that belongs to the port.
    pub(super) fn add_for(&mut self, port: PortSide, [a, b]: [Counter; 2], amount: u64) {
        self.add(if port == PortSide::A { a } else { b }, amount);
    }

    pub(super) fn value(&self, counter: Counter) -> u64 {
        COUNTERS.iter().position(|(each, _, _)| *each == counter).map_or(0, |position| self.0[position])
    }

    /// A word of the COUNTERS block: even ones are low words.
    pub(super) fn word(&self, word: usize) -> u32 {
        self.0.get(word / 2).map_or(0, |value| (value >> (word % 2 * 32)) as u32)
    }
}
