//! One property a test.

use crate::card::{Card, Event};
use crate::frames::{Frame, Ip, Random};
use crate::reference::Pair;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::command::{Command, Opcode, Row, RowState, Rule, Status};
use writ_abi::parse::TunnelKind;
use writ_abi::{Lookup, MatchIndex, Scope, Table, hash, key};

pub(crate) const NEVER: u64 = writ_abi::time::NOT_AFTER_NEVER;

/// A frame with every key there is, all different.
pub(crate) fn full_frame() -> Frame {
    let v6 = |low: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, low, 0, 0, 0, 0, low));
    let outer = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));
    Frame {
        mac: Some([[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]]),
        vlan: Some((100, Some(200))),
        link_tunnel: Some(key::pppoe_key(17, [2, 0, 0, 0, 0, 2])),
        ip_tunnel: Some(key::tunnel_key(TunnelKind::GtpU, 0x1234_5678, outer)),
        outer: Some(Ip { source: v6(1), destination: v6(2), protocol: 17 }),
        inner: Some(Ip { source: v6(3), destination: v6(4), protocol: 6 }),
        ports: Some([443, 50_000]),
        ..Frame::new(5 << 20, v6(1), v6(2), 17)
    }
}

pub(crate) fn row(key: &[u8], index: u32) -> Row {
    let mut padded = [0; 38];
    padded[..key.len()].copy_from_slice(key);
    let match_index = MatchIndex::new(index).expect("in range");
    Row { key: padded, match_index, scope: Scope::Content, not_after: NEVER, ring: 1 }
}

/// A rule for exactly the packet's 5-tuple.
pub(crate) fn exact_rule(frame: &Frame, index: u32) -> Rule {
    Rule { row: row(&[0xff; 38], index), value: frame.rule_key().expect("an IP header"), destination: false }
}

fn place(table: Table, key: &[u8], way: u8) -> u32 {
    hash::rows(key, table.rows_per_way())[usize::from(way)]
}

#[test]
fn every_lookup_finds_its_row_in_every_way_and_no_other_does() {
    let Some(mut pair) = Pair::armed() else { return };
    let frame = full_frame();
    pair.set(false, 0, 48);
    pair.set(true, 0, 48);
    for lookup in Lookup::ALL.into_iter().take(17) {
        let (table, key) = frame.key(lookup, 48).expect("it has every key");
        for way in 0..4 {
            let place = place(table, &key, way);
            pair.command(Command::write_row(1, table, way, place, &row(&key, 131_071)));
            pair.finish();
            pair.frame(&frame);
            pair.command(Command::clear_row(2, table, way, place));
            let (verdicts, _) = pair.finish();
            assert_eq!(verdicts[0].hits, [(lookup as usize, 131_071, 2, 1, false)], "{lookup:?} way {way}");
            pair.frame(&frame);
            assert_eq!(pair.finish().0[0].hits, [], "{lookup:?} way {way}");
        }
    }
}

#[test]
fn each_bank_and_each_rule_number_hits() {
    let Some(mut pair) = Pair::armed() else { return };
    let mut random = Random(4);
    let frame = full_frame();
    for number in 0..128 {
        let bank = random.below(4) as u8;
        let rule = Rule { destination: number % 2 == 1, ..exact_rule(&frame, number) };
        pair.command(Command::stage_rule(1, &rule));
        pair.command(Command::write_rule(2, bank, number, &rule));
        pair.finish();
        pair.frame(&frame);
        // Every bit of the key counts.
        let mut other = frame.clone();
        other.ports = Some([443 ^ 1 << random.below(16), 50_000]);
        pair.frame(&other);
        pair.command(Command::clear_rule(3, bank, number));
        let (verdicts, _) = pair.finish();
        assert_eq!(verdicts[0].hits, [(17 + usize::from(bank), number, 2, 1, number % 2 == 1)]);
        assert_eq!(verdicts[1].hits, []);
    }
}

#[test]
fn every_bit_of_a_rule_counts() {
    let Some(mut pair) = Pair::armed() else { return };
    let frame = full_frame();
    let good = exact_rule(&frame, 7);
    for bit in 0..304_usize {
        let mut wrong = good;
        wrong.value[bit / 8] ^= 1 << (bit % 8);
        let mut loose = wrong;
        loose.row.key[bit / 8] ^= 1 << (bit % 8);
        for (bank, rule) in [(1, wrong), (2, loose)] {
            pair.command(Command::clear_rule(1, bank, 5));
            pair.command(Command::stage_rule(1, &rule));
            pair.command(Command::write_rule(2, bank, 5, &rule));
        }
        pair.finish();
        pair.frame(&frame);
        assert_eq!(pair.finish().0[0].hits, [(19, 7, 2, 1, false)], "bit {bit}");
    }
}

#[test]
fn a_reset_leaves_nothing_behind() {
    let Some(mut card) = Card::armed() else { return };
    let frame = full_frame();
    let (_, key) = frame.key(Lookup::OuterSource, 0).expect("it has every key");
    let rule = exact_rule(&frame, 3);
    let write = Command::write_row(1, Table::Address, 0, place(Table::Address, &key, 0), &row(&key, 1));
    let fill = [write, Command::stage_rule(1, &rule), Command::write_rule(1, 3, 127, &rule)];
    fill.iter().for_each(|command| card.command(command));
    card.finish();
    let mut noise = Random(1);
    card.frame(&frame.parsed(&mut noise));
    assert_eq!(hits(&card.finish()), [2]);
    card.command(&Command::new(Opcode::Commit, 1));
    card.finish();
    assert!(card.state().committed);

    card.reset();
    assert_eq!((card.state().ready, card.state().committed), (false, false));
    for opcode in Opcode::ALL {
        card.command(&Command::new(opcode, 9));
    }
    card.frame(&frame.parsed(&mut noise));
    let events = card.finish();
    assert_eq!(hits(&events), [0]);
    let statuses: Vec<u8> = completions(&events).map(|completion| completion.status).collect();
    let not_ready = Status::NotReady as u8;
    assert_eq!(statuses[0], Status::Done as u8);
    assert!(statuses[1..].iter().all(|&status| status == not_ready), "{statuses:?}");

    card.idle(8_300);
    assert!(card.state().ready);
    card.frame(&frame.parsed(&mut noise));
    card.command(&Command::read_row(1, Table::Address, 0, write.row.get()));
    card.command(&Command::read_rule(1, 3, 127, false));
    let events = card.finish();
    assert_eq!(hits(&events), [0]);
    assert!(completions(&events).all(|completion| completion.row_state == RowState::Invalid as u8));
}

fn hits(events: &[Event]) -> Vec<usize> {
    let verdicts = events.iter().filter_map(|event| match event {
        Event::Verdict(verdict) => Some(verdict.hits.len()),
        _ => None,
    });
    verdicts.collect()
}

fn completions(events: &[Event]) -> impl Iterator<Item = &writ_abi::command::Completion> {
    events.iter().filter_map(|event| match event {
        Event::Completed(completion) => Some(&**completion),
        _ => None,
    })
}

/// Clocks that the commands take, from one completion to the next, with a frame in every clock that the engine leaves.
fn clocks_under_load(pair: &mut Pair, commands: &[Command], frames: u32) -> u64 {
    commands.iter().for_each(|command| pair.command(*command));
    let frame = full_frame();
    for _ in 0..frames {
        pair.frame(&frame);
    }
    let (_, completions) = pair.finish();
    let done = completions.iter().map(|completion| completion.stamp_ns.get());
    assert!(completions.iter().all(|completion| completion.status == 0));
    (done.clone().max().expect("some") - done.min().expect("some")) / (commands.len() as u64 - 1)
}

#[test]
fn commands_are_as_quick_as_promised() {
    let Some(mut pair) = Pair::armed() else { return };
    let writes: Vec<Command> =
        (0..200).map(|i| Command::write_row(i, Table::Address, 1, i, &row(&[4, i as u8], i))).collect();
    let rule = |i: u32| Rule { row: row(&[0xff; 38], i), value: [i as u8; 38], destination: false };
    let rules = |numbers: std::ops::Range<u32>| -> Vec<Command> {
        numbers.flat_map(|i| [Command::stage_rule(i, &rule(i)), Command::write_rule(i, 0, i, &rule(i))]).collect()
    };
    // Time stands in clocks here, 322 a microsecond: 10 million rows and a million rules a second.
    let idle = clocks_under_load(&mut pair, &writes, 0);
    let loaded = clocks_under_load(&mut pair, &writes, 8_000);
    let idle_rule = 2 * clocks_under_load(&mut pair, &rules(0..40), 0);
    let loaded_rule = 2 * clocks_under_load(&mut pair, &rules(40..80), 20_000);
    println!("clocks: row {idle}, {loaded} under load; rule {idle_rule}, {loaded_rule} under load");
    assert!(idle <= 10 && loaded <= 32, "a row takes {idle} clocks, {loaded} under load");
    assert!(idle_rule <= 200 && loaded_rule <= 322, "a rule takes {idle_rule} clocks, {loaded_rule} under load");
}

#[test]
fn a_batch_becomes_visible_between_two_frames() {
    let Some(mut pair) = Pair::armed() else { return };
    let frame = full_frame();
    // Every lookup of the frame changes its answer, half from something to nothing and half the other way.
    let mut clears = Vec::new();
    for (i, lookup) in Lookup::ALL.into_iter().take(17).enumerate() {
        let Some((table, key)) = frame.key(lookup, 0) else { continue };
        let write = Command::write_row(1, table, 2, place(table, &key, 2), &row(&key, i as u32));
        if i % 2 == 0 {
            pair.command(write);
            clears.push(Command::clear_row(2, table, 2, write.row.get()).pending());
        } else {
            pair.command(write.pending());
        }
    }
    for bank in 0..4_u8 {
        let rule = exact_rule(&frame, 100 + u32::from(bank));
        pair.command(Command::stage_rule(3, &rule));
        let write = Command::write_rule(3, bank, 9, &rule);
        if bank % 2 == 0 {
            pair.command(write);
            clears.push(Command::clear_rule(4, bank, 9).pending());
        } else {
            pair.command(write.pending());
        }
    }
    clears.into_iter().for_each(|clear| pair.command(clear));
    pair.finish();
    for end in [Opcode::Commit, Opcode::Settle] {
        pair.command(Command::new(end, 5));
        for _ in 0..300 {
            pair.frame(&frame);
        }
        let (verdicts, _) = pair.finish();
        let slots = |i: usize| verdicts[i].hits.iter().map(|hit| hit.0).collect::<Vec<_>>();
        let changes = (1..verdicts.len()).filter(|&i| verdicts[i] != verdicts[i - 1]).count();
        assert_eq!(changes, usize::from(end == Opcode::Commit), "one clock for all");
        let last = slots(verdicts.len() - 1);
        assert!(last.iter().all(|slot| if *slot < 17 { slot % 2 == 1 } else { slot % 2 == 0 }), "{last:?}");
        assert!(last.len() >= 8, "{last:?}");
    }
}

#[test]
fn nobody_is_lost_while_rows_and_rules_move() {
    let Some(mut pair) = Pair::armed() else { return };
    let frame = full_frame();
    let (table, key) = frame.key(Lookup::InnerSource, 0).expect("it has every key");
    pair.command(Command::write_row(1, table, 0, place(table, &key, 0), &row(&key, 1)));
    let rule = exact_rule(&frame, 0);
    pair.command(Command::stage_rule(1, &rule));
    pair.command(Command::write_rule(1, 2, 50, &rule));
    pair.finish();
    for round in 0..40_u8 {
        // To the next way and back; the rule changes its content where it stands, then moves.
        let (from, to) = (round % 4, (round + 1) % 4);
        pair.command(Command::write_row(1, table, to, place(table, &key, to), &row(&key, 1)));
        pair.command(Command::clear_row(1, table, from, place(table, &key, from)));
        let rule = exact_rule(&frame, u32::from(round));
        let (from, to) = (50 + u32::from(round % 2), 50 + u32::from((round + 1) % 2));
        pair.command(Command::stage_rule(1, &rule));
        pair.command(Command::write_rule(1, 2, from, &rule));
        pair.command(Command::stage_rule(1, &rule));
        pair.command(Command::write_rule(1, 2, to, &rule));
        pair.command(Command::clear_rule(1, 2, from));
        for _ in 0..600 {
            pair.frame(&frame);
        }
        let (verdicts, _) = pair.finish();
        assert!(verdicts.iter().all(|verdict| verdict.hits.len() == 2), "round {round}");
        assert!(verdicts.iter().all(|verdict| verdict.multi == 0), "round {round}");
    }
}
