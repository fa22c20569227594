//! The card's counters as of one clock.

use writ_abi::registers::{COUNTERS, Counter};

/// Values of all counters of the ABI, taken in the same clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    values: [u64; Counters::COUNT],
}

impl Counters {
    /// How many there are.
    pub const COUNT: usize = COUNTERS.len();

    /// These values, in the order of the register reference.
    pub fn new(values: [u64; Self::COUNT]) -> Self {
        Self { values }
    }

    /// The value of a counter; 0 for a drop cause or parse class that the ABI does not have.
    pub fn value(&self, counter: Counter) -> u64 {
        self.iter().find(|(each, _, _)| *each == counter).map_or(0, |(_, _, value)| value)
    }

    /// The value of a counter by its name in the register reference.
    pub fn by_name(&self, name: &str) -> Option<u64> {
        self.iter().find(|(_, each, _)| *each == name).map(|(_, _, value)| value)
    }

    /// Every counter with its name and value, in the order of the register reference.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, &'static str, u64)> + use<'_> {
        COUNTERS.iter().zip(self.values).map(|((counter, name, _), value)| (*counter, *name, value))
    }
}
