//! The card for a small FPGA, whose wires have beats of 64 bits.

use crate::common::frames::udp;
use crate::common::random::Rng;
use crate::common::scenario::{Action, Scenario};
use crate::common::{address_row, with_fcs};
use crate::good;
use crate::run::{Kind, check_on};
use writ_abi::record::DropCause;
use writ_abi::registers::Counter;
use writ_abi::time::STAMP_ERROR_NS_MAX;
use writ_abi::{PortSide, Scope};
use writ_sim::rtl::RtlCard;

const NARROW: Kind = Kind { make: RtlCard::narrow, ..Kind::PLAIN };

#[test]
fn frames_of_all_sizes_on_both_ports() {
    let sizes = (60..=330).chain((331..1_600).step_by(97)).chain([2_048, 4_000, 9_000, 9_599, 9_600]);
    let mut actions = Vec::new();
    for (number, size) in sizes.enumerate() {
        for (target, port) in [("192.0.2.1", PortSide::A), ("2001:db8::1", PortSide::B)] {
            let (other, headers) = if target.contains(':') { ("2001:db8::9", 62) } else { ("192.0.2.9", 42) };
            let source = if number % 3 == 0 { other } else { target };
            let frame = udp(source, other, [1, 2], size.max(headers) - headers);
            assert_eq!(frame.len(), size.max(headers));
            actions.push(Action::Frame { port, bytes: with_fcs(&frame), damaged: number % 17 == 5 });
        }
    }
    let rows = vec![address_row("192.0.2.1", 0, 1, Scope::Content), address_row("2001:db8::1", 1, 2, Scope::Content)];
    let mut scenario = Scenario::plain(rows, actions);
    scenario.record_lines = [1 << 14; 4];
    let expected = check_on(NARROW, &scenario);
    assert_eq!(expected.dropped, 0);
    assert!(expected.records[0].len() > 300, "{}", expected.records[0].len());
}

/// Frames shorter than a beat, a line, and everything that Ethernet asks for.
#[test]
fn runts_pass() {
    let frame = udp("192.0.2.1", "192.0.2.9", [1, 2], 18);
    let mut actions: Vec<Action> = (1..64)
        .map(|size| Action::Frame { port: PortSide::A, bytes: vec![size; size.into()], damaged: false })
        .collect();
    actions.extend((0..20).map(|_| good(PortSide::A, &frame)));
    let expected = check_on(NARROW, &Scenario::plain(vec![address_row("192.0.2.1", 0, 1, Scope::Content)], actions));
    assert_eq!(expected.records[0].len(), 20);
}

/// The longest frame lasts 1,200 clocks on such a wire. While its record waits for its end, nothing is lost of what the other port brings at line rate.
#[test]
fn a_long_frame_on_one_port_takes_nothing_from_the_other() {
    let long = udp("192.0.2.1", "192.0.2.9", [1, 2], 9_600 - 42);
    let short = udp("192.0.2.7", "192.0.2.9", [1, 2], 18);
    let mut actions = Vec::new();
    for number in 0..8 {
        actions.push(Action::FrameAt { port: PortSide::A, frame: long.clone(), clock: number * 1_300 });
    }
    actions.extend((0..1_000).map(|number| Action::FrameAt {
        port: PortSide::B,
        frame: short.clone(),
        clock: number * 11,
    }));
    let mut scenario = Scenario::plain(vec![address_row("192.0.2.1", 0, 1, Scope::Content)], actions);
    scenario.record_lines = [1 << 14; 4];
    let expected = check_on(NARROW, &scenario);
    assert_eq!(expected.counters.get(&Counter::Drop(DropCause::WindowFifo as u8)), None);
    assert_eq!(expected.records[0].len(), 8);
}

#[test]
fn random_scenarios() {
    let mut rng = Rng::new(21);
    for apart in [None, Some(([100, -100], [1, 2])), Some(([-100, 100], [1_500_000, 700_000]))] {
        let mut played = 0;
        while played < 1_000 {
            let scenario = Scenario::random(rng.next(), 1_000 - played);
            check_on(Kind { apart, stamp_error_ns_max: STAMP_ERROR_NS_MAX, ..NARROW }, &scenario);
            played += scenario.frames();
        }
    }
}
