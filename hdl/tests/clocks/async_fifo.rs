//! The FIFO between two clocks against a queue.

use crate::bench::{Random, number, value};
use crate::two_clocks::{Schedule, TwoClocks};
use rust_hdl::core::prelude::*;
use std::collections::VecDeque;
use writ_hdl::axis::AsyncFifo;
use writ_hdl::prim::RamStyle;

type Fifo = AsyncFifo<Bits<20>, 3, 4>;
const DEPTH: u64 = 8;

/// How eager both sides are: chances in four.
type Eagerness = (u64, u64);

/// The FIFO and what has to be true of it.
struct Run {
    bench: TwoClocks<Fifo>,
    random: Random,
    /// Number of the next word.
    next: u64,
    /// Words inside, each with its open period: numbers.
    inside: VecDeque<(u64, u64)>,
    period: u64,
    was_open: bool,
    /// Words up to this number must not come any more.
    forbidden: u64,
    /// The word given last, with its period.
    last: Option<(u64, u64)>,
    read: u64,
    resets: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let bench = TwoClocks::new(Fifo::new(RamStyle::Block), |block, clocks| {
            (block.write_clock.next, block.read_clock.next) = (clocks[0], clocks[1]);
        });
        Self {
            bench,
            random: Random(seed),
            next: 1,
            inside: VecDeque::new(),
            period: 0,
            was_open: false,
            forbidden: 0,
            last: None,
            read: 0,
            resets: 0,
        }
    }

    fn step(&mut self, edges: [bool; 2], (write, read): Eagerness, reset_one_in: Option<u64>) {
        let mut chance = |n: u64| self.random.below(4) < n;
        let (write, read) = (chance(write), chance(read));
        let mut reset = || reset_one_in.is_some_and(|n| self.random.one_in(n));
        let resets = [reset(), reset()];
        let block = &mut self.bench.block;
        (block.write.next, block.read.next) = (write, read);
        (block.write_reset.next, block.read_reset.next) = (resets[0], resets[1]);
        block.data_in.next = number(self.next);
        self.bench.settle();
        self.write_side(edges[0], write);
        self.read_side(edges[1], read, resets[1]);
        self.resets += u64::from(edges[0] && resets[0]) + u64::from(edges[1] && resets[1]);
        self.bench.rise(edges);
    }

    fn write_side(&mut self, edge: bool, write: bool) {
        let block = &self.bench.block;
        let (open, full, space) = (block.open.val(), block.full.val(), value(block.space.val()));
        assert!(open || full, "closed and not full");
        assert_eq!(full, space == 0);
        if !edge {
            return;
        }
        if open && !self.was_open {
            // A reset is over: all that was inside is gone.
            self.inside.clear();
            self.period += 1;
        }
        self.was_open = open;
        if write && !full {
            self.inside.push_back((self.next, self.period));
            self.next += 1;
            // One more than the memory holds may be inside: that at the output.
            assert!(self.inside.len() as u64 <= DEPTH + 1);
        }
    }

    fn read_side(&mut self, edge: bool, read: bool, reset: bool) {
        let block = &self.bench.block;
        let (valid, count) = (block.valid.val(), value(block.count.val()));
        assert!(count >= u64::from(valid));
        if !edge {
            return;
        }
        if valid && read && !reset {
            let word = value(block.data_out.val());
            let period = match self.inside.iter().position(|(number, _)| *number == word) {
                Some(0) => self.inside.pop_front().expect("the oldest").1,
                place => panic!("word {word} is at place {place:?} of {:?}", self.inside),
            };
            assert!(word > self.forbidden, "word {word} is from before the reset");
            if let Some((last, last_period)) = self.last {
                assert!(word > last && (period != last_period || word == last + 1), "{last} then {word}");
            }
            self.last = Some((word, period));
            self.read += 1;
        }
        if reset {
            self.forbidden = self.next - 1;
            // What the write side still takes before it hears of the reset is lost too.
        }
    }

    fn drain(&mut self, schedule: &mut Schedule) {
        for _ in 0..400 {
            let (_, edges) = schedule.next();
            self.step(edges, (0, 4), None);
        }
    }
}

fn schedules() -> Vec<Schedule> {
    vec![
        Schedule::ppm([100, -100], 1),
        Schedule::ppm([-100, 100], 1_500_000),
        Schedule::periods([1_000, 1_000], 0),
        Schedule::periods([1_000, 7_300], 3),
        Schedule::periods([5_100, 1_000], 0),
        Schedule::Chaos(Random(77)),
    ]
}

#[test]
fn it_is_a_queue() {
    for (seed, mut schedule) in schedules().into_iter().enumerate() {
        let mut run = Run::new(seed as u64);
        for step in 0..4_000 {
            let (_, edges) = schedule.next();
            run.step(edges, [(4, 1), (1, 4), (3, 3), (4, 4)][step / 250 % 4], None);
        }
        run.drain(&mut schedule);
        assert_eq!(run.inside.len(), 0, "schedule {seed}: words were lost");
        assert_eq!(run.read, run.next - 1);
        assert!(run.read > 300, "schedule {seed}: {} words", run.read);
    }
}

#[test]
fn a_reset_of_either_side_empties_it_and_nothing_comes_back() {
    for (seed, mut schedule) in schedules().into_iter().enumerate() {
        let mut run = Run::new(100 + seed as u64);
        for step in 0..12_000 {
            let (_, edges) = schedule.next();
            run.step(edges, [(4, 1), (4, 4)][step / 250 % 2], Some([60, 7][step / 3_000 % 2]));
        }
        // Behind the last reset it is an ordinary queue again.
        run.drain(&mut schedule);
        let (written, read) = (run.next, run.read);
        assert!(run.bench.block.open.val(), "schedule {seed}: it stays closed");
        run.inside.clear();
        for _ in 0..400 {
            let (_, edges) = schedule.next();
            run.step(edges, (3, 3), None);
        }
        run.drain(&mut schedule);
        assert_eq!(run.next - written, run.read - read, "schedule {seed}: words were lost behind the reset");
        assert!(run.next - written > 20 && run.resets > 100 && run.period > 20, "schedule {seed}");
    }
}

#[test]
fn one_word_a_clock_for_ever_and_four_clocks_through() {
    let mut schedule = Schedule::ppm([0, 0], 1_000_000);
    let mut run = Run::new(9);
    let mut first = None;
    let mut clocks = 0;
    for _ in 0..2_000 {
        let (_, edges) = schedule.next();
        if edges[1] {
            clocks += 1;
        }
        run.step(edges, (4, 4), None);
        if run.read == 1 && first.is_none() {
            first = Some(clocks);
        }
    }
    // The first write comes a phase before the first read clock; the word shows behind the fourth and is read with the fifth.
    assert_eq!(first, Some(5));
    assert_eq!(run.read, clocks - 4, "a bubble");
}
