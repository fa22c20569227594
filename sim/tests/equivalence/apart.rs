//! The three clocks apart: wires faster and slower than the core, by as much as two links may differ, and by more.

use crate::common::frames::udp;
use crate::common::random::Rng;
use crate::common::scenario::{Action, Scenario};
use crate::common::{Bench, Got, MakeCard, TIMEOUT, address_row, with_fcs};
use crate::run::{Kind, check_on};
use writ_abi::balance::Account;
use writ_abi::registers::{Counter, clock};
use writ_abi::time::STAMP_ERROR_NS_MAX;
use writ_abi::{PortSide, Scope};
use writ_sim::rtl::RtlCard;

/// Both wires either way against the core, and against each other, with edges that wander through all phases.
const APART: [[i64; 2]; 4] = [[100, -100], [-100, 100], [100, 100], [-100, -100]];

fn apart(ppm: [i64; 2], rng: &mut Rng) -> Kind {
    let phase_fs = [rng.next() % 3_000_000, rng.next() % 3_000_000];
    Kind { apart: Some((ppm, phase_fs)), stamp_error_ns_max: STAMP_ERROR_NS_MAX, ..Kind::PLAIN }
}

/// Random scenarios, with commands, stalls and resets: what leaves is what came in, with one latency in clocks of the wire; records, counters and
/// completions are those of the model, with the stamps that the card says, which are right to what the ABI allows.
#[test]
fn random_scenarios_with_clocks_apart() {
    let mut rng = Rng::new(11);
    for ppm in APART {
        let mut played = 0;
        while played < 1_500 {
            let scenario = Scenario::random(rng.next(), 1_500 - played);
            check_on(apart(ppm, &mut rng), &scenario);
            played += scenario.frames();
        }
    }
}

/// Frames at line rate on both ports for longer than the clocks need to pass each other several times.
#[test]
fn line_rate_with_clocks_apart() {
    let rows = vec![address_row("192.0.2.1", 0, 1, Scope::Content)];
    for ppm in [[100, -100], [-100, 100]] {
        let mut rng = Rng::new(5);
        let (mut actions, mut line) = (Vec::new(), [0; 2]);
        for number in 0..6_000_usize {
            let source = if number % 20 < 2 { "192.0.2.1" } else { "192.0.2.5" };
            let frame = udp(source, "192.0.2.6", [1, 2], 18 + rng.below(number % 90 + 1));
            let at = &mut line[number % 2];
            actions.push(Action::FrameAt {
                port: PortSide::ALL[number % 2],
                clock: u64::div_ceil(*at * 33, 1280),
                frame,
            });
            let Some(Action::FrameAt { frame, .. }) = actions.last() else { unreachable!("it was pushed") };
            *at += frame.len() as u64 + 24;
        }
        let expected = check_on(apart(ppm, &mut rng), &Scenario::plain(rows.clone(), actions));
        assert_eq!((expected.dropped, expected.records[0].len()), (0, 600));
    }
}

/// A wire that is a seventh faster than the core, without a clock between its frames, which no line does: the tap loses frames, whole or their end,
/// and says how many; the wire loses none, and no record is wrong.
#[test]
fn a_wire_that_is_too_fast_loses_frames_of_the_tap_alone_and_counts_them() {
    const FRAMES: usize = 3_000;
    let make: MakeCard = |memory| {
        let mut card = RtlCard::new(memory.card());
        card.set_apart([150_000, 0], [7, 0]);
        Box::new(card)
    };
    let mut bench = Bench::new(make);
    bench.commands(&[address_row("192.0.2.1", 0, 1, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    let mut rng = Rng::new(2);
    let frames: Vec<Vec<u8>> = (0..FRAMES)
        .map(|number| {
            let source = if number % 10 == 0 { "192.0.2.1" } else { "192.0.2.5" };
            udp(source, "192.0.2.6", [number as u16, 2], 100 + rng.below(600))
        })
        .collect();
    let mut got = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::A, frame);
        if number % 200 == 199 {
            got.extend(bench.records());
        }
    }
    got.extend(bench.records());
    let left: Vec<Vec<u8>> = bench.egress().into_iter().map(|frame| frame.bytes).collect();
    assert!(
        left.iter().eq(frames.iter().map(|frame| with_fcs(frame)).collect::<Vec<_>>().iter()),
        "the wire loses none"
    );
    let latency = bench.shared.card().latency(PortSide::A).expect("frames have passed");
    assert_eq!(latency.clocks_min, latency.clocks_max);

    let counters = bench.parts.card.counters().expect("counters");
    let value = |counter| counters.value(counter);
    let (lost, cut) = (value(Counter::TapFifoA), value(Counter::TapCutA));
    assert!(lost > 50 && cut > 10 && cut < lost, "{lost} lost, {cut} of them cut");
    assert_eq!((value(Counter::FramesInA), value(Counter::FramesOutB)), (FRAMES as u64, FRAMES as u64));
    let seen = value(Counter::FramesLookedUpA) + value(Counter::Drop(4)) + lost - cut;
    assert_eq!(seen, FRAMES as u64, "no frame without an account");
    assert!(Account::ALL.iter().all(|account| account.balance(value).holds_at_rest()));
    assert_eq!((value(Counter::TapFifoB), value(Counter::Drop(3))), (0, 0));

    // Records are of frames that came whole, in their order and without a hole in their numbers.
    let mut wanted = frames.iter().filter(|frame| frame[29] == 1);
    for (number, got) in got.iter().enumerate() {
        let Got::Packet { sequence, bytes, .. } = got else { panic!("a gap: {got:?}") };
        assert_eq!(*sequence, number as u32);
        assert!(wanted.any(|frame| frame == bytes), "record {number} is of no frame");
    }
    assert_eq!(got.len() as u64, value(Counter::Records));
    assert!(got.len() > 100 && got.len() < FRAMES / 10, "{}", got.len());
}

/// The time on the wires comes along with the card's: set, steered and slewed.
#[test]
fn stamps_follow_the_clock() {
    let make: MakeCard = |memory| {
        let mut card = RtlCard::new(memory.card());
        card.set_apart([100, -100], [1_000_000, 2_000_000]);
        Box::new(card)
    };
    let mut bench = Bench::new(make);
    bench.commands(&[address_row("192.0.2.1", 0, 1, Scope::HeadersL3)]);
    bench.parts.card.arm().expect("armed");
    let frame = udp("192.0.2.1", "192.0.2.6", [1, 2], 0);
    let mut last_ns = 0;
    for (slew_ns, clocks, fraction) in [(0, 2, 443_000_000), (2_000, 2, 442_526_000), (-1_500, 3, 430_000_000)] {
        writ_driver::Bar::write32(&bench.shared, clock::INCREMENT_FRACTION_AT, fraction);
        bench.parts.card.slew(slew_ns, clocks).expect("slewed");
        let start = bench.shared.card().clocks();
        for number in 0..200 {
            bench.push_at(number, PortSide::ALL[number as usize % 2], &frame, start + 37 * number);
        }
        let got = bench.records();
        assert_eq!(got.len(), 200);
        let mut arrivals = bench.arrivals();
        for port in PortSide::ALL {
            let stamps = arrivals.iter().filter(|arrival| arrival.port == port).map(|arrival| arrival.stamp_ns);
            assert!(stamps.is_sorted(), "{port:?}");
        }
        arrivals.sort_by_key(|arrival| arrival.stamp_ns);
        assert!(arrivals[0].stamp_ns > last_ns);
        last_ns = arrivals[199].stamp_ns;
        let state = bench.parts.card.clock_state().expect("a state");
        assert_eq!(state.slew_left_ns, 0, "{TIMEOUT:?}");
    }
}
