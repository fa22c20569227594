//! Real captures, with rows for what they hold.

use crate::common::captures::{captures, ethernet_frames};
use crate::common::random::{self, Rng};
use crate::common::scenario::{Action, Scenario};
use crate::common::{in_ring, row, with_fcs};
use crate::good;
use crate::run::check;
use std::collections::BTreeSet;
use writ_abi::command::Command;
use writ_abi::time::NOT_AFTER_NEVER;
use writ_abi::{Lookup, PortSide, Scope, Table, hash};
use writ_driver::rule_commands;
use writ_sim::model::parse::{key_of, parse};

const PREFIX_BITS: u8 = 64;

/// Rows for every second key that the frames have, and some rules.
fn rows_for(frames: &[Vec<u8>]) -> Vec<Vec<Command>> {
    let mut keys: BTreeSet<(Table, Vec<u8>)> = BTreeSet::new();
    for (number, frame) in frames.iter().enumerate() {
        let parsed = parse(&with_fcs(frame));
        let port = PortSide::ALL[number % 2];
        keys.extend(
            Lookup::ALL
                .into_iter()
                .filter_map(|lookup| Some((lookup.table()?, key_of(&parsed, port, lookup, PREFIX_BITS)?))),
        );
    }
    let mut taken = BTreeSet::new();
    let mut rows = Vec::new();
    for (number, (table, key)) in keys.iter().step_by(2).enumerate() {
        let places = hash::rows(key, table.rows_per_way());
        let Some(way) = (0..4).find(|way| taken.insert((*table, *way, places[*way]))) else { continue };
        let write = row(*table, key, way, number as u32, Scope::ALL[number % 3], NOT_AFTER_NEVER);
        rows.push(vec![in_ring(write, number as u8 % 4)]);
    }
    let mut rng = Rng::new(5);
    for number in 0..8 {
        let (bank, _, rule) = random::rule(&mut rng, frames);
        rows.push(rule_commands(bank, number, &rule, false).to_vec());
    }
    rows
}

#[test]
fn real_captures() {
    let Some(captures) = captures() else { return };
    let mut played = 0;
    for capture in &captures {
        let Some(frames) = ethernet_frames(capture) else { continue };
        let mut actions = Vec::new();
        for (number, frame) in frames.iter().enumerate() {
            actions.push(good(PortSide::ALL[number % 2], frame));
            actions.push(Action::Run(frame.len() as u64 / 64));
            if number % 4 == 0 {
                actions.push(Action::Consume(15));
            }
        }
        let rows = rows_for(&frames);
        // GTP-U is the carrier's own here, and so is GRE with a key.
        let own_tunnels = 1 << 1 | 1 << 4;
        let plain = Scenario::plain(Vec::new(), actions);
        let expected = check(&Scenario { rows, own_tunnels, prefix_bits: Some(PREFIX_BITS), ..plain });
        assert_eq!(expected.dropped, 0);
        let records: usize = expected.records.iter().map(Vec::len).sum();
        println!("{}: {} frames, {records} records", capture.display(), frames.len());
        played += 1;
    }
    assert!(played > 10, "{played} Ethernet captures in {} files", captures.len());
}
