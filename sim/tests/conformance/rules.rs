//! Wildcard rules.

use crate::common::packet::{self, TCP, UDP};
use crate::common::{Bench, EPOCH_NS, Got, MakeCard, Wild, content};
use crate::tables::address;
use crate::{OTHER, OTHER6, TARGET, TARGET6, armed, hits};
use writ_abi::command::{Command, Opcode, RowState, Rule, Status, flags};
use writ_abi::registers::Counter;
use writ_abi::time::NOT_AFTER_SHIFT;
use writ_abi::{Lookup, PortSide, Scope, key, limits};
use writ_driver::rule_commands;

fn frame(addresses: [&str; 2], protocol: u8, ports: [u16; 2]) -> Vec<u8> {
    let payload = match protocol {
        TCP => packet::tcp(ports, 5, &packet::body(30)),
        UDP => packet::udp(ports, &packet::body(30)),
        132 => packet::sctp(ports, &packet::body(30)),
        _ => packet::body(40),
    };
    let addresses = addresses.map(address);
    packet::ethernet(&[], packet::ethertype_of(addresses[0]), &packet::ip(addresses, protocol, &payload))
}

fn write(bench: &mut Bench, bank: u8, number: u32, rule: &Rule) {
    bench.commands(&rule_commands(bank, number, rule, false));
}

/// Pushes frames one by one and returns the hits of each as (index, lookup).
fn found(bench: &mut Bench, frames: &[Vec<u8>]) -> Vec<Vec<(u32, u32)>> {
    frames
        .iter()
        .map(|frame| {
            bench.push(0, PortSide::A, frame);
            bench.records().iter().flat_map(hits).map(|(index, _, lookup)| (index, lookup)).collect()
        })
        .collect()
}

pub(crate) fn rules_match_by_their_bits(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let from = Wild {
        source: Some(("192.0.2.0", 29)),
        protocol: Some(UDP),
        ports: [None, Some((8000, 0xfff8))],
        ..Wild::default()
    };
    let to = Wild { destination: Some(("2001:db8::", 32)), ..Wild::default() };
    let protocol = Wild { protocol: Some(132), ..Wild::default() };
    write(&mut bench, 0, 0, &from.rule(false, 1, Scope::Content));
    write(&mut bench, 1, limits::RULES_PER_BANK - 1, &to.rule(true, 2, Scope::HeadersL4));
    write(&mut bench, 2, 64, &protocol.rule(true, 3, Scope::HeadersL3));
    write(&mut bench, 3, 7, &Wild::default().rule(false, 4, Scope::Content));
    let frames = [
        frame(["192.0.2.7", OTHER], UDP, [1, 8007]),
        frame(["192.0.2.8", OTHER], UDP, [1, 8007]),
        frame(["192.0.2.1", OTHER], UDP, [1, 8008]),
        frame(["192.0.2.1", OTHER], TCP, [1, 8000]),
        frame([OTHER, "192.0.2.1"], UDP, [8000, 8000]),
        frame([TARGET6, OTHER6], 132, [9, 9]),
        frame(["fd00::1", OTHER6], 50, [0, 0]),
        frame([OTHER6, "fd00::1"], 132, [0, 0]),
        packet::ethernet(&[], 0x0806, &packet::body(50)),
    ];
    let of = |index: u32, lookup: Lookup| (index, lookup as u32);
    let everything = of(4, Lookup::Rule3Source);
    let to_prefix = of(2, Lookup::Rule1Destination);
    let sctp = of(3, Lookup::Rule2Destination);
    let found = found(&mut bench, &frames);
    assert_eq!(found[0], [of(1, Lookup::Rule0Source), everything]);
    assert_eq!(found[1], [everything], "address outside the mask");
    assert_eq!(found[2], [everything], "port outside the mask");
    assert_eq!(found[3], [everything], "another protocol");
    assert_eq!(found[4], [everything], "the other way round");
    assert_eq!(found[5], [to_prefix, sctp, everything]);
    assert_eq!(found[6], [to_prefix, everything], "without ports");
    assert_eq!(found[7], [sctp, everything]);
    assert_eq!(found[8], [], "no IP, no rule");
}

/// A packet without ports has ports 0 for rules, also where the bytes of ports would stand.
pub(crate) fn packets_without_ports_have_ports_0(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let zero = Wild { ports: [Some((0, 0xffff)), Some((0, 0xffff))], protocol: Some(UDP), ..Wild::default() };
    let other = Wild { ports: [Some((1000, 0xffff)), None], ..Wild::default() };
    write(&mut bench, 0, 3, &zero.rule(false, 1, Scope::Content));
    write(&mut bench, 1, 3, &other.rule(false, 2, Scope::Content));
    let mut fragment = frame([TARGET, OTHER], UDP, [1000, 2000]);
    fragment[21] = 4;
    let mut esp = frame([TARGET, OTHER], UDP, [1000, 2000]);
    esp[23] = 50;
    let plain = frame([TARGET, OTHER], UDP, [1000, 2000]);
    let found = found(&mut bench, &[fragment, esp, plain]);
    assert_eq!(found[0], [(1, Lookup::Rule0Source as u32)]);
    assert_eq!(found[1], []);
    assert_eq!(found[2], [(2, Lookup::Rule1Source as u32)]);
}

/// The rules of the inner packet alone count.
pub(crate) fn rules_look_at_the_innermost_packet(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let inner = Wild { source: Some(("10.0.0.1", 32)), ..Wild::default() };
    let outer = Wild { source: Some((OTHER, 32)), ..Wild::default() };
    write(&mut bench, 0, 0, &inner.rule(false, 1, Scope::Content));
    write(&mut bench, 1, 0, &outer.rule(false, 2, Scope::Content));
    for (kind, _, frame) in crate::tables::tunnel_frames() {
        assert_eq!(found(&mut bench, &[frame])[0], [(1, Lookup::Rule0Source as u32)], "{kind:?}");
    }
}

pub(crate) fn the_lowest_rule_of_a_bank_counts(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let wide = Wild { source: Some((TARGET, 24)), ..Wild::default() };
    let narrow = Wild { source: Some((TARGET, 32)), ..Wild::default() };
    let frames = [frame([TARGET, OTHER], UDP, [1, 2])];
    let multi = |bench: &Bench| bench.parts.card.counters().expect("counters").value(Counter::MultiHits);
    write(&mut bench, 2, 100, &wide.rule(false, 1, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(1, Lookup::Rule2Source as u32)]);
    assert_eq!(multi(&bench), 0);
    write(&mut bench, 2, 5, &narrow.rule(true, 2, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(2, Lookup::Rule2Destination as u32)]);
    assert_eq!(multi(&bench), 1, "two rules that differ");
    write(&mut bench, 2, 5, &narrow.rule(false, 1, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(1, Lookup::Rule2Source as u32)]);
    assert_eq!(multi(&bench), 1, "two rules with the same result");
    write(&mut bench, 2, 6, &narrow.rule(false, 1, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(1, Lookup::Rule2Source as u32)]);
    assert_eq!(multi(&bench), 2, "three rules");
    // In different banks they do not know of each other.
    bench.commands(&[Command::clear_rule(0, 2, 5), Command::clear_rule(0, 2, 6)]);
    write(&mut bench, 3, 5, &narrow.rule(true, 2, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(1, Lookup::Rule2Source as u32), (2, Lookup::Rule3Destination as u32)]);
    assert_eq!(multi(&bench), 2);
}

pub(crate) fn rules_expire(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let all = Wild { source: Some((TARGET, 8)), ..Wild::default() };
    let mut expired = all.rule(false, 1, Scope::Content);
    expired.row.not_after = EPOCH_NS >> NOT_AFTER_SHIFT;
    write(&mut bench, 0, 1, &expired);
    let frames = [frame([TARGET, OTHER], UDP, [1, 2])];
    let expired_hits = |bench: &Bench| bench.parts.card.counters().expect("counters").value(Counter::ExpiredHits);
    assert_eq!(found(&mut bench, &frames)[0], []);
    assert_eq!(expired_hits(&bench), 1, "a bank is one lookup");
    write(&mut bench, 0, 2, &Wild::default().rule(true, 2, Scope::Content));
    assert_eq!(found(&mut bench, &frames)[0], [(2, Lookup::Rule0Destination as u32)], "the next one lives");
    assert_eq!(expired_hits(&bench), 1);
}

pub(crate) fn rules_are_written_read_and_cleared(make: MakeCard) {
    let mut bench = Bench::new(make);
    let mut mask = [0; key::KEY_BYTES_MAX];
    let mut value = [0; key::KEY_BYTES_MAX];
    for (i, (mask, value)) in mask.iter_mut().zip(&mut value).enumerate() {
        *mask = (i * 37 + 1) as u8;
        *value = *mask & (i * 91 + 5) as u8;
    }
    for (number, destination) in [(0, false), (1, true), (127, true)] {
        for bank in 0..limits::RULE_BANKS as u8 {
            let mut row = content(&mask, 100_000 + number, Scope::HeadersL4, 777 + u64::from(number));
            row.ring = 3 - bank;
            let rule = Rule { row, value, destination };
            let read = |bench: &mut Bench, of_mask| bench.commands(&[Command::read_rule(0, bank, number, of_mask)])[0];
            assert_eq!(read(&mut bench, true).row_state, RowState::Invalid);
            write(&mut bench, bank, number, &rule);
            let mut expected = Command::write_rule(0, bank, number, &rule);
            (expected.opcode, expected.tag, expected.crc32c) = (0, 0.into(), 0.into());
            assert_eq!(read(&mut bench, true).row(), Some(&expected));
            assert_eq!(expected.flags & flags::DESTINATION != 0, destination);
            expected.key = value;
            assert_eq!(read(&mut bench, false).row(), Some(&expected));
            bench.commands(&[Command::clear_rule(0, bank, number)]);
            assert_eq!(read(&mut bench, false).row(), None);
        }
    }
}

/// A rule whose content changes in place is there for every frame, and each frame sees one content or the other.
pub(crate) fn a_rule_that_changes_in_place_is_never_absent(make: MakeCard) {
    let mut bench = armed(make, &[]);
    let wild = Wild { source: Some((TARGET, 32)), ..Wild::default() };
    write(&mut bench, 1, 9, &wild.rule(false, 1, Scope::HeadersL3));
    let frame = frame([TARGET, OTHER], UDP, [1, 2]);
    let start = bench.shared.card().clocks();
    let frames_each = 800_u64;
    for number in 0..frames_each {
        for port in PortSide::ALL {
            bench.push_at(number, port, &frame, start + 20 * number);
        }
    }
    let mut changes = [Vec::new(), Vec::new()];
    for index in 2..12 {
        let done = bench.commands(&rule_commands(1, 9, &wild.rule(false, index, Scope::HeadersL3), false));
        for (side, changes) in changes.iter_mut().enumerate() {
            changes.push(done[1].frames_looked_up()[side]);
        }
        bench.run(300);
    }
    let got = bench.records();
    assert_eq!(got.len() as u64, 2 * frames_each, "no frame without its hit");
    for port in PortSide::ALL {
        let of_port = got.iter().filter(|got| matches!(got, Got::Packet { port: side, .. } if *side == port));
        for (number, got) in (0_u64..).zip(of_port) {
            let expected = 1 + changes[port as usize].iter().filter(|change| **change <= number).count() as u32;
            assert_eq!(hits(got)[0].0, expected, "frame {number} of {port:?}");
        }
    }
}

/// `WriteRule` takes the value of the command right before it, and of no other.
pub(crate) fn a_rule_needs_its_value_right_before(make: MakeCard) {
    let mut bench = Bench::new(make);
    let rule = Wild { source: Some((TARGET, 32)), ..Wild::default() }.rule(false, 1, Scope::Content);
    let [stage, write] = rule_commands(0, 0, &rule, false);
    let nop = Command::new(Opcode::Nop, 0);
    let mut status = |commands: &[Command]| -> Vec<Status> {
        bench.parts.commands.submit(commands).expect("room");
        let mut completed = Vec::new();
        bench.parts.commands.wait_all(crate::common::TIMEOUT, &mut completed).expect("completions");
        completed.iter().map(|each| each.status).collect()
    };
    let mut outside = write;
    outside.scope = 3;
    let (done, field, state) = (Status::Done, Status::BadField, Status::BadState);
    assert_eq!(status(&[write]), [state]);
    assert_eq!(status(&[stage, nop, write]), [done, done, state]);
    assert_eq!(status(&[stage, outside, write]), [done, field, state]);
    assert_eq!(status(&[stage, write, write]), [done, done, state]);
    assert_eq!(status(&[stage, stage, write]), [done, done, done]);
    assert_eq!(status(&[stage]), [done]);
    assert_eq!(status(&[write]), [done], "right before it, however long ago");
}
