//! The scrubber: comes by all rows again and again and finds the damaged ones.

use super::counters::LiveCounters;
use super::tables::Tables;
use super::timing::SCRUB_CLOCKS;
use writ_abi::registers::{Counter, lookup};

/// Nothing depends on the moment in which a row is looked at, so a round is made up for when it can be seen: before a command, and when
/// counters or the alarm are read.
pub(super) struct Scrubber {
    round_ends: u64,
    /// The DAMAGE register.
    damage: u32,
}

impl Scrubber {
    /// Starts its first round at a clock.
    pub(super) fn new(clock: u64) -> Self {
        Self { round_ends: clock + SCRUB_CLOCKS, damage: 0 }
    }

    /// Makes all rounds that have ended.
    pub(super) fn catch_up(&mut self, clock: u64, tables: &Tables, counters: &mut LiveCounters) {
        let Some(late) = clock.checked_sub(self.round_ends) else { return };
        let rounds = 1 + late / SCRUB_CLOCKS;
        self.round_ends += rounds * SCRUB_CLOCKS;
        counters.add(Counter::ScrubRounds, rounds);
        for (table, way, row) in tables.damaged() {
            counters.add(Counter::DamagedRows, rounds);
            self.damage = lookup::DAMAGE_SEEN.mask()
                | lookup::DAMAGE_TABLE.place(table as u32)
                | lookup::DAMAGE_WAY.place(way.into())
                | lookup::DAMAGE_ROW.place(row);
        }
    }

    /// The DAMAGE register.
    pub(super) fn damage(&self) -> u32 {
        self.damage
    }
}
