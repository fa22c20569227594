//! Per-match drop counters against a map.

use crate::bench::{Bench, Random, number, value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use writ_abi::limits::{DROP_QUEUE_FRAMES, HITS_MAX, MATCH_INDEX_COUNT};
use writ_hdl::capture::types::{DroppedRecord, HitList};
use writ_hdl::capture::{DROP_BANKS, DropCounters};

const SWEEP_CLOCKS: u64 = MATCH_INDEX_COUNT as u64 / DROP_BANKS as u64;

fn swept() -> Bench<DropCounters> {
    let mut bench = Bench::new(DropCounters::default(), |block| &mut block.clock);
    for _ in 0..SWEEP_CLOCKS {
        assert!(!bench.block.ready.val());
        bench.tick();
    }
    assert!(bench.block.ready.val());
    bench
}

/// A record whose hits have these indices, with scopes and lookups that do not count here.
fn record(indices: &[u64], bytes: u64) -> DroppedRecord {
    let mut hits = [0xd5 << 17; HITS_MAX];
    for (hit, index) in hits.iter_mut().zip(indices) {
        *hit |= index;
    }
    let [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12, h13, h14, h15, h16, h17, h18, h19, h20] =
        hits.map(|hit| number(hit & 0xff_ffff));
    let hits = HitList {
        hit_0: h0,
        hit_1: h1,
        hit_2: h2,
        hit_3: h3,
        hit_4: h4,
        hit_5: h5,
        hit_6: h6,
        hit_7: h7,
        hit_8: h8,
        hit_9: h9,
        hit_10: h10,
        hit_11: h11,
        hit_12: h12,
        hit_13: h13,
        hit_14: h14,
        hit_15: h15,
        hit_16: h16,
        hit_17: h17,
        hit_18: h18,
        hit_19: h19,
        hit_20: h20,
    };
    DroppedRecord { hit_count: number(indices.len() as u64), hits, bytes: number(bytes) }
}

fn ask(bench: &mut Bench<DropCounters>, index: u64, clear: bool) -> (u64, u64) {
    bench.block.request.next = true;
    bench.block.clear.next = clear;
    bench.block.index.next = number(index);
    for _ in 0..60 {
        bench.settle();
        if bench.block.done.val() {
            let answer = (value(bench.block.packets.val()), value(bench.block.bytes.val()));
            bench.tick();
            bench.block.request.next = false;
            bench.tick();
            return answer;
        }
        bench.tick();
    }
    panic!("no answer");
}

/// Indices that share banks, rows, or nothing, few enough to meet again while their last change is on its way.
fn index(random: &mut Random) -> u64 {
    [0, 1, 8_192, 8_193, 70_000, MATCH_INDEX_COUNT as u64 - 1][random.below(6) as usize]
}

#[test]
fn each_distinct_index_counts_once_a_record() {
    let mut bench = swept();
    let mut random = Random(10);
    let mut counts: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut lost = 0;
    for clock in 0..5_000 {
        // Mostly one hit, as in traffic; crowds for a while, so that the queue fills.
        let most = if clock % 1_000 < 300 { HITS_MAX as u64 } else { 2 };
        let indices: Vec<u64> = (0..1 + random.below(most)).map(|_| index(&mut random)).collect();
        let bytes = random.below(9_665);
        let active = !random.one_in(4);
        bench.block.dropped.next = active;
        bench.block.record.next = record(&indices, bytes);
        bench.settle();
        if active && bench.block.unattributed.val() {
            lost += 1;
        } else if active {
            for index in indices.into_iter().collect::<BTreeSet<_>>() {
                let count = counts.entry(index).or_default();
                *count = (count.0 + 1, count.1 + bytes);
            }
        }
        bench.tick();
    }
    assert!(lost > 0, "more was offered than the block can count, so some must be unattributed");
    bench.block.dropped.next = false;
    for _ in 0..DROP_QUEUE_FRAMES * HITS_MAX {
        bench.tick();
    }
    assert_eq!(counts.len(), 6);
    for (&index, &count) in &counts {
        assert_eq!(ask(&mut bench, index, false), count);
        assert_eq!(ask(&mut bench, index, true), count);
        assert_eq!(ask(&mut bench, index, false), (0, 0));
    }
    assert_eq!(ask(&mut bench, 2, true), (0, 0));
}

#[test]
fn one_hit_a_clock_is_counted_for_ever() {
    let mut bench = swept();
    // The same index without a pause, then two in turn, three, four, five: whatever was added one, two, three clocks ago counts.
    let mut expected: VecDeque<u64> = VecDeque::new();
    for period in 1..6 {
        expected.push_back(0);
        for n in 0..600 {
            bench.block.dropped.next = true;
            bench.block.record.next = record(&[100 * period + n % period], 7);
            bench.settle();
            assert!(!bench.block.unattributed.val());
            bench.tick();
            expected[period as usize - 1] += 1;
        }
    }
    bench.block.dropped.next = false;
    for _ in 0..20 {
        bench.tick();
    }
    for (position, total) in expected.into_iter().enumerate() {
        let period = position as u64 + 1;
        let counted: Vec<_> = (0..period).map(|n| ask(&mut bench, 100 * period + n, false)).collect();
        assert_eq!(counted, vec![(total / period, total / period * 7); period as usize]);
    }
}

#[test]
fn requests_are_answered_while_records_are_dropped() {
    let mut bench = swept();
    let mut random = Random(11);
    let mut total = 0;
    for _ in 0..200 {
        bench.block.dropped.next = true;
        bench.block.record.next = record(&[3, 4, 3], 100);
        if random.one_in(10) {
            let (packets, bytes) = ask(&mut bench, 3, true);
            assert_eq!(bytes, packets * 100);
            total += packets;
        } else {
            bench.tick();
        }
    }
    let offered = bench.clocks - SWEEP_CLOCKS;
    bench.block.dropped.next = false;
    for _ in 0..2_000 {
        bench.tick();
    }
    let lost = offered - ask(&mut bench, 4, false).0;
    assert_eq!(total + ask(&mut bench, 3, true).0, offered - lost, "no drop is lost between reading and clearing");
    assert!(lost < offered / 4);
}
