//! The card's clock, and the frames that it makes itself.

use crate::common::frames::udp;
use crate::common::{Bench, EPOCH_NS, Got, MakeCard, address_row};
use crate::{OTHER, TARGET, armed};
use writ_abi::limits::SELF_TEST_MATCH_INDEX;
use writ_abi::registers::{Counter, clock};
use writ_abi::time::TimeQuality;
use writ_abi::{PortSide, Scope, self_test};
use writ_driver::{Bar, ClockState};

pub(crate) fn a_step_while_armed_stops_copying_until_the_card_is_disarmed(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1, 2], 10);
    bench.push(0, PortSide::A, &frame);
    assert_eq!(bench.records().len(), 1);
    let trusted = ClockState { quality: TimeQuality::Free, refused: false, slew_left_ns: 0 };
    assert_eq!(bench.parts.card.clock_state(), Ok(trusted));

    // Past the driver, which would not do it.
    bench.shared.write32(clock::SET_HI_AT, 0);
    bench.shared.write32(clock::SET_AT, clock::APPLY.mask() | clock::QUALITY.place(TimeQuality::Free as u32));
    bench.run(100);
    assert!(bench.shared.card().now_ns() > EPOCH_NS, "the time goes on");
    let doubted = ClockState { quality: TimeQuality::Unset, refused: true, slew_left_ns: 0 };
    assert_eq!(bench.parts.card.clock_state(), Ok(doubted));
    assert_eq!(bench.parts.card.time_quality(), Ok(TimeQuality::Unset));
    for number in 0..3 {
        bench.push(number, PortSide::B, &frame);
    }
    assert_eq!(bench.records(), []);
    let suppressed = bench.parts.card.counters().expect("counters").value(Counter::SuppressedTime);
    assert_eq!(suppressed, 3, "counted");
    // A snapshot writes CONTROL, but it does not disarm.
    assert_eq!(bench.parts.card.clock_state(), Ok(doubted));

    bench.parts.card.disarm().expect("disarmed");
    bench.parts.card.arm().expect("armed");
    bench.run(100);
    assert_eq!(bench.parts.card.clock_state(), Ok(trusted));
    bench.push(9, PortSide::A, &frame);
    let got = bench.records();
    let [Got::Packet { header, .. }] = &got[..] else { panic!("{got:?}") };
    assert!(header.stamp_ns.get() > EPOCH_NS);
}

pub(crate) fn a_slew_moves_the_time_and_never_back(make: MakeCard) {
    let bench = Bench::new(make);
    for (ns, clocks) in [(500, 2), (-300, 4), (1, 65_536), (-1, 2)] {
        let increment = u128::from(bench.shared.card().increment());
        let start = bench.shared.card().clocks();
        let start_ns = bench.shared.card().now_ns();
        bench.parts.card.slew(ns, clocks).expect("slewed");
        let (mut last_ns, mut rests) = (start_ns, 0);
        while bench.parts.card.clock_state().expect("a state").slew_left_ns != 0 {
            let now_ns = bench.shared.card().now_ns();
            assert!(now_ns > last_ns);
            last_ns = now_ns;
            bench.run(61);
            rests += 1;
            assert!(rests < 20_000, "the slew never ends");
        }
        bench.run(20);
        let passed = bench.shared.card().clocks() - start;
        let plain = (increment * u128::from(passed)) >> 32;
        let found = i128::from(bench.shared.card().now_ns() - start_ns) - plain as i128;
        assert!((found - i128::from(ns)).abs() <= 1, "{found} ns for {ns}");
        assert!(passed >= u64::from(ns.unsigned_abs() - 1) * u64::from(clocks), "{passed} clocks");
    }
    // A new slew replaces the one before.
    bench.parts.card.slew(1 << 20, 65_536).expect("slewed");
    bench.parts.card.slew(-2, 65_536).expect("slewed");
    assert_eq!(bench.parts.card.clock_state().expect("a state").slew_left_ns, -2);
}

pub(crate) fn pulses_are_counted_and_timed(make: MakeCard) {
    let bench = Bench::new(make);
    assert_eq!(bench.parts.card.pulse().expect("a pulse").count, 0);
    for count in 1..5 {
        let before_ns = bench.shared.card().now_ns();
        bench.shared.card().set_pps(true);
        bench.run(500);
        bench.shared.card().set_pps(false);
        bench.run(100 * u64::from(count));
        let pulse = bench.parts.card.pulse().expect("a pulse");
        assert_eq!(pulse.count, count);
        // Up to three core clocks.
        assert!((before_ns..=before_ns + 10).contains(&pulse.ns), "{} after {before_ns}", pulse.ns);
    }
}

pub(crate) fn the_cards_own_frames_come_out_at_the_far_end(make: MakeCard) {
    const TOKEN: u64 = 0x5eed_0123_4567_89ab;
    let own = address_row("192.0.2.2", 1, SELF_TEST_MATCH_INDEX, Scope::Content);
    let mut bench = armed(make, &[own, address_row(OTHER, 0, 1, Scope::Content)]);
    let frame = udp(OTHER, "198.51.100.1", [1, 2], 400);
    // One on the wire that looks like the card's own, but that nobody can have given the token.
    let forged = self_test::frame(0, TOKEN ^ 1, 0)[..60].to_vec();
    bench.parts.card.start_self_test(TOKEN, 97).expect("started");
    let start = bench.shared.card().clocks();
    for number in 0..60 {
        let frame = if number == 30 { &forged } else { &frame };
        bench.push_at(number, PortSide::ALL[number as usize % 2], frame, start + 40 * number);
    }
    bench.run(4_000);
    bench.parts.card.stop_self_test().expect("stopped");
    let got = bench.records();
    let sent = bench.parts.card.self_tests_sent().expect("sent");
    assert!(sent.iter().all(|sent| *sent > 35), "{sent:?}");
    let (mut next, mut others) = ([0, 0], 0);
    for got in &got {
        let Got::Packet { port, bytes, hits, header, .. } = got else { panic!("a gap: {got:?}") };
        match self_test::recognise(bytes, TOKEN) {
            Some((from, sequence)) => {
                assert_eq!((from, sequence), (*port as u8, next[*port as usize]));
                next[*port as usize] += 1;
                assert!(hits.iter().all(|hit| hit.match_index.value() == SELF_TEST_MATCH_INDEX) && hits.len() == 1);
                assert!(header.stamp_ns.get() > EPOCH_NS);
            }
            None => {
                assert!(*bytes == frame || *bytes == forged);
                others += 1;
            }
        }
    }
    assert_eq!((next, others), (sent, 60));
    let egress = bench.egress();
    assert_eq!(egress.len(), 60, "none of them is ever on the wire");
    assert!(egress.iter().all(|frame| self_test::recognise(&frame.bytes[..60], TOKEN).is_none()));
    let counters = bench.parts.card.counters().expect("counters");
    let value = |counter| counters.value(counter);
    assert_eq!([value(Counter::SelfTestA), value(Counter::SelfTestB)], sent.map(u64::from));
    assert_eq!([value(Counter::FramesInA), value(Counter::FramesOutB)], [30, 30]);
    assert_eq!(value(Counter::FramesLookedUpA), 30 + u64::from(sent[0]));
    assert_eq!(value(Counter::FramesLookedUpB), 30 + u64::from(sent[1]));
}
