//! What random scenarios have come upon: a run that never hits, never drops and never expires proves little.

use crate::common::replay::Expected;
use std::collections::BTreeMap;
use writ_abi::Lookup;
use writ_abi::parse::ParseClass;
use writ_abi::record::{self, Record};
use writ_abi::registers::Counter;

/// Sums over scenarios, of what the model expected.
#[derive(Default)]
pub(crate) struct Coverage {
    counters: BTreeMap<Counter, u64>,
    /// Hits by the number of their lookup.
    hits: [u64; Lookup::ALL.len()],
    second_lines: u64,
    cut: u64,
    statuses: BTreeMap<u8, u64>,
}

impl Coverage {
    pub(crate) fn add(&mut self, expected: &Expected) {
        for (counter, value) in &expected.counters {
            *self.counters.entry(*counter).or_default() += value;
        }
        for completion in &expected.completions {
            *self.statuses.entry(completion.status).or_default() += 1;
        }
        for bytes in expected.records.iter().flatten() {
            let Ok((Record::Packet(packet), _)) = record::parse(bytes) else { continue };
            for hit in packet.hits() {
                self.hits[hit.lookup as usize] += 1;
            }
            self.second_lines += u64::from(packet.second.is_some());
            self.cut += u64::from(packet.header.flags & record::flags::CUT != 0);
        }
    }

    fn of(&self, counter: Counter) -> u64 {
        self.counters.get(&counter).copied().unwrap_or(0)
    }

    /// Holds the sums against what so many frames should have come upon.
    pub(crate) fn check(&self, frames: u64) {
        println!("{self}");
        if frames < 50_000 {
            return;
        }
        for (lookup, hits) in Lookup::ALL.iter().zip(self.hits) {
            assert!(hits >= 20, "{lookup:?} hit {hits} times in {frames} frames");
        }
        let some = |what: &str, count: u64, least: u64| {
            assert!(count >= least, "{what}: {count} in {frames} frames");
        };
        for class in ParseClass::ALL {
            some(&format!("{class:?}"), self.of(Counter::Class(class as u8)), 20);
        }
        some("records", self.of(Counter::Records), frames / 5);
        for (what, counter) in [
            ("gap records", Counter::GapRecords),
            ("drops for a full ring", Counter::Drop(1)),
            ("frames that are too long", Counter::Drop(2)),
            ("frames that came too fast", Counter::Drop(4)),
            ("expired", Counter::ExpiredHits),
            ("more than one row", Counter::MultiHits),
            ("damaged rows", Counter::DamagedReads),
            ("suppressed", Counter::SuppressedTime),
        ] {
            some(what, self.of(counter), 5);
        }
        some("second header lines", self.second_lines, 5);
        some("cuts", self.cut, frames / 50);
        for status in [0, 2, 3, 5] {
            some(&format!("status {status}"), self.statuses.get(&status).copied().unwrap_or(0), 10);
        }
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "hits by lookup: {:?}", self.hits)?;
        writeln!(f, "records with two header lines {}, cut {}", self.second_lines, self.cut)?;
        writeln!(f, "completions by status: {:?}", self.statuses)?;
        let counters = self.counters.iter().filter(|(_, value)| **value > 0);
        counters.into_iter().try_for_each(|(counter, value)| writeln!(f, "{counter:?} {value}"))
    }
}
