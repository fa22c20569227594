//! Four record rings.

use crate::common::frames::udp;
use crate::common::{Bench, Got, MakeCard, Wild, address_row, endpoint_row, in_ring, plain_row};
use crate::{OTHER, TARGET, armed, check_numbers, hits, packet_bytes};
use writ_abi::command::Command;
use writ_abi::limits::INDEX_WRITE_BACK_RECORDS;
use writ_abi::record::DropCause;
use writ_abi::registers::{Counter, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{MatchIndex, PortSide, Scope, Table};
use writ_driver::{Bar, CardError, INDEX_DELAY_NS_MAX, RingSizes, rule_commands};

pub(crate) fn a_frame_makes_one_record_in_each_ring_that_its_hits_name(make: MakeCard) {
    let rows = [
        in_ring(address_row(TARGET, 0, 1, Scope::HeadersL3), 3),
        in_ring(address_row(OTHER, 1, 2, Scope::Content), 1),
        in_ring(endpoint_row(TARGET, 17, 1000, 2, 3, Scope::HeadersL4), 3),
        in_ring(plain_row(Table::Mac, &[2, 0, 0, 0, 0, 1], 0, 4), 0),
    ];
    let mut bench = armed(make, &rows);
    let mut rule = Wild { protocol: Some(6), ..Wild::default() }.rule(true, 5, Scope::HeadersL3);
    rule.row.ring = 2;
    bench.commands(&rule_commands(0, 0, &rule, false));
    let frame = udp(TARGET, OTHER, [1000, 2000], 300);
    bench.push(0, PortSide::A, &frame);
    bench.push(1, PortSide::A, &udp(OTHER, "203.0.113.1", [1, 2], 10));
    bench.push(2, PortSide::B, &crate::common::frames::tcp_tagged(TARGET, OTHER, [1, 2], 0, 400));
    let got = bench.records();
    let summary: Vec<(u8, u32, Vec<u32>, usize)> = got
        .iter()
        .map(|got| {
            let Got::Packet { ring, sequence, .. } = got else { panic!("a gap") };
            let indices = hits(got).iter().map(|(index, ..)| *index).collect();
            (*ring, *sequence, indices, packet_bytes(got).len())
        })
        .collect();
    let mut expected = vec![
        (0, 0, vec![4], 342),
        (0, 1, vec![4], 52),
        (0, 2, vec![4], 454),
        (1, 0, vec![2], 342),
        (1, 1, vec![2], 52),
        (1, 2, vec![2], 454),
        (2, 0, vec![5], 34),
        (3, 0, vec![1, 3], 42),
        (3, 1, vec![1], 34),
    ];
    // The ports are looked up in no fixed order; here the third frame may come before the second.
    let sorted = |mut all: Vec<(u8, u32, Vec<u32>, usize)>| {
        all.sort_by(|a, b| (a.0, &a.2, a.3).cmp(&(b.0, &b.2, b.3)));
        all.into_iter().map(|(ring, _, indices, bytes)| (ring, indices, bytes)).collect::<Vec<_>>()
    };
    let sequences: Vec<(u8, u32)> = summary.iter().map(|(ring, sequence, ..)| (*ring, *sequence)).collect();
    assert_eq!(sequences, expected.iter().map(|(ring, sequence, ..)| (*ring, *sequence)).collect::<Vec<_>>());
    expected.sort_by_key(|(ring, sequence, ..)| (*ring, *sequence));
    assert_eq!(sorted(summary), sorted(expected));
    let counters = bench.parts.card.counters().expect("counters");
    let values = [Counter::FramesHit, Counter::RecordsDue, Counter::Records].map(|counter| counters.value(counter));
    assert_eq!(values, [3, 9, 9]);
}

/// The golden model tells at once, which is allowed; the gateware holds the index back for fewer writes.
pub(crate) fn an_index_waits_no_longer_than_allowed(make: MakeCard) {
    let mut bench = Bench::new(make);
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
    bench.parts.card.set_index_delay(INDEX_DELAY_NS_MAX).expect("the longest delay");
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [7, 2], 80);
    bench.push(0, PortSide::A, &frame);
    bench.settle();
    let holds_back = matches!(bench.shared.card().name(), "rtl" | "tlp");
    let early = bench.records_now().len();
    assert!(early == 0 || !holds_back, "told before there was a need to");
    bench.run(1 << 16);
    assert_eq!(early + bench.records_now().len(), 1);
    // A batch is never held back.
    for number in 1..=u64::from(INDEX_WRITE_BACK_RECORDS) {
        bench.push(number, PortSide::A, &frame);
    }
    bench.settle();
    assert_eq!(bench.records_now().len(), INDEX_WRITE_BACK_RECORDS as usize);
    let too_long = bench.parts.card.set_index_delay(INDEX_DELAY_NS_MAX + 1);
    let given = u64::from(INDEX_DELAY_NS_MAX) + 1;
    assert_eq!(too_long, Err(CardError::Setting { name: "index_delay_ns", given }));
}

/// A consumer that stands still loses its own records and nobody else's.
pub(crate) fn a_ring_that_is_full_does_not_hold_up_the_others(make: MakeCard) {
    let sizes = RingSizes { record_lines: [4096, 4096, 256, 4096], commands: 64 };
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    bench.commands(&[
        in_ring(address_row(TARGET, 0, 1, Scope::Content), 0),
        in_ring(address_row(OTHER, 1, 2, Scope::Content), 2),
        in_ring(endpoint_row(TARGET, 17, 7, 2, 3, Scope::HeadersL4), 3),
    ]);
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [7, 2], 80);
    let frames = 600_u32;
    let mut got = Vec::new();
    for number in 0..frames {
        bench.push(number.into(), PortSide::A, &frame);
        if number % 20 == 0 {
            bench.run(400);
            for ring in [0, 3] {
                bench.poll_ring(ring, &mut got);
            }
        }
    }
    bench.settle();
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    assert!(dropped > 100, "{dropped}");
    assert_eq!(counters.value(Counter::RecordsDue), 3 * u64::from(frames));
    assert_eq!(counters.value(Counter::FramesHit), u64::from(frames));
    got.extend(bench.records());
    for (ring, dropped) in [(0, 0), (2, dropped), (3, 0)] {
        let of_ring: Vec<Got> = got.iter().filter(|got| got.ring() == ring).cloned().collect();
        check_numbers(&of_ring, frames, dropped);
    }
    for (index, expected) in [(1, 0), (2, dropped), (3, 0)] {
        let index = MatchIndex::new(index).expect("in range");
        let done = bench.commands(&[Command::drops(0, index, false)]);
        assert_eq!(done[0].completion.drop_packets.get(), expected);
        assert_eq!(done[0].completion.drop_bytes.get(), expected * frame.len() as u64);
    }
}

/// A ring that the host does not use costs its own records, and they are counted.
pub(crate) fn records_for_a_ring_that_is_not_used_are_counted(make: MakeCard) {
    let sizes = RingSizes { record_lines: [1024, 0, 0, 0], commands: 64 };
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    assert_eq!(rings::ENABLE_RECORDS.extract(bench.shared.read32(rings::ENABLE_AT)), 1);
    bench.commands(&[
        in_ring(address_row(TARGET, 0, 1, Scope::Content), 0),
        in_ring(address_row(OTHER, 1, 2, Scope::Content), 1),
    ]);
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [7, 2], 80);
    let frames = 300_u32;
    let mut got = Vec::new();
    for number in 0..frames {
        bench.push(number.into(), PortSide::A, &frame);
        if number % 20 == 0 {
            bench.run(400);
            got.extend(bench.records_now());
        }
    }
    bench.settle();
    got.extend(bench.records_now());
    check_numbers(&got, frames, 0);
    assert!(got.iter().all(|got| got.ring() == 0));
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    assert!((100..u64::from(frames)).contains(&dropped), "{dropped}");
    assert_eq!(counters.value(Counter::Records) + dropped, 2 * u64::from(frames));
    assert_eq!(bench.shared.card().dma_faults(), 0);
}
