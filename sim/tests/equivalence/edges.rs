//! Frame lengths, the edge of the window, full rings, numbers of hits.

use crate::common::frames::udp;
use crate::common::packet;
use crate::common::random::{self, Rng};
use crate::common::scenario::{Action, Scenario};
use crate::common::{Wild, address_row, in_ring, row, with_fcs};
use crate::good;
use crate::run::check;
use std::collections::BTreeSet;
use writ_abi::command::Command;
use writ_abi::limits::{HITS_MAX, RULE_BANKS, WINDOW_BYTES};
use writ_abi::record::RecordKind;
use writ_abi::registers::Counter;
use writ_abi::time::NOT_AFTER_NEVER;
use writ_abi::{Lookup, PortSide, Scope, Table};
use writ_driver::rule_commands;
use writ_sim::model::parse::{IpHeader, Parsed, key_of, parse};

#[test]
fn every_frame_length_from_60_to_9664() {
    let rows = vec![address_row("192.0.2.1", 0, 1, Scope::Content)];
    for start in (60..=9664).step_by(1601) {
        let mut actions = Vec::new();
        for length in start..(start + 1601).min(9665) {
            let frame = udp("192.0.2.1", "192.0.2.2", [1, 2], length - 42);
            actions.push(good(PortSide::ALL[length % 2], &frame));
            actions.push(Action::Run(length as u64 / 64 + 2));
            if length % 8 == 0 {
                actions.push(Action::Consume(15));
            }
        }
        let expected = check(&Scenario::plain(rows.clone(), actions));
        assert!(expected.dropped == 0 && expected.records[0].len() > 1000, "{} dropped", expected.dropped);
    }
}

#[test]
fn a_host_that_stalls_under_full_load() {
    let rows = vec![
        address_row("192.0.2.1", 0, 1, Scope::Content),
        in_ring(address_row("192.0.2.2", 1, 2, Scope::HeadersL4), 1),
        in_ring(address_row("192.0.2.3", 2, 2, Scope::HeadersL3), 1),
        in_ring(address_row("192.0.2.4", 3, 3, Scope::Content), 3),
    ];
    let mut actions = Vec::new();
    for number in 0..3000_usize {
        let [source, destination] = [number % 4, number / 4 % 4].map(|host| format!("192.0.2.{}", host + 1));
        // Some are too long, so that one gap has more than one cause.
        let payload = if number % 97 == 0 { 9700 } else { number * 89 % 1400 };
        let frame = udp(&source, &destination, [1, 2], payload);
        actions.push(good(PortSide::ALL[number % 2], &frame));
        // The host takes nothing for most of the time.
        if number % 700 > 600 {
            actions.push(Action::Consume(15));
            actions.push(Action::Run(40));
        }
        // Ring 1 alone is never full.
        actions.push(Action::Consume(2));
        if number % 16 == 0 {
            actions.push(Action::Run(100));
        }
    }
    let expected = check(&Scenario { record_lines: [512; 4], ..Scenario::plain(rows, actions) });
    assert!(expected.dropped > 500, "{}", expected.dropped);
    let causes = |record: &Vec<u8>| record[0] == RecordKind::Gap as u8 && record[1].count_ones() > 1;
    assert!(expected.records.iter().flatten().any(causes), "a gap with two causes");
    let gaps = |ring: usize| expected.records[ring].iter().filter(|record| record[0] == RecordKind::Gap as u8).count();
    assert!(gaps(0) > 0 && gaps(3) > 0, "{} and {} gaps", gaps(0), gaps(3));
}

/// Headers that end around the end of the window, in frames that end around it: each side of each comparison.
#[test]
fn the_edge_of_the_window() {
    let rows = vec![address_row("2001:db8::1", 0, 1, Scope::HeadersL4)];
    let mut actions = Vec::new();
    let mut ends = BTreeSet::new();
    for tags in 0..=2 {
        for extension in (40..=136).step_by(8) {
            for (protocol, header) in [(17, 8), (132, 12), (58, 8), (6, 20), (6, 24), (6, 44), (6, 60), (59, 0)] {
                let end = 14 + 4 * tags + 40 + extension + header;
                if !(182..=202).contains(&end) {
                    continue;
                }
                ends.insert(end);
                for length in 182..=204 {
                    let frame = edge_frame(tags, extension, protocol, header, length);
                    actions.push(good(PortSide::ALL[length % 2], &frame));
                }
                actions.push(Action::Run(100));
                actions.push(Action::Consume(15));
            }
        }
    }
    // Headers end at 2 more than a multiple of 4.
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [182, 186, 190, 194, 198, 202]);
    let expected = check(&Scenario { record_lines: [1 << 14, 256, 256, 256], ..Scenario::plain(rows, actions) });
    assert_eq!(expected.dropped, 0);
    for class in [Counter::Class(4), Counter::Class(5), Counter::Class(8), Counter::Class(9)] {
        assert!(expected.counters.get(&class).is_some_and(|count| *count > 50), "{class:?}");
    }
}

/// IPv6 with one destination-options header and a transport header, cut or padded to a length.
fn edge_frame(tags: usize, extension: usize, protocol: u8, header: usize, length: usize) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for _ in 0..tags {
        frame.extend([0x81, 0, 0, 5]);
    }
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend(((extension + header + 40) as u16).to_be_bytes());
    frame.extend([60, 64]);
    for host in [1, 2] {
        frame.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    let mut options = vec![0; extension];
    (options[0], options[1]) = (protocol, (extension / 8 - 1) as u8);
    frame.extend(options);
    let mut transport = vec![0x33; header];
    if protocol == 6 {
        transport[12] = (header as u8 / 4) << 4;
    }
    frame.extend(transport);
    frame.resize(length, 0x44);
    frame
}

/// What tells one path of the grammar from another.
fn path_of(parsed: &Parsed) -> String {
    let version = |header: &Option<IpHeader>| header.map(|header| header.addresses[0].is_ipv4());
    format!(
        "{:?} {} {} {} {} {:?} {} {:?} {:?}",
        parsed.class,
        parsed.vlan_ids.len(),
        parsed.mpls_labels,
        parsed.pppoe_session.is_some(),
        parsed.pseudowire,
        parsed.tunnel.map(|(kind, _)| kind),
        parsed.inner_ethernet,
        version(&parsed.outer),
        version(&parsed.inner),
    )
}

/// A frame for each of many paths, every one of them cut off at every byte of the window and a little beyond.
#[test]
fn every_path_cut_off_at_every_byte() {
    let mut rng = Rng::new(11);
    let mut paths = BTreeSet::new();
    let rows: Vec<_> = [packet::MAC_A, packet::MAC_B]
        .iter()
        .zip([0, 2])
        .map(|(mac, way)| in_ring(row(Table::Mac, mac, way, way as u32, Scope::HeadersL4, NOT_AFTER_NEVER), way as u8))
        .collect();
    let (mut actions, mut cut) = (Vec::new(), 0);
    while cut < 60 {
        let frame = random::frame(&mut rng);
        let parsed = parse(&with_fcs(&frame));
        let is_deep = parsed.inner.is_some() || parsed.tunnel.is_some() || parsed.pseudowire || paths.len() % 3 == 0;
        if frame.len() < 90 || !is_deep || !paths.insert(path_of(&parsed)) {
            continue;
        }
        cut += 1;
        for length in 14..=frame.len().min(WINDOW_BYTES + 8) {
            actions.push(good(PortSide::ALL[length % 2], &frame[..length]));
            if length % 8 == 0 {
                actions.extend([Action::Run(24), Action::Consume(15)]);
            }
        }
    }
    let frames = actions.iter().filter(|action| matches!(action, Action::Frame { .. })).count();
    let expected = check(&Scenario::plain(rows, actions));
    assert_eq!(expected.dropped, 0);
    assert!(expected.records[0].len() + expected.records[2].len() > frames, "{frames} frames");
}

/// IPv6 in GTP-U in IPv6 in MPLS: a frame that every lookup can find at once.
fn frame_for_all_lookups() -> Vec<u8> {
    let ip = |hosts: [&str; 2], protocol, payload: &[u8]| packet::ipv6(hosts.map(packet::v6), &[], protocol, payload);
    let inner = ip(["2001:db8::1", "2001:db8:1::2"], packet::TCP, &packet::tcp([1, 2], 5, &packet::body(40)));
    let gtpu = packet::udp([2152, 2152], &packet::gtpu(77, 0, &[], &inner));
    let outer = ip(["2001:db8:2::3", "2001:db8:3::4"], packet::UDP, &gtpu);
    packet::ethernet(&[(0x8100, 9)], packet::MPLS, &packet::mpls(&[5], &outer))
}

/// Any number of hits from none to all, in one ring and in four.
#[test]
fn every_number_of_hits() {
    let frame = frame_for_all_lookups();
    let parsed = parse(&with_fcs(&frame));
    let keys: Vec<(Table, Vec<u8>)> = Lookup::ALL
        .into_iter()
        .filter_map(|lookup| Some((lookup.table()?, key_of(&parsed, PortSide::A, lookup, 48)?)))
        .collect();
    assert_eq!(keys.len(), HITS_MAX - RULE_BANKS);
    for (first, one_ring) in (0..=HITS_MAX).flat_map(|first| [(first, true), (first, false)]) {
        let ring = |number: usize| if one_ring { 1 } else { number as u8 % 4 };
        let scope = |number: usize| Scope::ALL[number % 3];
        let rows = keys.iter().enumerate().map(|(number, (table, key))| {
            let write = row(*table, key, number % 4, number as u32, scope(number), NOT_AFTER_NEVER);
            vec![in_ring(write, ring(number))]
        });
        let rules = (0..RULE_BANKS).map(|bank| {
            let number = keys.len() + bank;
            let mut rule = Wild { protocol: Some(6), ..Wild::default() }.rule(bank % 2 == 0, 900, scope(number));
            rule.row.ring = ring(number);
            rule_commands(bank as u8, 3, &rule, false).to_vec()
        });
        let actions = vec![good(PortSide::A, &frame), Action::Run(200), good(PortSide::A, &frame)];
        let rows: Vec<Vec<Command>> = rows.chain(rules).skip(first).collect();
        let scenario = Scenario { prefix_bits: Some(48), rows, ..Scenario::plain(Vec::new(), actions) };
        let expected = check(&scenario);
        let hits: usize = expected.records.iter().flatten().map(|record| usize::from(record[2])).sum();
        assert_eq!(hits, 2 * (HITS_MAX - first));
    }
}
