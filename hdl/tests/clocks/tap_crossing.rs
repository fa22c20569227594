//! The tap branch from the wire's clock to the core's: frames whole or marked, each loss counted.

use crate::bench::{Random, number, value};
use crate::two_clocks::{Schedule, TwoClocks};
use writ_hdl::axis::{TapBeat, TapCrossing};

type Crossing = TapCrossing<32>;

/// A frame as it came out: beats, and whether its end says that it was cut.
#[derive(Debug, PartialEq, Clone)]
struct Seen {
    beats: Vec<(u64, u64)>,
    stamp: u64,
    quality: u64,
    error: bool,
    cut: bool,
}

struct Run {
    bench: TwoClocks<Crossing>,
    schedule: Schedule,
    /// Frames given, in order.
    given: Vec<Seen>,
    came: Vec<Seen>,
    current: Option<Seen>,
    lost_at_wire: usize,
    lost: usize,
    word: u64,
}

impl Run {
    fn new(schedule: Schedule) -> Self {
        let bench = TwoClocks::new(Crossing::default(), |block, clocks| {
            (block.wire_clock.next, block.clock.next) = (clocks[0], clocks[1]);
        });
        let mut run =
            Self { bench, schedule, given: vec![], came: vec![], current: None, lost_at_wire: 0, lost: 0, word: 0 };
        run.idle(20);
        run
    }

    /// Steps until the wire's clock has risen once.
    fn wire_clock(&mut self, beat: TapBeat, data: u64, stamp: u64, quality: u64) {
        loop {
            let (_, edges) = self.schedule.next();
            let block = &mut self.bench.block;
            block.tap_beat.next = beat;
            block.tap_data.next = number(data);
            block.tap_stamp_ns.next = number(stamp);
            block.tap_stamp_quality.next = number(quality);
            self.bench.settle();
            let block = &self.bench.block;
            self.lost_at_wire += usize::from(edges[0] && block.tap_lost.val());
            if edges[1] {
                self.core_side();
            }
            self.bench.rise(edges);
            if edges[0] {
                return;
            }
        }
    }

    fn core_side(&mut self) {
        let block = &self.bench.block;
        self.lost += usize::from(block.lost.val());
        let beat = block.beat.val();
        if !beat.valid {
            return;
        }
        assert!(block.busy.val(), "a beat comes from nowhere");
        let new = || Seen { beats: vec![], stamp: 0, quality: 0, error: false, cut: false };
        if beat.first {
            assert_eq!(self.current, None, "a frame starts inside another");
            self.current = Some(new());
        }
        let frame = self.current.as_mut().expect("a beat without a start");
        frame.beats.push((value(beat.length), value(block.data.val())));
        (frame.stamp, frame.quality) = (value(block.stamp_ns.val()), value(block.stamp_quality.val()));
        if beat.last {
            (frame.error, frame.cut) = (beat.error, block.cut.val());
            self.came.extend(self.current.take());
        }
    }

    fn idle(&mut self, clocks: usize) {
        for _ in 0..clocks {
            self.wire_clock(TapBeat::default(), 0, 0, 0);
        }
    }

    fn send(&mut self, beats: usize, error: bool, gap: impl Fn() -> usize) {
        let stamp = 1_000_000 + self.word;
        let mut frame = Seen { beats: vec![], stamp, quality: self.word % 3, error, cut: false };
        for index in 0..beats {
            self.word += 1;
            let last = index + 1 == beats;
            let length = 64 * (index as u64 + 1);
            let beat = TapBeat { valid: true, first: index == 0, last, error: error && last, length: number(length) };
            frame.beats.push((length, self.word));
            self.wire_clock(beat, self.word, stamp, frame.quality);
            self.idle(gap());
        }
        self.given.push(frame);
    }
}

#[test]
fn nothing_is_lost_at_ethernet_rates() {
    // Back to back at the highest beat rate of 100 Gb/s Ethernet, 65 bytes and FCS: 11 beats in 12 clocks.
    for schedule in [
        Schedule::ppm([100, -100], 5),
        Schedule::ppm([-100, 100], 1_000_000),
        Schedule::ppm([0, 0], 0),
        Schedule::ppm([100, -100], 2_900_000),
    ] {
        let mut run = Run::new(schedule);
        let mut random = Random(3);
        for frame in 0..400 {
            let beats = [2, 2, 1, 2, 151][if frame % 40 == 0 { 4 } else { frame % 4 }];
            run.send(beats, random.one_in(9), || 0);
            run.idle(usize::from(frame % 5 == 0));
        }
        run.idle(30);
        assert_eq!(run.came, run.given);
        assert_eq!((run.lost, run.lost_at_wire), (0, 0));
        assert!(!run.bench.block.busy.val());
    }
}

#[test]
fn an_overflow_costs_whole_frames_and_each_is_counted() {
    let mut dropped_whole = 0;
    for (seed, core_fs) in [(1, 5_000_000), (2, 20_000_000), (3, 3_500_000), (4, 100_000_000)] {
        let mut run = Run::new(Schedule::periods([3_103_030, core_fs], 7));
        let mut random = Random(seed);
        for _ in 0..300 {
            let longest = if random.one_in(5) { 151 } else { 5 };
            let beats = 1 + random.below(longest) as usize;
            run.send(beats, false, || 0);
            let gap = if random.one_in(10) { random.below(300) } else { 0 } as usize;
            run.idle(gap);
        }
        run.idle(4_000);
        let whole: Vec<_> = run.came.iter().filter(|frame| !frame.cut).cloned().collect();
        let cut: Vec<_> = run.came.iter().filter(|frame| frame.cut).cloned().collect();
        // What came whole is what was given, in order; nothing that was cut looks whole.
        let mut given = run.given.iter();
        assert!(whole.iter().all(|frame| given.any(|other| other == frame)), "run {seed}: a frame was changed");
        for frame in &cut {
            assert!(frame.error);
            let original = run.given.iter().find(|other| other.stamp == frame.stamp).expect("a frame that was given");
            assert!(frame.beats.len() <= original.beats.len() && original.beats.starts_with(&frame.beats));
        }
        assert_eq!(whole.len() + run.lost, run.given.len(), "run {seed}: each loss counts once");
        assert_eq!(run.lost, run.lost_at_wire);
        assert!(!cut.is_empty() && whole.len() > 20, "run {seed}: {} cut, {} whole", cut.len(), whole.len());
        dropped_whole += run.lost - cut.len();
        assert!(!run.bench.block.busy.val());
    }
    assert!(dropped_whole > 50, "{dropped_whole}");
}

#[test]
fn a_reset_of_the_core_starts_again_with_a_whole_frame() {
    let mut run = Run::new(Schedule::ppm([50, -50], 11));
    run.send(20, false, || 0);
    run.bench.block.reset.next = true;
    run.send(20, false, || 0);
    run.idle(10);
    assert!(!run.bench.block.open.val());
    run.bench.block.reset.next = false;
    // The frame under way when the reset ends is not seen, however long it is; `Tap` sees to that while `open` is low.
    run.idle(20);
    assert!(run.bench.block.open.val());
    (run.current, run.came, run.given) = (None, vec![], vec![]);
    for _ in 0..10 {
        run.send(3, false, || 1);
    }
    run.idle(20);
    assert_eq!(run.came, run.given);
    assert_eq!((run.lost, run.lost_at_wire), (0, 0));
}
