//! Per-match drop counters against a map.

use crate::bench::{Bench, Random, number, value};
use std::collections::{BTreeMap, BTreeSet};
use writ_abi::limits::MATCH_INDEX_COUNT;
use writ_hdl::capture::DropCounters;
use writ_hdl::capture::types::DroppedFrame;
use writ_hdl::lookup::types::Hit;

fn swept() -> Bench<DropCounters> {
    let mut bench = Bench::new(DropCounters::default(), |block| &mut block.clock);
    for _ in 0..MATCH_INDEX_COUNT {
        assert!(!bench.block.ready.val());
        bench.tick();
    }
    assert!(bench.block.ready.val());
    bench
}

fn dropped(random: &mut Random) -> (DroppedFrame, BTreeSet<u64>, u64) {
    let bytes = random.below(9_665);
    let mut indices = BTreeSet::new();
    let mut hits = [Hit::default(); 4];
    while indices.is_empty() {
        for hit in &mut hits {
            let index = random.below(4) * 7_919;
            let valid = random.one_in(2);
            *hit = Hit { valid, match_index: number(index), scope: number(0) };
            if valid {
                indices.insert(index);
            }
        }
    }
    let [hit_0, hit_1, hit_2, hit_3] = hits;
    (DroppedFrame { hit_0, hit_1, hit_2, hit_3, bytes: number(bytes) }, indices, bytes)
}

fn ask(bench: &mut Bench<DropCounters>, index: u64, clear: bool) -> (u64, u64) {
    bench.block.request.next = true;
    bench.block.clear.next = clear;
    bench.block.index.next = number(index);
    for _ in 0..20 {
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

#[test]
fn each_distinct_index_counts_once_a_frame() {
    let mut bench = swept();
    let mut random = Random(10);
    let mut counts: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut lost = 0;
    for _ in 0..6_000 {
        let active = !random.one_in(4);
        let (frame, indices, bytes) = dropped(&mut random);
        bench.block.dropped.next = active;
        bench.block.frame.next = frame;
        bench.settle();
        if active && bench.block.unattributed.val() {
            lost += 1;
        } else if active {
            for index in indices {
                let count = counts.entry(index).or_default();
                *count = (count.0 + 1, count.1 + bytes);
            }
        }
        bench.tick();
    }
    assert!(lost > 0, "more was offered than the block can count, so some must be unattributed");
    bench.block.dropped.next = false;
    for _ in 0..2_500 {
        bench.tick();
    }
    for (&index, &count) in &counts {
        assert_eq!(ask(&mut bench, index, false), count);
        assert_eq!(ask(&mut bench, index, true), count);
        assert_eq!(ask(&mut bench, index, false), (0, 0));
    }
    assert_eq!(ask(&mut bench, 1, true), (0, 0));
}

#[test]
fn requests_are_answered_while_frames_are_dropped() {
    let mut bench = swept();
    let mut random = Random(11);
    let mut total = 0;
    for _ in 0..200 {
        let hit = Hit { valid: true, match_index: number(3), scope: number(2) };
        bench.block.dropped.next = true;
        bench.block.frame.next = DroppedFrame { hit_0: hit, bytes: number(100), ..DroppedFrame::default() };
        if random.one_in(10) {
            let (packets, bytes) = ask(&mut bench, 3, true);
            assert_eq!(bytes, packets * 100);
            total += packets;
        } else {
            bench.tick();
        }
    }
    let offered = bench.clocks - u64::from(MATCH_INDEX_COUNT);
    bench.block.dropped.next = false;
    for _ in 0..600 {
        bench.tick();
    }
    assert_eq!(total + ask(&mut bench, 3, true).0, offered, "no drop is lost between reading and clearing");
}
