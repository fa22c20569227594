//! Bits that flip by themselves: nothing is selected by a damaged row, and the scrubber finds it.

use crate::directed::{exact_rule, full_frame, row};
use crate::reference::Pair;
use writ_abi::command::{Command, RowState, Rule};
use writ_abi::{Lookup, Table, hash};

/// Memories that `bench.sv` knows.
const ADDRESS_KEYS: u32 = 0;
const ADDRESS_KEYS_OF_COPY: u32 = 1;
const ADDRESS_ROWS: u32 = 2;
const ENDPOINT_KEYS: u32 = 3;
const ENDPOINT_ROWS: u32 = 4;
const RULE_WORDS: u32 = 5;
const RULE_ROWS: u32 = 6;
const CELLS: u32 = 7;

/// Looks the frame up with the bit flipped and flipped back: (slots that hit, damaged lookups), both times.
fn around_flip(pair: &mut Pair, flip: (u32, u32, u32)) -> [(Vec<usize>, u32); 2] {
    let frame = full_frame().parsed(&mut crate::frames::Random(3));
    [(), ()].map(|()| {
        pair.card.flip(flip.0, flip.1, flip.2);
        pair.card.frame(&frame);
        let events = pair.card.finish();
        let verdict = events.into_iter().find_map(|event| match event {
            crate::card::Event::Verdict(verdict) => Some(verdict),
            _ => None,
        });
        let verdict = verdict.expect("one frame");
        (verdict.hits.iter().map(|hit| hit.0).collect(), verdict.damaged)
    })
}

#[test]
fn no_single_bit_of_a_row_can_flip_unseen() {
    let Some(mut pair) = Pair::armed() else { return };
    let frame = full_frame();
    let (_, outer) = frame.key(Lookup::OuterDestination, 0).expect("it has every key");
    let (_, endpoint) = frame.key(Lookup::EndpointSource, 0).expect("it has every key");
    let address_place = hash::rows(&outer, Table::Address.rows_per_way())[0];
    let endpoint_place = hash::rows(&endpoint, Table::Endpoint.rows_per_way())[2];
    pair.command(Command::write_row(1, Table::Address, 0, address_place, &row(&outer, 1)));
    pair.command(Command::write_row(1, Table::Endpoint, 2, endpoint_place, &row(&endpoint, 2)));
    pair.finish();
    let both = vec![1, 8];
    for (memory, place, bits, hurt) in [
        (ADDRESS_KEYS, address_place, 144, vec![8]),
        (ADDRESS_ROWS, address_place, 72, vec![8]),
        (ENDPOINT_KEYS, endpoint_place, 168, vec![1]),
        (ENDPOINT_ROWS, endpoint_place, 72, vec![1]),
    ] {
        for bit in 0..bits {
            let seen = around_flip(&mut pair, (memory, place, bit));
            assert_eq!(seen, [(hurt.clone(), 1), (both.clone(), 0)], "memory {memory} bit {bit}");
        }
    }
    // The copy serves the inner addresses; a read looks at both.
    pair.card.flip(ADDRESS_KEYS_OF_COPY, address_place, 30);
    pair.card.command(&Command::read_row(5, Table::Address, 0, address_place));
    let damaged = pair.card.finish().into_iter().any(|event| match event {
        crate::card::Event::Completed(completion) => completion.row_state == RowState::Damaged as u8,
        _ => false,
    });
    assert!(damaged, "a damaged copy is a damaged row");
    assert_eq!(around_flip(&mut pair, (ADDRESS_KEYS_OF_COPY, address_place, 31)), [(both.clone(), 0), (both, 0)]);
}

#[test]
fn no_single_bit_of_a_rule_can_flip_unseen() {
    let Some(mut pair) = Pair::armed() else { return };
    let rule = exact_rule(&full_frame(), 1);
    pair.command(Command::stage_rule(1, &rule));
    pair.command(Command::write_rule(1, 0, 77, &rule));
    pair.finish();
    for (memory, bits) in [(RULE_WORDS, 624), (RULE_ROWS, 72)] {
        for bit in 0..bits {
            let seen = around_flip(&mut pair, (memory, 77, bit));
            assert_eq!(seen, [(vec![], 1), (vec![17], 0)], "memory {memory} bit {bit}");
        }
    }
}

#[test]
fn a_flipped_cell_selects_nobody() {
    let Some(mut pair) = Pair::armed() else { return };
    // The second rule differs from the frame in the first chunk alone.
    let good = exact_rule(&full_frame(), 1);
    let mut wrong = Rule { row: row(&[0xff; 38], 2), ..good };
    wrong.value[0] ^= 1;
    for (number, rule) in [(10, good), (3, wrong)] {
        pair.command(Command::stage_rule(1, &rule));
        pair.command(Command::write_rule(1, 0, number, &rule));
    }
    pair.finish();
    let chunk = u32::from(good.value[0] & 31);
    assert_eq!(around_flip(&mut pair, (CELLS, chunk, 3)), [(vec![17], 0), (vec![17], 0)]);
    // What the other way round means stands in the limits.
    assert_eq!(around_flip(&mut pair, (CELLS, chunk, 10)), [(vec![], 0), (vec![17], 0)]);
}

#[test]
fn the_scrubber_finds_each_damage_in_every_round() {
    let Some(mut pair) = Pair::armed() else { return };
    let (rules, ends) = (Lookup::Rule0Source, Table::Vlan);
    assert!((rules as usize) == 17 && (ends as usize) == 6, "the walk's order");
    let rule = exact_rule(&full_frame(), 1);
    pair.set(false, 0, 0);
    pair.command(Command::stage_rule(1, &rule));
    pair.command(Command::write_rule(1, 0, 100, &rule));
    pair.command(Command::corrupt_row(1, Table::Address, 3, 8_191));
    pair.command(Command::corrupt_row(1, Table::Vlan, 2, 255));
    pair.command(Command::corrupt_row(1, Table::Vlan, 2, 255));
    pair.command(Command::corrupt_row(1, Table::Vlan, 0, 255));
    pair.finish();
    assert_eq!((pair.card.state().damaged_rows, pair.card.state().damage), (0, 0));
    let round = 64 * (8_192 + 1_024 + 3 * 2_048 + 1_024 + 256 + 128);
    pair.card.idle(round + 10_000);
    let one = pair.card.state();
    assert_eq!((one.rounds, one.damaged_rows, one.damage), (1, 3, 1 << 31 | 6 << 20 | 2 << 16 | 255));
    // The rule is damaged while the second round is on its way; a row is written again.
    pair.card.flip(RULE_ROWS, 100, 40);
    pair.command(Command::clear_row(1, Table::Address, 3, 8_191));
    pair.finish();
    pair.card.idle(round);
    let two = pair.card.state();
    assert_eq!((two.rounds, two.damaged_rows, two.damage), (2, 6, 1 << 31 | 15 << 20 | 100));
}
