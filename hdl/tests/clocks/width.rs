//! Wires of 64 bits in front of a core of 512.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use crate::two_clocks::{Schedule, TwoClocks};
use rust_hdl::core::prelude::*;
use writ_hdl::axis::{Beat, TapBranch, WidthDown, WidthUp, WirePath};
use writ_hdl::time::TimeCrossing;

/// A beat with its data.
fn beat(data: &[u8], last: bool, error: bool) -> Beat {
    Beat { valid: true, last, error, bytes: number(data.len() as u64) }
}

#[test]
fn beats_are_gathered_and_stamped_with_their_first_part() {
    let mut bench = Bench::new(WidthUp::<64, 8>::default(), |block| &mut block.clock);
    let mut random = Random(2);
    let (mut sent, mut came) = (vec![], vec![]);
    let mut current = Vec::new();
    let mut clock = |bench: &mut Bench<WidthUp<64, 8>>, part: Option<(&[u8], bool, bool)>| {
        let (data, last, error) = part.unwrap_or((&[], false, false));
        bench.block.rx.next = if part.is_some() { beat(data, last, error) } else { Beat::default() };
        bench.block.rx_data.next = to_bits(data);
        bench.block.now_ns.next = number(bench.clocks * 7);
        bench.block.quality.next = number(bench.clocks % 3);
        bench.tick();
        let wide = bench.block.wide.val();
        if wide.valid {
            let mut bytes = to_bytes(bench.block.wide_data.val());
            assert!(wide.last || value(wide.bytes) == 64);
            bytes.truncate(value(wide.bytes) as usize);
            current.extend(bytes);
            if wide.last {
                let (stamp, quality) = (value(bench.block.stamp_ns.val()), value(bench.block.stamp_quality.val()));
                came.push((stamp, quality, wide.error, std::mem::take(&mut current)));
            }
        }
    };
    for _ in 0..300 {
        let longest = if random.one_in(4) { 300 } else { 20 };
        let length = 1 + random.below(longest) as usize;
        let frame = random.bytes(length);
        let error = random.one_in(5);
        let start = bench.clocks;
        let parts = frame.chunks(8).count();
        for (index, part) in frame.chunks(8).enumerate() {
            clock(&mut bench, Some((part, index + 1 == parts, error && index + 1 == parts)));
            while parts > 1 && random.one_in(9) {
                clock(&mut bench, None);
            }
        }
        sent.push((start * 7, start % 3, error, frame));
    }
    assert_eq!(came, sent);
}

#[test]
fn a_wide_beat_leaves_in_parts_and_nothing_is_lost_while_they_wait() {
    let mut bench = Bench::new(WidthDown::default(), |block| &mut block.clock);
    let mut random = Random(3);
    let frames: Vec<Vec<u8>> = (0..60)
        .map(|_| {
            let length = 1 + random.below(200) as usize;
            random.bytes(length)
        })
        .collect();
    let beats = |frame: &Vec<u8>| {
        let count = frame.chunks(64).count();
        let parts = frame.chunks(64).enumerate().map(move |(index, part)| (part.to_vec(), index + 1 == count));
        parts.collect::<Vec<_>>()
    };
    let mut waiting: std::collections::VecDeque<_> = frames.iter().flat_map(beats).collect();
    let (mut came, mut current) = (vec![], vec![]);
    while came.len() < frames.len() {
        assert!(bench.clocks < 20_000, "it stands still");
        let offered = !random.one_in(4);
        let ready = bench.clocks > 2_000 || random.one_in(2);
        let block = &mut bench.block;
        if let Some((data, last)) = waiting.front().filter(|_| offered) {
            block.wide.next = beat(data, *last, data[0] % 2 == 0);
            block.wide_data.next = to_bits(data);
        } else {
            block.wide.next = Beat::default();
        }
        block.narrow_ready.next = ready;
        bench.settle();
        let block = &bench.block;
        let narrow = block.narrow.val();
        if narrow.valid && ready {
            let mut bytes = to_bytes(block.narrow_data.val());
            bytes.truncate(value(narrow.bytes) as usize);
            current.extend(bytes);
            if narrow.last {
                came.push(std::mem::take(&mut current));
            }
        }
        if offered && block.wide_ready.val() {
            waiting.pop_front();
        }
        bench.tick();
    }
    assert_eq!(came, frames);
}

/// One direction of a card with wires of 64 bits: the wire stays narrow, the core gets wide beats.
#[derive(LogicBlock)]
struct NarrowDirection {
    wire_clock: Signal<In, Clock>,
    clock: Signal<In, Clock>,
    wire_reset: Signal<In, Bit>,
    now_ns: Signal<In, Bits<64>>,
    rx: Signal<In, Beat>,
    rx_data: Signal<In, Bits<64>>,
    path: WirePath<64>,
    branch: TapBranch<64, 8>,
}

/// 156.25 MHz, the user clock of a MAC of 10 Gb/s: 6.4 ns.
const PERIOD_FS: u64 = 6_400_000;

impl Default for NarrowDirection {
    fn default() -> Self {
        let period = (32 << 32) / 5;
        Self {
            wire_clock: Signal::default(),
            clock: Signal::default(),
            wire_reset: Signal::default(),
            now_ns: Signal::default(),
            rx: Signal::default(),
            rx_data: Signal::default(),
            path: WirePath::default(),
            branch: TapBranch::new(TimeCrossing::new(period, period)),
        }
    }
}

impl Logic for NarrowDirection {
    #[hdl_gen]
    fn update(&mut self) {
        self.path.clock.next = self.wire_clock.val();
        self.path.reset.next = self.wire_reset.val();
        self.path.rx.next = self.rx.val();
        self.path.rx_data.next = self.rx_data.val();
        self.branch.wire_clock.next = self.wire_clock.val();
        self.branch.wire_reset.next = self.wire_reset.val();
        self.branch.rx.next = self.rx.val();
        self.branch.rx_data.next = self.rx_data.val();
        self.branch.departed.next = false;
        self.branch.mac_overflow.next = false;
        self.branch.mac_underflow.next = false;
        self.branch.clock.next = self.clock.val();
        self.branch.reset.next = false;
        self.branch.now_ns.next = self.now_ns.val();
        self.branch.quality.next = bits::<2>(1);
        self.branch.step.next = false;
        self.branch.snapshot.next = false;
    }
}

#[test]
fn a_narrow_wire_feeds_a_wide_core() {
    let mut bench = TwoClocks::new(NarrowDirection::default(), |block, clocks| {
        (block.wire_clock.next, block.clock.next) = (clocks[0], clocks[1]);
    });
    let mut schedule = Schedule::periods([PERIOD_FS, PERIOD_FS - 1_280], 4_000_000);
    let mut random = Random(9);
    // Frames back to back as a line of 10 Gb/s gives them: no clock of the wire is idle but for preamble and idle.
    let frames: Vec<Vec<u8>> = (0..40)
        .map(|_| {
            let length = 64 + random.below(400) as usize;
            random.bytes(length)
        })
        .collect();
    let mut parts: std::collections::VecDeque<Option<(Vec<u8>, bool, bool)>> = vec![None; 40].into();
    for frame in &frames {
        let count = frame.chunks(8).count();
        let beats =
            frame.chunks(8).enumerate().map(|(index, part)| Some((part.to_vec(), index == 0, index + 1 == count)));
        parts.extend(beats);
        parts.extend([None, None]);
    }
    parts.extend(vec![None; 60]);
    let (mut wire, mut sent, mut came, mut wire_now_fs) = (vec![], vec![], Vec::<(u64, Vec<u8>)>::new(), 0);
    let mut delayed = std::collections::VecDeque::from(vec![None; 4]);
    while let Some(part) = parts.front().cloned() {
        let (now_fs, edges) = schedule.next();
        let (data, first, last) = part.clone().unwrap_or_default();
        bench.block.rx.next = if part.is_some() { beat(&data, last, false) } else { Beat::default() };
        bench.block.rx_data.next = to_bits(&data);
        bench.settle();
        if edges[0] {
            if first {
                sent.push(wire_now_fs / 1_000_000);
            }
            let tx = bench.block.path.tx.val();
            let bytes = to_bytes(bench.block.path.tx_data.val())[..value(tx.bytes) as usize].to_vec();
            wire.push(tx.valid.then_some((bytes, tx.last)));
            delayed.push_back(part.map(|(data, _, last)| (data, last)));
            assert_eq!(delayed.pop_front().as_ref(), wire.last(), "the wire");
            parts.pop_front();
            wire_now_fs = now_fs;
        }
        let out = bench.block.branch.beat.val();
        if edges[1] && out.valid {
            if out.first {
                came.push((value(bench.block.branch.stamp_ns.val()), vec![]));
            }
            let frame = &mut came.last_mut().expect("a frame").1;
            frame.extend(to_bytes(bench.block.branch.data.val()));
            frame.truncate(value(out.length) as usize);
        }
        bench.rise(edges);
        if edges[1] {
            bench.block.now_ns.next = number(now_fs / 1_000_000);
        }
    }
    assert_eq!(came.iter().map(|(_, frame)| frame).collect::<Vec<_>>(), frames.iter().collect::<Vec<_>>());
    for (at, (stamp, _)) in sent.iter().zip(&came) {
        // Half a clock and a nanosecond, and one more for the rounding of both times here.
        assert!(stamp.abs_diff(*at) <= 5, "{stamp} for {at}");
    }
}
