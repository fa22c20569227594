//! The card's time on the wire's clock against the true time.

use crate::bench::{number, value};
use crate::two_clocks::{NOMINAL_FS, Schedule, TwoClocks};
use writ_hdl::time::TimeCrossing;

const FS_PER_NS: i128 = 1_000_000;

struct Run {
    bench: TwoClocks<TimeCrossing>,
    schedule: Schedule,
    /// Card time at simulated time 0, in fs.
    origin_fs: i128,
    /// Simulated time, and that of the wire's last edge.
    now_fs: i128,
    /// Parts in a million by which the card's time runs fast.
    rate_ppm: i128,
    errors: Vec<i128>,
    quality: u64,
}

impl Run {
    fn new(schedule: Schedule) -> Self {
        let bench = TwoClocks::new(TimeCrossing::default(), |block, clocks| {
            (block.wire_clock.next, block.clock.next) = (clocks[0], clocks[1]);
        });
        // Soon all parts of the sum carry over.
        let origin_fs = ((5 << 43) - 3_000) * FS_PER_NS + 123_456;
        Self { bench, schedule, origin_fs, now_fs: 0, rate_ppm: 0, errors: vec![], quality: 2 }
    }

    fn card_ns(&self, at_fs: i128) -> u64 {
        ((self.origin_fs + at_fs + at_fs * self.rate_ppm / 1_000_000) / FS_PER_NS) as u64
    }

    /// Steps until the wire's clock has risen. Gives its time there and the quality.
    fn wire_clock(&mut self, core_runs: bool) -> (u64, u64) {
        loop {
            let (at_fs, mut edges) = self.schedule.next();
            edges[1] &= core_runs;
            self.now_fs = i128::from(at_fs);
            self.bench.rise(edges);
            if edges[1] {
                self.bench.block.now_ns.next = number(self.card_ns(self.now_fs));
                self.bench.block.quality.next = number(self.quality);
                self.bench.block.step.next = false;
                self.bench.settle();
            }
            if edges[0] {
                let shown = value(self.bench.block.wire_now_ns.val());
                self.errors.push(i128::from(shown) * FS_PER_NS - (self.origin_fs + self.now_fs));
                return (shown, value(self.bench.block.wire_quality.val()));
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..40 {
            self.wire_clock(true);
        }
        self.errors.clear();
    }
}

#[test]
fn it_is_right_to_half_a_clock_and_a_nanosecond_and_never_goes_back() {
    for ppm in [[100, -100], [-100, 100], [0, 0], [37, 12]] {
        for phase_fs in [1, 700_000, 1_551_515, 3_000_000] {
            let mut run = Run::new(Schedule::ppm(ppm, phase_fs));
            run.settle();
            let mut before = 0;
            for _ in 0..3_000 {
                let (now, quality) = run.wire_clock(true);
                assert!(now >= before, "{before} then {now}");
                assert_eq!(quality, 2);
                before = now;
            }
            let bound = i128::from(NOMINAL_FS) / 2 + FS_PER_NS;
            let (low, high) = (run.errors.iter().min(), run.errors.iter().max());
            assert!(low >= Some(&-bound) && high <= Some(&bound), "{ppm:?} {phase_fs}: {low:?} to {high:?}");
        }
    }
}

#[test]
fn samples_that_come_sooner_or_later_do_not_turn_it_back() {
    // Edges that jump by most of a period have the effect of metastable samples: a time arrives a clock sooner or later than the one before.
    const JITTER_FS: u64 = NOMINAL_FS * 9 / 10;
    let mut run = Run::new(Schedule::ppm([30, -30], 100).with_jitter(JITTER_FS));
    run.settle();
    let mut before = 0;
    for _ in 0..5_000 {
        let (now, quality) = run.wire_clock(true);
        assert!(now >= before && quality == 2, "{before} then {now}");
        before = now;
    }
    let bound = i128::from(NOMINAL_FS) * 3 / 2 + i128::from(JITTER_FS) + FS_PER_NS;
    assert!(run.errors.iter().all(|error| error.abs() <= bound), "{:?}", run.errors.iter().max());
}

#[test]
fn steering_comes_along() {
    let mut run = Run::new(Schedule::ppm([20, -20], 9));
    run.settle();
    // 500 ppm fast: the error stays that of the crossing.
    run.rate_ppm = 500;
    for _ in 0..2_000 {
        let at = run.now_fs;
        let (now, _) = run.wire_clock(true);
        let expected = run.card_ns(run.now_fs);
        assert!(now.abs_diff(expected) <= 4, "at {at}: {now} for {expected}");
    }
}

#[test]
fn a_step_is_taken_as_it_is_in_both_directions() {
    let mut run = Run::new(Schedule::ppm([100, -100], 9));
    run.settle();
    for step_ns in [-5_000_000_000_i128, 3, -40, 900_000_000_000, -130] {
        run.origin_fs += step_ns * FS_PER_NS;
        run.bench.block.step.next = true;
        run.settle();
        for _ in 0..50 {
            run.wire_clock(true);
        }
        let worst = run.errors.iter().map(|error| error.abs()).max();
        assert!(worst < Some(3 * FS_PER_NS), "step of {step_ns} ns: {worst:?}");
    }
}

#[test]
fn without_the_core_the_quality_is_unset_and_it_comes_back() {
    let mut run = Run::new(Schedule::ppm([0, 0], 9));
    run.settle();
    for clock in 0..40 {
        let (_, quality) = run.wire_clock(false);
        assert!(quality == if clock < 16 { quality } else { 0 }, "clock {clock}: {quality}");
    }
    run.settle();
    assert_eq!(run.wire_clock(true).1, 2);
    assert!(run.errors[0].abs() < 3 * FS_PER_NS);
    // The card's reset: the time starts at zero, without trust.
    run.bench.block.reset.next = true;
    run.quality = 0;
    run.origin_fs = -run.now_fs;
    for _ in 0..20 {
        run.wire_clock(true);
    }
    assert_eq!(run.wire_clock(true).1, 0);
    run.bench.block.reset.next = false;
    run.settle();
    let (now, quality) = run.wire_clock(true);
    assert!(now < 1_000 && quality == 0, "{now}");
}
