//! Records: hits, cuts, drops, gaps, the way round the ring.

use crate::common::frames::{tcp_tagged, udp};
use crate::common::{Bench, Got, MakeCard, address_row, endpoint_row, with_fcs};
use crate::{OTHER, OTHER6, TARGET, TARGET6, armed, check_numbers, hits, packet_bytes};
use writ_abi::command::Command;
use writ_abi::limits;
use writ_abi::record::DropCause;
use writ_abi::registers::{Counter, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{MatchIndex, PortSide, Scope};
use writ_driver::{Bar, RingSizes};
use writ_sim::card::IngressFrame;

pub(crate) fn every_lookup_hits_and_says_so(make: MakeCard) {
    let rows = [
        address_row(TARGET, 0, 1, Scope::Content),
        address_row(OTHER, 1, 2, Scope::Content),
        endpoint_row(TARGET, 17, 1000, 2, 3, Scope::HeadersL4),
        endpoint_row(OTHER, 17, 2000, 3, 4, Scope::HeadersL3),
        address_row(TARGET6, 3, 5, Scope::Content),
        endpoint_row(OTHER6, 6, 443, 0, 6, Scope::Content),
    ];
    let mut bench = armed(make, &rows);
    let both = udp(TARGET, OTHER, [1000, 2000], 33);
    let back = udp(OTHER, TARGET, [2000, 1000], 33);
    let v6 = udp(OTHER6, TARGET6, [443, 443], 10);
    let tagged = tcp_tagged(OTHER, TARGET, [1, 2], 2, 5);
    for (number, frame) in [&both, &back, &v6, &tagged].into_iter().enumerate() {
        bench.push_at(number as u64, PortSide::A, frame, 0);
    }
    let got = bench.records();
    let content = Scope::Content as u32;
    assert_eq!(hits(&got[0]), [(1, content, 0), (2, content, 1), (3, 1, 8), (4, 0, 9)]);
    assert_eq!(hits(&got[1]), [(2, content, 0), (1, content, 1), (4, 0, 8), (3, 1, 9)]);
    assert_eq!(hits(&got[2]), [(5, content, 1)], "the endpoint of the other protocol does not match");
    assert_eq!(hits(&got[3]), [(2, content, 0), (1, content, 1)]);
    assert_eq!(got.len(), 4);
}

pub(crate) fn scopes_cut(make: MakeCard) {
    let rows = [
        address_row("192.0.2.3", 0, 1, Scope::HeadersL3),
        address_row("192.0.2.4", 1, 2, Scope::HeadersL4),
        address_row("2001:db8::3", 2, 3, Scope::HeadersL3),
        address_row("2001:db8::4", 3, 4, Scope::HeadersL4),
    ];
    let mut bench = armed(make, &rows);
    let frames = [
        (udp("192.0.2.3", OTHER, [1, 2], 400), 14 + 20),
        (udp("192.0.2.4", OTHER, [1, 2], 400), 14 + 20 + 8),
        (tcp_tagged(OTHER, "192.0.2.4", [1, 2], 1, 400), 18 + 20 + 20),
        (udp("2001:db8::3", OTHER6, [1, 2], 0), 14 + 40),
        (udp(OTHER6, "2001:db8::4", [1, 2], 1000), 14 + 40 + 8),
        // Two hits: the wider one decides.
        (udp("192.0.2.3", "192.0.2.4", [1, 2], 60), 14 + 20 + 8),
    ];
    for (number, (frame, _)) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::B, frame);
    }
    let got = bench.records();
    assert_eq!(got.len(), frames.len());
    for (got, (frame, cut)) in got.iter().zip(&frames) {
        assert_eq!(packet_bytes(got), &frame[..*cut]);
    }
}

pub(crate) fn damaged_frames_are_not_copied(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1, 2], 300);
    for number in 0..6 {
        let damaged = number % 3 == 1;
        let mut bytes = with_fcs(&frame);
        if damaged {
            bytes[60] ^= 0xff;
        }
        bench.shared.card().push(IngressFrame { number, port: PortSide::A, earliest_clock: 0, bytes, damaged });
    }
    let got = bench.records();
    let sequences: Vec<u32> = got
        .iter()
        .map(|got| match got {
            Got::Packet { sequence, bytes, .. } => {
                assert_eq!(*bytes, frame);
                *sequence
            }
            Got::Gap { .. } => panic!("a damaged frame takes no number"),
        })
        .collect();
    assert_eq!(sequences, [0, 1, 2, 3]);
    let egress = bench.egress();
    assert_eq!(egress.iter().map(|frame| frame.damaged).collect::<Vec<_>>(), [false, true, false, false, true, false]);
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::Drop(DropCause::WireError as u8)), 2);
    assert_eq!(counters.value(Counter::FramesHit), 4);
}

pub(crate) fn oversize_frames_make_a_gap(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::HeadersL4)]);
    let limit = limits::FRAME_BYTES_MAX - limits::FCS_BYTES;
    let headers = 14 + 20 + 8;
    let longest = udp(TARGET, OTHER, [1, 2], limit - headers);
    let mut longer = longest.clone();
    longer.push(0);
    bench.push(0, PortSide::A, &longest);
    bench.push(1, PortSide::A, &longer);
    bench.push(2, PortSide::A, &longer);
    bench.push(3, PortSide::A, &longest);
    let got = bench.records();
    assert!(matches!(got[0], Got::Packet { sequence: 0, .. }));
    let oversize = 1 << DropCause::Oversize as u8;
    let gaps: Vec<&Got> = got[1..got.len() - 1].iter().collect();
    let covered: Vec<(u32, u32)> = gaps
        .iter()
        .map(|got| match got {
            Got::Gap { causes, first, last, .. } if *causes == oversize => (*first, *last),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(covered == [(1, 2)] || covered == [(1, 1), (2, 2)], "{covered:?}");
    assert!(matches!(got[got.len() - 1], Got::Packet { sequence: 3, .. }));
    let index = MatchIndex::new(1).expect("in range");
    let done = bench.commands(&[Command::drops(0, index, true), Command::drops(0, index, false)]);
    let drops = |i: usize| (done[i].completion.drop_packets.get(), done[i].completion.drop_bytes.get());
    assert_eq!(drops(0), (2, 2 * longer.len() as u64));
    assert_eq!(drops(1), (0, 0), "cleared");
}

pub(crate) fn a_full_ring_makes_gaps_and_counts_by_match(make: MakeCard) {
    let sizes = RingSizes::uniform(256, 64);
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    bench.commands(&[
        address_row(TARGET, 0, 1, Scope::Content),
        address_row(OTHER, 1, 2, Scope::Content),
        endpoint_row(TARGET, 17, 7, 2, 1, Scope::Content),
    ]);
    bench.parts.card.arm().expect("armed");
    // Ring and FIFO together hold fewer than these 400 records of 3 lines each.
    let frame = udp(TARGET, OTHER, [7, 2], 80);
    let both = 400_u32;
    for number in 0..both {
        bench.push_at(number.into(), PortSide::A, &frame, u64::from(number) * 12);
    }
    bench.settle();
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    assert!(dropped > 100, "{dropped}");
    assert_eq!(counters.value(Counter::Records) + dropped, u64::from(both));
    assert!(!bench.parts.card.status().expect("status").records_idle);
    let got = bench.records();
    check_numbers(&got, both, dropped);
    for index in [1, 2] {
        let index = MatchIndex::new(index).expect("in range");
        let done = bench.commands(&[Command::drops(0, index, false)]);
        let counted = (done[0].completion.drop_packets.get(), done[0].completion.drop_bytes.get());
        assert_eq!(counted, (dropped, dropped * frame.len() as u64), "each distinct index once a frame");
    }
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::DropUnattributed), 0);
    // And it goes on.
    bench.push(1000, PortSide::B, &frame);
    assert!(matches!(bench.records()[..], [Got::Packet { sequence, .. }] if sequence == both));
}

pub(crate) fn records_wrap_around_the_ring(make: MakeCard) {
    let sizes = RingSizes::uniform(256, 64);
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    // Records of all lengths, up to more than half of the ring, so that skip records of all lengths come up and the index is
    // written although another record waits for room.
    let mut expected = 0;
    for round in 0..60_usize {
        let frames: Vec<Vec<u8>> =
            (0..3).map(|i| udp(TARGET, OTHER, [1, 2], 20 + (round * 397 + i * 3163) % 9500)).collect();
        for (number, frame) in frames.iter().enumerate() {
            bench.push(number as u64, PortSide::ALL[number % 2], frame);
        }
        let mut got = bench.records();
        assert_eq!(got.len(), frames.len(), "round {round}");
        got.sort_by_key(|got| packet_bytes(got).len());
        let mut frames = frames;
        frames.sort_by_key(Vec::len);
        for (got, frame) in got.iter().zip(&frames) {
            assert_eq!(packet_bytes(got), frame);
        }
        expected += frames.len() as u64;
    }
    assert_eq!(bench.parts.rings[0].statistics().packets, expected);
}

pub(crate) fn a_disabled_ring_keeps_its_records_until_the_fifo_is_full(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let (records, commands) = (rings::ENABLE_RECORDS.mask(), rings::ENABLE_COMMANDS.mask());
    bench.shared.write32(rings::ENABLE_AT, commands);
    let frame = udp(TARGET, OTHER, [1, 2], 80);
    let frames = 300_u32;
    for number in 0..frames {
        bench.push_at(number.into(), PortSide::A, &frame, u64::from(number) * 12);
    }
    bench.settle();
    assert_eq!(bench.records_now(), []);
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    let kept = u64::from(frames) - dropped;
    let room = (limits::RECORD_FIFO_LINES / 3) as u64;
    // What stands between FIFO and bus comes on top.
    assert!((room..room + 8).contains(&kept), "{kept} kept");
    bench.shared.write32(rings::ENABLE_AT, commands | records);
    let got = bench.records();
    check_numbers(&got, frames, dropped);
}
