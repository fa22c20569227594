//! How far a frame store may be overwritten: never past a frame that somebody still needs.

use crate::bench::{Bench, Random, number, value};
use std::collections::VecDeque;
use writ_hdl::capture::Release;

/// A frame with a verdict that is not done with.
struct Needed {
    start: u64,
    /// Records that are not decided yet.
    undecided: u64,
    /// Records that are decided and not copied yet.
    uncopied: u64,
}

/// One port's frames on their way: verdicts, then decisions, then copies, each in the order of the frames.
struct Port {
    bench: Bench<Release>,
    random: Random,
    needed: VecDeque<Needed>,
    /// Where the next frame starts: the first that has no verdict.
    next_start: u64,
    newest: u64,
    /// Starts of frames whose copy waits, one for each copy.
    jobs: VecDeque<u64>,
    copying: bool,
    free: u64,
}

impl Port {
    fn verdict(&mut self, busy: bool) {
        let active = self.random.one_in(if busy { 3 } else { 12 });
        let hit = self.random.one_in(2);
        self.bench.block.verdict.next = active;
        self.bench.block.verdict_hit.next = hit;
        self.bench.block.verdict_start.next = number(self.next_start & 0xfff);
        if active {
            if hit {
                let undecided = 1 + self.random.below(4);
                self.needed.push_back(Needed { start: self.next_start, undecided, uncopied: 0 });
            }
            self.newest = self.next_start;
            self.next_start += 1 + self.random.below(5);
        }
    }

    fn decide(&mut self, before: usize) {
        // A frame is decided in a later clock than its verdict.
        let position = self.needed.iter().take(before).position(|frame| frame.undecided > 0);
        let position = position.filter(|_| self.random.one_in(2));
        self.bench.block.decided.next = position.is_some();
        let Some(frame) = position.map(|position| &mut self.needed[position]) else { return };
        let copy = !self.random.one_in(3);
        frame.undecided -= 1;
        self.bench.block.decided_copy.next = copy;
        self.bench.block.decided_last.next = frame.undecided == 0;
        self.bench.block.decided_start.next = number(frame.start & 0xfff);
        if copy {
            frame.uncopied += 1;
            self.jobs.push_back(frame.start);
        }
    }

    /// At most `before` jobs can be taken: one that was made in this clock cannot.
    fn copy(&mut self, before: usize) {
        let copied = self.copying && self.random.one_in(3);
        if copied {
            let frame = self.needed.iter_mut().find(|frame| frame.uncopied > 0).expect("it is being copied");
            frame.uncopied -= 1;
            self.copying = false;
        }
        let begins = !self.copying && before > 0 && self.random.one_in(2);
        self.bench.block.copied.next = copied;
        self.bench.block.begun.next = begins;
        if begins {
            let start = self.jobs.pop_front().expect("a job");
            self.bench.block.begun_start.next = number(start & 0xfff);
            self.copying = true;
        }
    }

    fn tick(&mut self, busy: bool) {
        let (frames, jobs) = (self.needed.len(), self.jobs.len());
        self.verdict(busy);
        self.decide(frames);
        self.copy(jobs);
        self.bench.tick();
        while self.needed.front().is_some_and(|frame| frame.undecided == 0 && frame.uncopied == 0) {
            self.needed.pop_front();
        }
        let free = value(self.bench.block.free.val());
        self.free += (free.wrapping_sub(self.free)) & 0xfff;
        let first = self.needed.front().map_or(self.next_start, |frame| frame.start);
        assert!(self.free <= first, "line {} may be overwritten, {first} is needed", self.free);
    }
}

#[test]
fn nothing_that_is_needed_is_released() {
    let bench = Bench::new(Release::default(), |block| &mut block.clock);
    let mut port = Port {
        bench,
        random: Random(27),
        needed: VecDeque::new(),
        next_start: 0,
        newest: 0,
        jobs: VecDeque::new(),
        copying: false,
        free: 0,
    };
    for clock in 0..30_000 {
        // For a while more than can be decided and copied, then less.
        port.tick(clock % 600 < 200);
        assert!(port.next_start - port.free < 2_048, "nothing comes free");
    }
    assert!(port.newest > 3 * 4_096, "the positions went round");
    // At rest, a frame without hits frees all in front of it.
    while !port.needed.is_empty() {
        port.tick(false);
    }
    let block = &mut port.bench.block;
    block.decided.next = false;
    block.copied.next = false;
    block.begun.next = false;
    block.verdict.next = true;
    block.verdict_hit.next = false;
    port.newest = port.next_start + 7;
    block.verdict_start.next = number(port.newest & 0xfff);
    port.bench.tick();
    port.bench.block.verdict.next = false;
    port.bench.tick();
    assert_eq!(value(port.bench.block.free.val()), port.newest & 0xfff);
}
