//! The card's clock against 128-bit arithmetic.

use crate::bench::{Bench, Random, number, value};
use std::collections::VecDeque;
use writ_abi::time::{INCREMENT_FRACTION, INCREMENT_NS};
use writ_hdl::time::SteeredClock;

/// Clocks from a `set` to the clock that takes it.
const SET_CLOCKS: u64 = 3;

/// What the clock has to show.
struct Model {
    /// In 2^-32 ns.
    time: u128,
    /// Increments on their way.
    coming: VecDeque<u128>,
    floor: u64,
    /// Clocks until a `set` is taken.
    set: Option<u64>,
    doubted: bool,
    refused: u64,
}

fn new() -> Bench<SteeredClock> {
    Bench::new(SteeredClock::default(), |block| &mut block.clock)
}

impl Model {
    fn new() -> Self {
        Self { time: 0, coming: VecDeque::from([0; 4]), floor: 0, set: None, doubted: false, refused: 0 }
    }

    /// One clock; whether it steps.
    fn clock(&mut self, increment: u128, set: bool, set_ns: u64, armed: bool) -> bool {
        let executes = self.set == Some(0);
        self.set = if set { Some(SET_CLOCKS - 1) } else { self.set.and_then(|left| left.checked_sub(1)) };
        self.coming.push_back(increment);
        let first = self.coming.pop_front().expect("five");
        if executes && !armed {
            self.floor = self.floor.max((self.time >> 52) as u64);
            self.time = u128::from(set_ns) << 32;
            self.coming.iter_mut().for_each(|increment| *increment = *increment >> 32 << 32);
        } else {
            self.time = (self.time + first) & ((1 << 96) - 1);
        }
        self.refused += u64::from(executes && armed);
        self.doubted = armed && (self.doubted || executes);
        executes && !armed
    }
}

#[test]
fn it_counts_exactly_steps_only_disarmed_and_keeps_the_floor() {
    let mut bench = new();
    let mut model = Model::new();
    let mut random = Random(1);
    let (mut armed, mut set_ns, mut refused, mut steps) = (false, 0, 0, 0);
    let mut floors = VecDeque::from([0; 3]);
    for round in 0..60_000_u64 {
        // Fast enough to carry over all parts of the count now and then.
        let (ns, fraction) = match round / 2_000 % 3 {
            0 => (255, u64::from(u32::MAX)),
            1 => (u64::from(INCREMENT_NS), u64::from(INCREMENT_FRACTION)),
            _ => (random.below(256), random.below(1 << 32)),
        };
        let set = random.one_in(40);
        if set {
            let edges = [0x7f_ffff, 0x7ff_ffff_ffff, u64::MAX, 0, random.next(), random.below(1 << 40)];
            set_ns = edges[random.below(6) as usize].wrapping_sub(random.below(2_000));
        }
        if random.one_in(200) {
            armed = !armed;
        }
        let block = &mut bench.block;
        block.armed.next = armed;
        block.set.next = set;
        block.set_ns.next = number(set_ns);
        block.set_quality.next = number(round / 7 % 4);
        block.increment_ns.next = number(ns);
        block.increment_fraction.next = number(fraction);
        bench.settle();
        refused += u64::from(bench.block.refused.val());
        let stepped = bench.block.stepped.val();
        steps += u64::from(stepped);
        bench.tick();
        let steps_now = model.clock(u128::from(ns) << 32 | u128::from(fraction), set, set_ns, armed);
        assert_eq!(stepped, steps_now, "round {round}");
        assert_eq!(value(bench.block.now_ns.val()), (model.time >> 32) as u64, "round {round}");
        floors.push_back(model.floor);
        let floor = floors.pop_front().expect("three");
        let shown = value(bench.block.expiry_floor.val());
        assert!(shown == floor || floors.contains(&shown), "round {round}: {shown} for {floor}");
        let quality = if round / 7 % 4 == 3 || model.doubted { 0 } else { round / 7 % 4 };
        assert_eq!(value(bench.block.quality.val()), quality, "round {round}");
    }
    assert_eq!(refused, model.refused);
    assert!(refused > 100 && steps > 100);
    bench.block.reset.next = true;
    bench.tick();
    assert_eq!((value(bench.block.now_ns.val()), value(bench.block.expiry_floor.val())), (0, 0));
}

/// A clock at its nominal rate.
struct Nominal {
    bench: Bench<SteeredClock>,
    start_ns: u64,
    start_clocks: u64,
    before: u64,
}

impl Nominal {
    /// Lets it run and gives how much time has passed more than the nominal, in ns, since the start. It must not go back or leap.
    fn gained(&mut self, clocks: u64) -> i64 {
        for _ in 0..clocks {
            self.bench.tick();
            self.bench.block.slew.next = false;
            let now = value(self.bench.block.now_ns.val());
            let moved = now.checked_sub(self.before).expect("the time goes on");
            assert!(moved <= u64::from(INCREMENT_NS) + 2, "a leap of {moved} ns");
            self.before = now;
        }
        let nominal = u128::from(INCREMENT_NS) << 32 | u128::from(INCREMENT_FRACTION);
        let passed = u128::from(self.bench.clocks - self.start_clocks) * nominal;
        (self.before - self.start_ns) as i64 - (passed >> 32) as i64
    }

    fn slew(&mut self, offset: i64, interval: u64) {
        self.bench.block.slew.next = true;
        self.bench.block.slew_ns.next = number((offset & 0xff_ffff) as u64);
        self.bench.block.slew_interval.next = number(interval);
    }

    fn left(&self) -> i64 {
        let left = value(self.bench.block.slew_left.val()) as i64;
        if left >= 1 << 23 { left - (1 << 24) } else { left }
    }
}

#[test]
fn a_slew_adds_its_offset_over_time_and_no_more() {
    let mut bench = new();
    let block = &mut bench.block;
    block.armed.next = true;
    block.set_quality.next = number(2);
    block.increment_ns.next = number(u64::from(INCREMENT_NS));
    block.increment_fraction.next = number(u64::from(INCREMENT_FRACTION));
    (0..10).for_each(|_| bench.tick());
    let now = value(bench.block.now_ns.val());
    let start_clocks = bench.clocks;
    let mut clock = Nominal { bench, start_ns: now, start_clocks, before: now };
    let mut total = 0;
    for (offset, interval) in [(100_i64, 9_u64), (-100, 9), (-1, 0), (333, 0), (-250, 1), (7, 300)] {
        clock.slew(offset, interval);
        let clocks = offset.unsigned_abs() * (interval.max(1) + 1);
        // Half of it in half of the time, give or take what is on its way.
        let half = clock.gained(clocks / 2 + 3) - total;
        assert!((half - offset / 2).abs() <= 4, "{offset} every {interval}: {half} in half of {clocks} clocks");
        assert!((clock.left() + half - offset).abs() <= 4, "{} left of {offset}, {half} done", clock.left());
        total += offset;
        let gained = clock.gained(clocks / 2 + 40);
        assert!((gained - total).abs() <= 1, "{offset}: {gained} for {total}");
        assert_eq!(clock.left(), 0);
        let later = clock.gained(500);
        assert!((later - total).abs() <= 1, "{offset}: {later} for {total}");
        assert_eq!(value(clock.bench.block.quality.val()), 2, "a slew is no step");
    }
    // A new one replaces what is left.
    clock.slew(5_000, 9);
    clock.gained(100);
    let done = 5_000 - clock.left();
    assert!((9..=11).contains(&done), "{done}");
    clock.slew(-50, 3);
    let gained = clock.gained(400);
    assert!((gained - total - done + 50).abs() <= 4, "{gained}");
    let mut bench = clock.bench;
    // A negative slew rests while the increment is below one nanosecond.
    bench.block.increment_ns.next = number(0);
    bench.block.slew.next = true;
    bench.block.slew_ns.next = number(0xff_fff0);
    let mut before = 0;
    for _ in 0..200 {
        bench.tick();
        bench.block.slew.next = false;
        let now = value(bench.block.now_ns.val());
        assert!(now >= before);
        before = now;
    }
    assert_eq!(value(bench.block.slew_left.val()), 0xff_fff0);
}

#[test]
fn a_set_while_armed_is_not_taken_and_nothing_is_trusted_until_disarmed() {
    let mut bench = new();
    bench.block.increment_ns.next = number(3);
    bench.block.set_quality.next = number(1);
    bench.block.armed.next = true;
    bench.block.set_ns.next = number(1 << 50);
    bench.block.set.next = true;
    bench.tick();
    bench.block.set.next = false;
    for _ in 0..10 {
        bench.tick();
    }
    assert!(value(bench.block.now_ns.val()) < 40);
    assert_eq!(value(bench.block.quality.val()), 0);
    bench.block.armed.next = false;
    bench.tick();
    assert_eq!(value(bench.block.quality.val()), 1);
    bench.block.armed.next = true;
    bench.tick();
    assert_eq!(value(bench.block.quality.val()), 1);
}

#[test]
fn a_pulse_captures_the_time_once() {
    let mut bench = new();
    bench.block.increment_ns.next = number(3);
    let mut random = Random(6);
    let mut count = 0;
    for _ in 0..200 {
        let low = 3 + random.below(20);
        bench.block.pps.next = false;
        for _ in 0..low {
            bench.tick();
        }
        let edge = value(bench.block.now_ns.val());
        bench.block.pps.next = true;
        for _ in 0..3 + random.below(20) {
            bench.tick();
        }
        count += 1;
        assert_eq!(value(bench.block.pps_count.val()), count);
        // Two registers behind the clock in which the edge came.
        assert_eq!(value(bench.block.pps_ns.val()), edge + 2 * 3);
    }
}
