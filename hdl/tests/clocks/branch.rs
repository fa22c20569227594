//! The whole tap branch, as wide as it is, and the wire's counters.

use crate::bench::{Random, number, to_bits, to_bytes, value};
use crate::two_clocks::{Schedule, TwoClocks};
use writ_hdl::axis::{Beat, TapBranch, WireCounters};

struct Run {
    bench: TwoClocks<TapBranch<512, 1>>,
    schedule: Schedule,
    now_fs: u64,
    /// Frames with the card's time when their first beat stood at the receiver, in ns.
    sent: Vec<(u64, Vec<u8>)>,
    came: Vec<(u64, Vec<u8>)>,
    stamped: Vec<u64>,
    /// That of the last beat.
    quality: u64,
}

const ORIGIN_NS: u64 = 1_700_000_000_000_000_000;

impl Run {
    fn clock(&mut self, beat: Option<(&[u8], bool)>) -> u64 {
        loop {
            let (now_fs, edges) = self.schedule.next();
            // The signals that the edge at `now_fs` takes have stood since the wire's edge before.
            let since_ns = ORIGIN_NS + self.now_fs / 1_000_000;
            let block = &mut self.bench.block;
            let (data, last) = beat.unwrap_or((&[], false));
            block.rx.next = Beat { valid: beat.is_some(), last, error: false, bytes: number(data.len() as u64) };
            block.rx_data.next = to_bits(data);
            self.bench.settle();
            let block = &self.bench.block;
            if edges[0] && block.stamped.val() {
                self.stamped.push(value(block.stamped_ns.val()));
            }
            let beat = block.beat.val();
            if edges[1] && beat.valid {
                if beat.first {
                    self.came.push((value(block.stamp_ns.val()), vec![]));
                }
                let frame = &mut self.came.last_mut().expect("a frame").1;
                frame.extend(to_bytes(block.data.val()));
                frame.truncate(value(beat.length) as usize);
                self.quality = value(block.stamp_quality.val());
                assert!(!beat.last || !beat.error && !block.cut.val());
            }
            self.bench.rise(edges);
            if edges[1] {
                self.bench.block.now_ns.next = number(ORIGIN_NS + now_fs / 1_000_000);
            }
            if edges[0] {
                self.now_fs = now_fs;
                return since_ns;
            }
        }
    }

    fn send(&mut self, frame: &[u8]) {
        let beats = frame.chunks(64).count();
        for (index, chunk) in frame.chunks(64).enumerate() {
            let at = self.clock(Some((chunk, index + 1 == beats)));
            if index == 0 {
                self.sent.push((at, frame.to_vec()));
            }
        }
    }

    fn idle(&mut self, clocks: usize) {
        for _ in 0..clocks {
            self.clock(None);
        }
    }

    fn counts(&mut self) -> Vec<u64> {
        self.bench.block.snapshot.next = true;
        let (_, mut edges) = self.schedule.next();
        while !edges[1] {
            self.bench.rise(edges);
            edges = self.schedule.next().1;
        }
        self.bench.rise(edges);
        self.bench.block.snapshot.next = false;
        self.bench.settle();
        assert!(self.bench.block.snapshot_pending.val());
        self.idle(40);
        assert!(!self.bench.block.snapshot_pending.val());
        (0..7).map(|index| value(self.bench.block.counts[index].val())).collect()
    }
}

#[test]
fn frames_reach_the_core_with_the_time_of_their_first_beat() {
    let bench = TwoClocks::new(TapBranch::<512, 1>::default(), |block, clocks| {
        (block.wire_clock.next, block.clock.next) = (clocks[0], clocks[1]);
    });
    let schedule = Schedule::ppm([100, -100], 2_000_000);
    let mut run = Run { bench, schedule, now_fs: 0, sent: vec![], came: vec![], stamped: vec![], quality: 0 };
    run.bench.block.now_ns.next = number(ORIGIN_NS);
    run.bench.block.quality.next = number(2);
    run.idle(30);
    let mut random = Random(8);
    for _ in 0..60 {
        let length = 60 + random.below(300) as usize;
        let frame = random.bytes(length);
        run.send(&frame);
        let idle = random.below(6) as usize;
        run.idle(idle);
    }
    run.idle(20);
    assert_eq!((run.came.len(), run.quality), (60, 2));
    for ((at, frame), (stamp, came)) in run.sent.iter().zip(&run.came) {
        assert_eq!(frame, came);
        assert!(stamp.abs_diff(*at) <= 3, "{stamp} for {at}");
    }
    assert!(run.came.is_sorted_by_key(|(stamp, _)| *stamp));
    assert_eq!(run.stamped, run.came.iter().map(|(stamp, _)| *stamp).collect::<Vec<_>>());
    let bytes = run.sent.iter().map(|(_, frame)| frame.len() as u64).sum();
    assert_eq!(run.counts(), [60, bytes, 0, 0, 0, 0, 0]);
    assert!(!run.bench.block.busy.val());
    // A reset of the core in the middle of a frame: the rest of that frame is not seen, and the counts start again.
    run.came.clear();
    run.sent.clear();
    let frame = random.bytes(640);
    run.clock(Some((&frame[..64], false)));
    run.bench.block.reset.next = true;
    for _ in 0..15 {
        run.clock(Some((&frame[..64], false)));
    }
    run.bench.block.reset.next = false;
    for _ in 0..15 {
        run.clock(Some((&frame[..64], false)));
    }
    run.clock(Some((&frame[..64], true)));
    run.came.clear();
    run.idle(20);
    run.send(&frame);
    run.idle(20);
    assert_eq!(run.came.len(), 1);
    assert_eq!(run.came[0].1, frame);
    assert_eq!(run.quality, 2, "the time is back");
    assert_eq!(run.counts()[0], 2, "the frame under way ended behind the reset: it counts as arrived");
}

#[test]
fn counts_belong_together_and_carry_over() {
    let mut bench = TwoClocks::new(WireCounters::default(), |block, clocks| {
        (block.wire_clock.next, block.clock.next) = (clocks[0], clocks[1]);
    });
    let mut schedule = Schedule::ppm([60, -40], 5);
    let mut random = Random(4);
    let (mut frames, mut snapshots) = (0_u64, 0);
    // Every frame has 65,535 bytes: the low half of the bytes overflows soon, and bytes over frames is constant.
    for step in 0..150_000_u64 {
        let (_, edges) = schedule.next();
        let arrived = step < 149_000 && !random.one_in(50);
        let block = &mut bench.block;
        block.arrived.next = arrived;
        block.arrived_bytes.next = number(65_535);
        block.departed.next = arrived;
        block.snapshot.next = !block.pending.val() && random.one_in(300);
        bench.settle();
        let taken = bench.block.snapshot.val() && edges[1];
        frames += u64::from(arrived && edges[0]);
        bench.rise(edges);
        if taken {
            snapshots += 1;
            assert!(bench.block.pending.val());
        } else if !bench.block.pending.val() && snapshots > 0 {
            let count = |index: usize| value(bench.block.values[index].val());
            assert_eq!((count(1), count(3)), (count(0) * 65_535, count(0)), "step {step}");
            assert!(count(0) <= frames && frames < count(0) + 3_000);
        }
    }
    assert!(snapshots > 100 && frames * 65_535 > 1 << 32);
}
