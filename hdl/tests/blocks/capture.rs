//! The capture side: beats and verdicts in, records out.

mod card;
mod drops;
mod release;

use crate::bench::{Bench, Random, number, value};
use card::{Card, Frame, SlotHit, frame, headers};
use writ_abi::limits::{COPY_FIFO_LINES, FRAME_BYTES_MAX, HITS_MAX, RECORD_FIFO_LINES, RECORD_RINGS};
use writ_abi::record::{DropCause, RecordKind, flags};
use writ_abi::{Lookup, Scope};
use writ_hdl::capture::record::RecordFifo;
use writ_hdl::parse::types::{Headers, Layer};

const ALL_RINGS: [u8; RECORD_RINGS] = [0, 1, 2, 3];

/// Slots of a frame as they come in traffic: often none, mostly one or two, now and then a crowd.
fn slots(random: &mut Random) -> Vec<usize> {
    let one_in = match random.below(10) {
        0..3 => return vec![],
        3..8 => 14,
        8 => 3,
        _ => 1,
    };
    (0..HITS_MAX).filter(|_| random.one_in(one_in)).collect()
}

#[test]
fn frames_of_all_kinds_become_records() {
    let mut card = Card::new();
    card.pause = 20;
    card.set_own_tunnels(0b0000_1010_1011);
    let mut random = Random(7);
    let mut rings = [0; RECORD_RINGS];
    for _ in 0..400 {
        let bytes = if random.one_in(3) { 60 + random.below(600) } else { 60 + random.below(80) };
        let slots = slots(&mut random);
        let mut frame = frame(&mut random, bytes as usize, &slots, &ALL_RINGS);
        frame.error = random.one_in(12);
        let named = (0..4).filter(|ring| frame.hits.iter().any(|hit| hit.ring == *ring)).count();
        if named > 0 {
            rings[named - 1] += 1;
        }
        card.send(random.below(2) as usize, frame);
    }
    card.run_until_idle();
    let due: usize = card.numbered.iter().map(Vec::len).sum();
    let missing: usize = (0..RECORD_RINGS).map(|ring| card.check(ring)).sum();
    assert!(rings.iter().all(|&frames| frames > 10), "frames by the number of their rings: {rings:?}");
    assert!(card.numbered.iter().all(|ring| ring.len() > 60), "each ring had its share");
    assert!(missing * 4 < due, "{missing} of {due} are missing though everything is read");
    assert!(card.damaged > 10, "flagged frames with hits were not tried");
    assert_eq!(card.flagged, card.damaged);
    let two_lines = card.numbered.iter().flatten().filter(|record| record.flags & flags::SECOND_LINE != 0).count();
    let own = card.numbered.iter().flatten().filter(|record| record.flags & flags::OWN_TUNNEL != 0).count();
    assert!(two_lines > 3 && own > 30, "{two_lines} with two header lines, {own} of own tunnels");
    let [_, outcomes, copied, _] = card.counted;
    assert_eq!((outcomes, copied), (due, due - missing));
}

#[test]
fn a_ring_that_nobody_reads_costs_the_others_nothing() {
    let mut card = Card::new();
    card.reading[1] = false;
    card.pause = 50;
    let mut random = Random(8);
    for n in 0..500 {
        let rings: &[u8] = [&[0_u8, 1][..], &[1], &[1, 2], &[3]][n % 4];
        let mut frame = frame(&mut random, 130, &[], rings);
        frame.hits = rings
            .iter()
            .enumerate()
            .map(|(slot, &ring)| SlotHit { slot, index: n as u32, scope: Scope::Content, ring, destination: false })
            .collect();
        card.send(n % 2, frame);
    }
    for _ in 0..3_000 {
        card.tick();
    }
    assert!(!card.bench.block.idle.val(), "ring 1 waits");
    assert_eq!([0, 2, 3].map(|ring| card.check(ring)), [0; 3], "nothing is missing in the others");
    assert!([0, 2, 3].iter().all(|&ring| card.numbered[ring].len() == 125));
    assert!(card.records[1].is_empty());
    card.reading[1] = true;
    card.run_until_idle();
    // A record of 126 bytes takes three lines.
    let fitting = RECORD_FIFO_LINES / 3;
    assert_eq!(card.check(1), 375 - fitting, "what fits is copied, and no more");
    assert_eq!(card.stalled, 0);
    let [frames, outcomes, copied, gaps] = card.counted;
    assert_eq!((frames, outcomes, copied, gaps), (500, 750, 375 + fitting, 1));
}

#[test]
fn a_ring_under_too_much_load_carries_records_and_not_gaps() {
    let mut card = Card::new();
    card.pause = 0;
    let mut random = Random(9);
    for n in 0..3_000 {
        // Two lines each, and one line a clock leaves.
        card.send(n % 2, frame(&mut random, 60, &[2], &[0]));
    }
    card.run_until_idle();
    let missing = card.check(0);
    let [_, outcomes, copied, gaps] = card.counted;
    assert_eq!(copied, outcomes - missing);
    assert!(missing * 4 > outcomes, "{missing} of {outcomes} are missing: that was no load");
    assert!(gaps >= 3 && gaps * 50 < copied, "{gaps} gap records beside {copied} records");
}

#[test]
fn a_frame_that_hits_everywhere_has_two_lines_of_hits() {
    let mut card = Card::new();
    let mut random = Random(20);
    let all: Vec<usize> = (0..HITS_MAX).collect();
    for wanted in [HITS_MAX, 9, 8, 1] {
        card.send(0, frame(&mut random, 200, &all[HITS_MAX - wanted..], &[2]));
        card.run_until_idle();
        let record = card.numbered[2].last().expect("a record is due");
        assert_eq!(record.hits.len(), wanted);
        let bytes = card.records[2].back().expect("a record came");
        assert_eq!((bytes[1] & flags::SECOND_LINE != 0, usize::from(bytes[2])), (wanted > 8, wanted));
    }
    assert_eq!(card.check(2), 0);
    // The lookups of all exact tables in their order, then one of each bank.
    let first = &card.numbered[2][0].hits;
    assert!(first[..17].iter().map(|hit| hit.2).eq(Lookup::ALL[..17].iter().copied()));
    assert!(first[17..].iter().enumerate().all(|(bank, hit)| (hit.2 as usize - 17) / 2 == bank));
}

/// Outer header to byte 34, its transport header to 42; inner header to byte 84, its transport header to 104.
fn tunnelled(has_outer: bool, has_inner: bool) -> Headers {
    let layer = |start: u64, l3_end: u64, l4_end: u64| Layer {
        l3_offset: number(start),
        l3_end: number(l3_end),
        l4_end: number(l4_end),
        ..Layer::default()
    };
    let mut headers = Headers { tunnel: number(2), ..Headers::default() };
    if has_outer {
        headers.outer = layer(14, 34, 42);
    }
    if has_inner {
        headers.inner = layer(64, 84, 104);
    }
    headers
}

#[test]
fn each_hit_is_cut_at_its_own_layer() {
    use Lookup::*;
    use Scope::*;
    // Lookup, scope, outer header, inner header, own tunnel, captured bytes.
    let cases = [
        (OuterSource, HeadersL3, true, true, false, 34),
        (OuterSource, HeadersL4, true, true, false, 42),
        (OuterSource, Content, true, true, false, 296),
        (OuterSource, HeadersL3, true, true, true, 84),
        (OuterSource, HeadersL4, true, true, true, 104),
        (OuterSource, HeadersL4, true, false, true, 42),
        (InnerDestination, HeadersL3, true, true, false, 84),
        (InnerSourcePrefix, HeadersL4, true, true, false, 104),
        (OuterDestinationPrefix, HeadersL4, true, true, false, 42),
        (EndpointSource, HeadersL4, true, true, false, 104),
        (EndpointSource, HeadersL4, true, false, false, 42),
        (FiveTupleReversed, HeadersL3, true, false, false, 34),
        (LinkTunnel, HeadersL4, true, true, false, 42),
        (LinkTunnel, HeadersL3, true, true, true, 84),
        (IpTunnel, HeadersL3, true, true, false, 84),
        (IpTunnel, HeadersL3, true, false, false, 34),
        (MacSource, HeadersL4, false, false, false, 14),
        (MacDestination, HeadersL3, true, true, false, 34),
        (Vlan, HeadersL4, true, true, false, 42),
        (Vlan, HeadersL3, false, false, true, 14),
        (Rule0Source, HeadersL4, true, true, false, 104),
        (Rule3Destination, HeadersL3, true, true, false, 84),
        (Rule1Destination, HeadersL4, true, false, false, 42),
    ];
    let mut card = Card::new();
    let mut random = Random(21);
    for (lookup, scope, has_outer, has_inner, own, captured) in cases {
        card.set_own_tunnels(if own { 1 << 2 } else { !(1 << 2) & 0x3ff });
        let (number, rule) = (lookup as usize, (lookup as usize).checked_sub(17));
        let slot = rule.map_or(number, |rule| 17 + rule / 2);
        let hit = SlotHit { slot, index: 9, scope, ring: 0, destination: rule.is_some_and(|rule| rule % 2 == 1) };
        let headers = tunnelled(has_outer, has_inner);
        card.send(1, Frame { bytes: random.bytes(300), error: false, hits: vec![hit], headers });
        card.run_until_idle();
        let record = card.numbered[0].last().expect("a record is due");
        assert_eq!(record.payload.len(), captured, "{lookup:?} {scope:?} {has_outer} {has_inner} {own}");
        assert_eq!(record.hits, [(9, scope, lookup)]);
    }
    // The widest hit of a ring counts, and none of another ring.
    card.set_own_tunnels(0);
    let hit = |slot, scope, ring| SlotHit { slot, index: 1, scope, ring, destination: false };
    let hits = vec![hit(0, HeadersL4, 0), hit(2, HeadersL3, 0), hit(14, HeadersL3, 1), hit(16, Content, 2)];
    card.send(0, Frame { bytes: random.bytes(300), error: false, hits, headers: tunnelled(true, true) });
    // A frame shorter than its headers say.
    let hits = vec![hit(3, HeadersL4, 3)];
    card.send(0, Frame { bytes: random.bytes(90), error: false, hits, headers: tunnelled(true, true) });
    card.run_until_idle();
    let captured = [0, 1, 2, 3].map(|ring: usize| card.numbered[ring].last().expect("due").payload.len());
    assert_eq!(captured, [84, 34, 296, 86]);
    assert_eq!([0, 1, 2, 3].map(|ring| card.check(ring)), [0; 4]);
}

#[test]
fn own_tunnels_count_as_they_stood_at_lookup() {
    let mut card = Card::new();
    let mut random = Random(22);
    let hit = SlotHit { slot: 0, index: 1, scope: Scope::HeadersL3, ring: 0, destination: false };
    for n in 0..60 {
        let mut headers = headers(&mut random);
        headers.tunnel = number(n % 8);
        card.send(0, Frame { bytes: random.bytes(200), error: false, hits: vec![hit], headers });
    }
    // Changes every few clocks, between a frame's keys and its verdict too.
    let mut kinds = 0;
    for _ in 0..400 {
        if random.one_in(3) {
            kinds = random.below(1 << 10);
            card.set_own_tunnels(kinds);
        }
        card.tick();
    }
    card.run_until_idle();
    assert_eq!(card.check(0), 0);
    let own = card.numbered[0].iter().filter(|record| record.flags & flags::OWN_TUNNEL != 0).count();
    assert!((10..50).contains(&own), "{own} of 60; {kinds:#x} at last");
}

#[test]
fn one_ring_takes_a_verdict_a_clock_and_four_rings_are_stalled() {
    for (rings, stalls) in [(1, false), (4, true)] {
        let mut card = Card::new();
        let mut random = Random(23);
        let hits: Vec<SlotHit> = (0..rings)
            .map(|ring| SlotHit { slot: 2, index: 5, scope: Scope::HeadersL3, ring, destination: false })
            .map(|hit| SlotHit { slot: 2 + usize::from(hit.ring), ..hit })
            .collect();
        for n in 0..1_600 {
            let headers = tunnelled(true, false);
            card.send(n % 2, Frame { bytes: random.bytes(80), error: false, hits: hits.clone(), headers });
        }
        card.run_until_idle();
        let missing = (0..usize::from(rings)).map(|ring| card.check(ring)).sum::<usize>();
        assert_eq!((card.stalled > 0, card.window_dropped > 0), (stalls, stalls), "{rings} rings");
        assert!(missing > 0, "the copier is too fast for this test");
        let looked_up = 1_600 - card.window_dropped;
        assert!((0..usize::from(rings)).all(|ring| card.numbered[ring].len() == looked_up));
        assert_eq!(card.counted[..2], [looked_up, looked_up * usize::from(rings)]);
    }
}

#[test]
fn a_gap_alone_waits_for_its_turn() {
    let mut card = Card::new();
    let mut random = Random(24);
    // An oversize frame each few hundred clocks, in a ring that has room: one gap record for those of 256 clocks at most.
    let mut gaps = vec![];
    for _ in 0..4 {
        let mut frame = frame(&mut random, FRAME_BYTES_MAX + 1, &[0], &[3]);
        frame.hits[0].scope = Scope::Content;
        card.send(0, frame);
    }
    for _ in 0..1_500 {
        card.tick();
        if card.bench.block.gap_record.val() {
            assert_eq!(value(card.bench.block.outcome_ring.val()), 3);
            gaps.push(card.bench.clocks);
        }
    }
    card.run_until_idle();
    assert_eq!(card.check(3), 4);
    assert!(gaps.len() > 1 && gaps.windows(2).all(|pair| pair[1] - pair[0] >= 256), "{gaps:?}");
}

#[test]
fn frames_without_hits_make_room() {
    let mut card = Card::new();
    let mut random = Random(25);
    // Each of the first frames makes several records and frees its lines once; then come more lines without hits than the store has.
    for _ in 0..40 {
        let frame = frame(&mut random, 100, &[0, 5, 12, 16], &ALL_RINGS);
        card.send(0, frame);
    }
    for n in 0..COPY_FIFO_LINES / 3 {
        let slots: &[usize] = if n + 1 == COPY_FIFO_LINES / 3 { &[3, 9] } else { &[] };
        let frame = frame(&mut random, 300, slots, &ALL_RINGS);
        card.send(0, frame);
    }
    card.run_until_idle();
    assert_eq!([0, 1, 2, 3].map(|ring| card.check(ring)), [0; 4]);
}

#[test]
fn a_full_store_keeps_what_is_not_copied_yet() {
    let mut card = Card::new();
    let mut random = Random(26);
    // Two ports at full rate, each frame whole into one or two rings: the copier falls behind, and the stores fill and go round.
    for n in 0..640 {
        let mut frame = frame(&mut random, 640 + n % 64, &[1, 2], &ALL_RINGS);
        frame.hits.iter_mut().for_each(|hit| hit.scope = Scope::Content);
        card.send(n % 2, frame);
    }
    card.run_until_idle();
    let missing: usize = (0..RECORD_RINGS).map(|ring| card.check(ring)).sum();
    let due: usize = card.numbered.iter().map(Vec::len).sum();
    assert!(missing > due / 8 && missing < due, "{missing} of {due}");
    let gaps = card.records.iter().flatten().filter(|record| record[0] == RecordKind::Gap as u8);
    assert!(gaps.into_iter().any(|gap| gap[1] & 1 << DropCause::CopyFifo as u8 != 0), "the stores were never full");
}

#[test]
fn oversize_and_endless_frames_do_not_block() {
    let mut card = Card::new();
    let mut random = Random(9);
    for bytes in [FRAME_BYTES_MAX, FRAME_BYTES_MAX + 1, 70_000, 100] {
        let mut frame = frame(&mut random, bytes, &[1], &[0]);
        frame.hits[0].scope = Scope::Content;
        card.send(0, frame.clone());
        frame.bytes.truncate(200);
        card.send(1, frame);
    }
    card.run_until_idle();
    assert_eq!(card.check(0), 2);
}

#[test]
fn two_lines_that_leave_a_record_fifo_in_one_clock_are_both_told() {
    let mut bench = Bench::new(RecordFifo::default(), |block| &mut block.clock);
    bench.block.write_rest.next = true;
    bench.tick();
    bench.block.write_rest.next = false;
    bench.block.write_header.next = true;
    bench.tick();
    bench.block.write_header.next = false;
    bench.tick();
    bench.tick();
    assert!(bench.block.header_valid.val() && bench.block.rest_valid.val());
    bench.block.take_header.next = true;
    bench.block.take_rest.next = true;
    let mut told = 0;
    for _ in 0..4 {
        bench.settle();
        told += usize::from(bench.block.line_freed.val());
        bench.tick();
    }
    assert_eq!(told, 2);
}
