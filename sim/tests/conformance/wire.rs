//! The wire, resets, counters.

use crate::common::frames::{tcp_tagged, udp};
use crate::common::{Bench, Got, MakeCard, address_row, with_fcs};
use crate::{OTHER, OTHER6, TARGET, TARGET6, armed, packet_bytes};
use writ_abi::balance::{Account, Balance};
use writ_abi::registers::Counter;
use writ_abi::{PortSide, Scope};
use writ_sim::card::IngressFrame;

pub(crate) fn reset_empties_everything(make: MakeCard) {
    let bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1, 2], 500);
    for number in 0..50 {
        bench.push(number, PortSide::A, &frame);
    }
    // In the middle of the traffic.
    bench.run(200);
    let mut bench = bench.bring_up_again();
    bench.settle();
    assert_eq!(bench.egress().len(), 50, "the wire never stops");
    assert_eq!(bench.records(), [], "no record of before the reset, and nothing after it: the card is disarmed");
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::Records), 0);
    bench.parts.card.arm().expect("armed");
    bench.push(100, PortSide::A, &frame);
    assert_eq!(bench.records(), [], "the row is gone");
    bench.commands(&[address_row(TARGET, 3, 2, Scope::Content)]);
    bench.push(101, PortSide::A, &frame);
    assert!(matches!(bench.records()[..], [Got::Packet { sequence: 0, .. }]), "numbers start anew");
}

pub(crate) fn the_wire_does_not_know_the_tap(make: MakeCard) {
    let run = |arm: bool| {
        let mut bench = Bench::new(make);
        bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
        if arm {
            bench.parts.card.arm().expect("armed");
        } else {
            // The same accesses, so that both runs have the same clocks.
            bench.parts.card.disarm().expect("disarmed");
        }
        let start = bench.shared.card().clocks() + 1000;
        for number in 0..200_u64 {
            let frame = udp(TARGET, OTHER, [1, 2], (number as usize * 37) % 1400);
            bench.push_at(number, PortSide::ALL[number as usize % 2], &frame, start + number * 20);
        }
        bench.settle();
        let trace: Vec<_> = bench
            .egress()
            .into_iter()
            .map(|frame| {
                (frame.port, frame.number, frame.ingress_clock - start, frame.egress_clock - start, frame.bytes)
            })
            .collect();
        let latency = PortSide::ALL.map(|port| bench.shared.card().latency(port).expect("frames have passed"));
        (trace, latency)
    };
    let (disarmed, latency) = run(false);
    let (armed, _) = run(true);
    assert_eq!(disarmed.len(), 200);
    assert!(disarmed == armed, "same bytes, same order, same clocks");
    for latency in latency {
        assert_eq!(latency.clocks_min, latency.clocks_max);
        assert!((1..=20).contains(&latency.clocks_max));
    }
}

pub(crate) fn all_frame_lengths_pass_and_are_copied(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let lengths: Vec<usize> = (60..330).chain([500, 1000, 1500, 1514, 1518, 2048, 4000, 9000, 9600, 9664]).collect();
    for chunk in lengths.chunks(20) {
        let mut frames = Vec::new();
        for (number, length) in chunk.iter().enumerate() {
            let frame = udp(OTHER, TARGET, [1, 2], length - 42);
            assert_eq!(frame.len(), *length);
            bench.push(number as u64, PortSide::B, &frame);
            frames.push(frame);
        }
        let got = bench.records();
        assert_eq!(got.iter().map(packet_bytes).collect::<Vec<_>>(), frames);
        let left: Vec<Vec<u8>> = bench.egress().into_iter().map(|frame| frame.bytes).collect();
        assert_eq!(left, frames.iter().map(|frame| with_fcs(frame)).collect::<Vec<_>>());
    }
    // Frames that are no Ethernet frames pass as well.
    for (number, length) in (1..64).enumerate() {
        let bytes = vec![0x5a; length];
        let frame = IngressFrame { number: number as u64, port: PortSide::A, earliest_clock: 0, bytes, damaged: false };
        bench.shared.card().push(frame);
    }
    assert_eq!(bench.records(), []);
    let left: Vec<usize> = bench.egress().iter().map(|frame| frame.bytes.len()).collect();
    assert_eq!(left, (1..64).collect::<Vec<_>>());
}

pub(crate) fn counters_add_up(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let mut bytes = [0, 0];
    for number in 0..120_usize {
        let frame = match number % 4 {
            0 => udp(TARGET, OTHER, [1, 2], number),
            1 => udp(OTHER6, TARGET6, [1, 2], number),
            2 => tcp_tagged(OTHER, OTHER, [1, 2], 1, number),
            _ => vec![0x11; 60],
        };
        let port = PortSide::ALL[number / 4 % 2];
        bytes[port as usize] += frame.len() as u64 + 4;
        bench.push(number as u64, port, &frame);
    }
    assert_eq!(bench.records().len(), 30);
    let counters = bench.parts.card.counters().expect("counters");
    let expect = |name: &str, value: u64| assert_eq!(counters.by_name(name), Some(value), "{name}");
    for name in
        ["FRAMES_IN_A", "FRAMES_IN_B", "FRAMES_OUT_A", "FRAMES_OUT_B", "FRAMES_LOOKED_UP_A", "FRAMES_LOOKED_UP_B"]
    {
        expect(name, 60);
    }
    expect("BYTES_IN_A", bytes[0]);
    expect("BYTES_IN_B", bytes[1]);
    expect("CLASS_PORTS", 90);
    expect("CLASS_NON_IP", 30);
    expect("FRAMES_HIT", 30);
    expect("RECORDS", 30);
    expect("COMMANDS", 1);
    assert_balance(&bench, Balance::holds_at_rest);
    for name in
        ["GAP_RECORDS", "DROP_COPY_FIFO", "DROP_RECORD_FIFO", "DROP_WINDOW_FIFO", "DROP_WIRE_ERROR", "EXPIRED_HITS"]
    {
        expect(name, 0);
    }
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

fn assert_balance(bench: &Bench, holds: fn(&Balance) -> bool) -> u64 {
    let counters = bench.parts.card.counters().expect("counters");
    let balances = Account::ALL.map(|account| account.balance(|counter| counters.value(counter)));
    for balance in &balances {
        assert!(holds(balance), "{balance}");
    }
    balances.iter().map(|balance| balance.in_flight).sum()
}

/// Whenever one looks, what has come in is out by a counted way or on the way.
pub(crate) fn accounts_balance_at_every_moment(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = |number: usize| match number % 3 {
        0 => udp(TARGET, OTHER, [1, 2], number % 500),
        1 => udp(OTHER, OTHER, [1, 2], number % 7),
        _ => vec![0x11; 60],
    };
    let mut most_in_flight = 0;
    for number in 0..1200_usize {
        let bytes = with_fcs(&frame(number));
        let damaged = number % 5 == 0;
        let port = PortSide::ALL[number / 3 % 2];
        bench.shared.card().push(IngressFrame { number: number as u64, port, earliest_clock: 0, bytes, damaged });
    }
    for _ in 0..60 {
        bench.run(29);
        most_in_flight = most_in_flight.max(assert_balance(&bench, Balance::holds));
        bench.records_now();
    }
    assert!(most_in_flight > 10, "{most_in_flight}");
    bench.settle();
    bench.records();
    assert_eq!(assert_balance(&bench, Balance::holds_at_rest), 0);
    let counters = bench.parts.card.counters().expect("counters");
    let [flagged, hit] = [Counter::FlaggedHits, Counter::FramesHit].map(|counter| counters.value(counter));
    assert_eq!((flagged, hit), (80, 320));
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

pub(crate) fn a_reset_at_any_moment_leaves_nothing_behind(make: MakeCard) {
    let rows = [address_row(TARGET, 0, 1, Scope::Content)];
    let frames: Vec<Vec<u8>> = (0..24).map(|number| udp(TARGET, OTHER, [1, 2], number * 53 % 700)).collect();
    let mut bench = armed(make, &rows);
    for delay in (0..220).step_by(11) {
        for (number, frame) in frames.iter().enumerate() {
            bench.push(number as u64, PortSide::ALL[number % 2], frame);
        }
        bench.parts.commands.submit(&rows).expect("room");
        bench.run(delay);
        bench = bench.bring_up_again();
        bench.settle();
        let left: Vec<(u64, Vec<u8>)> = bench.egress().into_iter().map(|frame| (frame.number, frame.bytes)).collect();
        assert_eq!(left.len(), frames.len(), "delay {delay}");
        assert!(left.iter().all(|(number, bytes)| *bytes == with_fcs(&frames[*number as usize])));
        bench.commands(&rows);
        bench.parts.card.arm().expect("armed");
        bench.push(0, PortSide::B, &frames[1]);
        let got = bench.records();
        assert_eq!(got.len(), 1, "delay {delay}");
        assert!(matches!(got[0], Got::Packet { sequence: 0, .. }) && packet_bytes(&got[0]) == frames[1]);
        let counters = bench.parts.card.counters().expect("counters");
        assert_eq!((counters.value(Counter::FramesHit), counters.value(Counter::Commands)), (1, 1));
        assert_balance(&bench, Balance::holds_at_rest);
        bench.egress();
    }
    assert_eq!(bench.shared.card().dma_faults(), 0);
}
