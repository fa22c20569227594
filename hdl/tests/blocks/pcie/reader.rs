//! Reads, and completions in every order and cut.

use super::beats::Completion;
use crate::bench::{Bench, Random, number, to_bytes, value};
use rust_hdl::core::prelude::*;
use std::collections::VecDeque;
use writ_hdl::pcie::requester::{Completions, Reader};

/// The two blocks together.
#[derive(LogicBlock)]
struct ReadPath {
    clock: Signal<In, Clock>,
    reader: Reader,
    completions: Completions,
}

impl Logic for ReadPath {
    #[hdl_gen]
    fn update(&mut self) {
        self.reader.clock.next = self.clock.val();
        self.completions.clock.next = self.clock.val();
        self.reader.piece.next = self.completions.piece.val();
    }
}

const WATCHDOG: u64 = 300;

struct Reads {
    bench: Bench<ReadPath>,
    random: Random,
    wanted: VecDeque<u64>,
    /// Addresses on RQ whose tag is not given yet.
    untagged: VecDeque<u64>,
    /// Tags in use: of which address.
    tags: Vec<Option<u64>>,
    rc: VecDeque<(Bits<512>, u16, bool)>,
    /// Tags of the completions in `rc` that end a request, in order; free again with their last beat.
    ending: VecDeque<Option<usize>>,
    /// Tags whose completions are in `rc`.
    busy: Vec<usize>,
    lines: Vec<(bool, Vec<u8>)>,
    /// Failed, refused, abandoned, unexpected, stuck, short.
    events: [usize; 6],
    codes: Vec<u64>,
}

/// What stands at an address.
fn line_at(address: u64) -> Vec<u8> {
    Random(address).bytes(64)
}

impl Reads {
    fn new(seed: u64) -> Self {
        let path =
            ReadPath { clock: Signal::default(), reader: Reader::new(WATCHDOG), completions: Completions::default() };
        let mut bench = Bench::new(path, |block| &mut block.clock);
        bench.block.reader.open.next = true;
        bench.block.reader.credits.next = number(15);
        bench.block.reader.free_tags.next = number(15);
        bench.tick();
        Self {
            bench,
            random: Random(seed),
            wanted: VecDeque::new(),
            untagged: VecDeque::new(),
            tags: vec![None; 256],
            rc: VecDeque::new(),
            ending: VecDeque::new(),
            busy: vec![],
            lines: vec![],
            events: [0; 6],
            codes: vec![],
        }
    }

    fn tick(&mut self) {
        let busy = self.random.one_in(3);
        let reader = &mut self.bench.block.reader;
        reader.request_valid.next = !self.wanted.is_empty();
        reader.request_address.next = number(self.wanted.front().copied().unwrap_or(0));
        reader.line_take.next = false;
        reader.tag_valid[0].next = false;
        reader.tag_valid[1].next = false;
        let beat = if self.random.one_in(3) { None } else { self.rc.pop_front() };
        if beat.is_some_and(|(_, _, last)| last)
            && let Some(Some(tag)) = self.ending.pop_front()
        {
            self.busy.retain(|&other| other != tag);
        }
        // One tag, two in a clock, or the second place alone; often one that has just become free.
        for place in [0, 1] {
            if self.random.one_in(2)
                && let Some(address) = self.untagged.pop_front()
            {
                let free = (0..256).filter(|tag| self.tags[*tag].is_none() && !self.busy.contains(tag));
                let tag = free.into_iter().next().expect("a tag");
                self.tags[tag] = Some(address);
                reader.tag_valid[place].next = true;
                reader.tag[place].next = number(tag as u64);
            }
        }
        let completions = &mut self.bench.block.completions;
        completions.rc_valid.next = beat.is_some();
        if let Some((data, keep, last)) = beat {
            completions.rc_data.next = data;
            completions.rc_keep.next = number(u64::from(keep));
            completions.rc_last.next = last;
        }
        self.bench.settle();
        let reader = &mut self.bench.block.reader;
        let take = reader.line_valid.val() && !busy;
        let issue = reader.issue_valid.val() && !busy;
        reader.line_take.next = take;
        reader.issue_take.next = issue;
        reader.sent.next = issue;
        if take {
            let line = reader.line.val();
            self.lines.push((line.error, to_bytes(line.data)));
        }
        if issue {
            self.untagged.push_back(value(reader.issue_address.val()));
        }
        if reader.request_take.val() {
            self.wanted.pop_front().expect("a request");
        }
        self.bench.settle();
        let reader = &self.bench.block.reader;
        let events =
            [&reader.failed, &reader.refused, &reader.abandoned, &reader.unexpected, &reader.stuck, &reader.short];
        for (count, event) in self.events.iter_mut().zip(events) {
            *count += usize::from(event.val());
        }
        if reader.failed.val() {
            self.codes.push(value(reader.failed_code.val()));
        }
        self.bench.tick();
    }

    /// Completions of one request, cut anywhere between words, the last with this error code.
    fn answer(&mut self, tag: usize, code: u64) {
        let address = self.tags[tag].take().expect("a request");
        self.busy.push(tag);
        let line = line_at(address);
        let mut at = 0;
        while at < 64 {
            let left = (64 - at) as u64 / 4;
            let words = if self.random.one_in(2) { left } else { 1 + self.random.below(left) };
            let end = at + 4 * words as usize;
            let is_last = end == 64;
            let bad = is_last && code != 0;
            let completion = Completion {
                lower: (address + at as u64) & 0xfff,
                byte_count: 64 - at as u64,
                payload: if bad && code != 1 { vec![] } else { line[at..end].to_vec() },
                tag: tag as u8,
                code: if is_last { code } else { 0 },
                completed: is_last,
            };
            self.rc.extend(completion.beats());
            self.ending.push_back(is_last.then_some(tag));
            at = end;
        }
    }

    fn a_pending_tag(&mut self) -> Option<usize> {
        let pending: Vec<usize> = (0..256).filter(|&tag| self.tags[tag].is_some()).collect();
        (!pending.is_empty()).then(|| pending[self.random.below(pending.len() as u64) as usize])
    }
}

#[test]
fn lines_come_in_the_order_of_the_requests_however_completions_come() {
    let mut reads = Reads::new(71);
    let addresses: Vec<u64> = (0..150).map(|n| 0x6_0000_0000 + 64 * (n * 37 % 1_024)).collect();
    reads.wanted = addresses.iter().copied().collect();
    while reads.lines.len() < addresses.len() {
        reads.tick();
        assert!(reads.bench.clocks < 20_000, "{} lines", reads.lines.len());
        if reads.rc.len() < 4
            && let Some(tag) = reads.a_pending_tag()
        {
            reads.answer(tag, 0);
        }
    }
    for (address, (error, line)) in addresses.iter().zip(&reads.lines) {
        assert!(!error && *line == line_at(*address), "{address:x}");
    }
    assert_eq!(reads.events, [0; 6]);
    assert!(!reads.bench.block.reader.untagged.val());
}

#[test]
fn every_error_ends_its_request_alone() {
    let mut reads = Reads::new(72);
    let addresses: Vec<u64> = (0..90).map(|n| 0x40 * n).collect();
    reads.wanted = addresses.iter().copied().collect();
    let (mut bad, mut codes) = (vec![], vec![]);
    while reads.lines.len() < addresses.len() {
        reads.tick();
        assert!(reads.bench.clocks < 20_000, "{} lines", reads.lines.len());
        if reads.rc.is_empty()
            && let Some(tag) = reads.a_pending_tag()
        {
            let code = [0, 0, 1, 2, 3, 4, 5, 8, 9][reads.random.below(9) as usize];
            if code != 0 {
                bad.push(reads.tags[tag].expect("a request"));
                codes.push(code);
            }
            reads.answer(tag, code);
        }
    }
    for (address, (error, line)) in addresses.iter().zip(&reads.lines) {
        assert_eq!(*error, bad.contains(address), "{address:x}");
        assert_eq!(*line, if *error { vec![0xff; 64] } else { line_at(*address) });
    }
    assert!(bad.len() > 30);
    assert_eq!((reads.events, reads.codes), ([bad.len(), 0, 0, 0, 0, 0], codes));
}

#[test]
fn a_completion_that_does_not_fit_or_is_given_up_or_belongs_to_nobody() {
    let mut reads = Reads::new(73);
    reads.wanted = [0x1000, 0x1040].into();
    while reads.a_pending_tag().is_none() {
        reads.tick();
    }
    // Nobody's.
    let stranger = 200;
    let nobody = Completion { lower: 0, byte_count: 64, payload: vec![3; 64], tag: stranger, code: 0, completed: true };
    reads.rc.extend(nobody.beats());
    reads.ending.push_back(None);
    // Too long by a word.
    let tag = reads.a_pending_tag().expect("a request");
    reads.tags[tag] = None;
    let long =
        Completion { lower: 0x1004, byte_count: 64, payload: vec![4; 64], tag: tag as u8, code: 0, completed: true };
    reads.rc.extend(long.beats());
    // Its tag is not given again before its last beat.
    reads.busy.push(tag);
    reads.ending.push_back(Some(tag));
    for _ in 0..60 {
        reads.tick();
    }
    let tag = reads.a_pending_tag().expect("the second request");
    reads.answer(tag, 0);
    for _ in 0..60 {
        reads.tick();
    }
    assert_eq!(reads.lines, [(true, vec![0xff; 64]), (false, line_at(0x1040))]);
    assert_eq!((reads.events, reads.codes), ([1, 0, 0, 1, 0, 0], vec![15]));
}

#[test]
fn a_tag_from_before_a_reset_gives_nobody_a_wrong_line() {
    let mut reads = Reads::new(76);
    reads.wanted = [0x2000, 0x2040, 0x2080].into();
    reads.tick();
    // The hard block tells a tag that belongs to none of them, then theirs: each place has the tag of the one before.
    while reads.untagged.is_empty() {
        reads.tick();
        reads.tags.fill(None);
    }
    reads.untagged.push_front(0x7140);
    for _ in 0..80 {
        reads.tick();
        while let Some(tag) = reads.a_pending_tag() {
            reads.answer(tag, 0);
        }
    }
    for _ in 0..4 * WATCHDOG {
        reads.tick();
    }
    assert!(!reads.lines.is_empty() && reads.lines.iter().all(|line| *line == (true, vec![0xff; 64])));
    assert!(reads.events[3] >= 2, "lines of nobody");
}

#[test]
fn the_watchdog_ends_what_nobody_answers() {
    let mut reads = Reads::new(74);
    reads.wanted = [0x40, 0x80, 0xc0].into();
    for _ in 0..60 {
        reads.tick();
    }
    let forgotten = (0..256).find(|&tag| reads.tags[tag] == Some(0x40)).expect("it has a tag");
    for address in [0x80, 0xc0] {
        let tag = (0..256).find(|&tag| reads.tags[tag] == Some(address)).expect("it has a tag");
        reads.answer(tag, 0);
    }
    while reads.lines.len() < 3 {
        reads.tick();
        assert!(reads.bench.clocks < WATCHDOG + 200);
    }
    assert!(reads.bench.clocks > WATCHDOG);
    assert_eq!(reads.lines, [(true, vec![0xff; 64]), (false, line_at(0x80)), (false, line_at(0xc0))]);
    // Late: dropped and counted, however many pieces it has.
    let before = reads.events;
    reads.answer(forgotten, 0);
    for _ in 0..80 {
        reads.tick();
    }
    assert_eq!(before, [0, 0, 1, 0, 0, 0]);
    assert_eq!((reads.events, reads.lines.len()), ([0, 0, 1, 1, 0, 0], 3));

    // No tag: RQ is stuck, which is not for the reader to mend.
    reads.bench.block.reader.sent.next = false;
    reads.wanted = [0x100].into();
    for _ in 0..WATCHDOG + 50 {
        reads.untagged.clear();
        reads.tick();
    }
    assert_eq!((reads.events[2], reads.events[4], reads.lines.len()), (1, 1, 3));
}

#[test]
fn while_closed_every_read_fails_and_the_next_ones_have_the_right_tags() {
    let mut reads = Reads::new(75);
    reads.bench.block.reader.open.next = false;
    reads.wanted = (0..21).map(|n| 64 * n).collect();
    for _ in 0..120 {
        reads.tick();
    }
    assert_eq!(reads.lines, vec![(true, vec![0xff; 64]); 21]);
    assert_eq!(reads.events, [0, 21, 0, 0, 0, 0]);
    reads.bench.block.reader.open.next = true;
    reads.tick();
    reads.wanted = (0..40).map(|n| 0x8000 + 64 * n).collect();
    while reads.lines.len() < 61 {
        reads.tick();
        assert!(reads.bench.clocks < 5_000);
        if let Some(tag) = reads.a_pending_tag() {
            reads.answer(tag, 0);
        }
    }
    for (n, (error, line)) in reads.lines[21..].iter().enumerate() {
        assert!(!error && *line == line_at(0x8000 + 64 * n as u64), "{n}");
    }
}

#[test]
fn a_line_of_which_a_part_never_came_is_none() {
    let mut reads = Reads::new(77);
    // Lines in all places, so that each has words of before.
    reads.wanted = (0..17).map(|n| 0x1000 + 64 * n).collect();
    while reads.lines.len() < 16 {
        reads.tick();
        while let Some(tag) = reads.a_pending_tag().filter(|&tag| reads.tags[tag] != Some(0x1400)) {
            reads.answer(tag, 0);
        }
    }
    // The last one is said to have ended well, with its last word missing; then with all of them missing.
    for (round, words) in [15, 0].into_iter().enumerate() {
        while reads.a_pending_tag().is_none() {
            reads.tick();
        }
        let tag = reads.a_pending_tag().expect("a request");
        let address = reads.tags[tag].take().expect("a request");
        let payload = line_at(address)[..4 * words].to_vec();
        let short =
            Completion { lower: address & 0xfff, byte_count: 64, payload, tag: tag as u8, code: 0, completed: true };
        reads.busy.push(tag);
        reads.rc.extend(short.beats());
        reads.ending.push_back(Some(tag));
        reads.wanted.push_back(0x4000);
        for _ in 0..60 {
            reads.tick();
        }
        assert_eq!(reads.lines[16 + round], (true, vec![0xff; 64]));
    }
    assert_eq!((reads.events, reads.codes.len()), ([0, 0, 0, 0, 0, 2], 0));
}

/// A read leaves only if credit and tags are there for it and for all whose tags were not told, however they come and go.
#[test]
fn no_read_goes_where_it_has_to_wait() {
    let mut reads = Reads::new(78);
    reads.wanted = (0..120).map(|n| 64 * n).collect();
    // What the hard block has, and what it showed two clocks ago.
    let (mut free, mut shown) = ([3_usize, 9], VecDeque::from([[0_usize; 2]; 2]));
    let (mut untold, mut most) = (0, 0);
    while reads.lines.len() < 120 {
        let which = reads.random.below(2) as usize;
        if reads.random.one_in(12) {
            free[which] += reads.random.below(4) as usize;
        }
        shown.push_back(free);
        let [credits, tags] = shown.pop_front().expect("two clocks");
        let reader = &mut reads.bench.block.reader;
        reader.credits.next = number(credits.min(15) as u64);
        reader.free_tags.next = number(tags.min(15) as u64);
        let (untagged, told) = (reads.untagged.len(), reads.tags.iter().flatten().count());
        reads.tick();
        let issued = reads.untagged.len() + reads.tags.iter().flatten().count() - untagged - told;
        untold = reads.untagged.len();
        most = most.max(untold);
        for kind in &mut free {
            *kind = kind.checked_sub(issued).expect("a read that RQ does not take");
        }
        while let Some(tag) = reads.a_pending_tag() {
            reads.answer(tag, 0);
        }
        assert!(reads.bench.clocks < 20_000, "{} lines", reads.lines.len());
    }
    assert!(most > 1 && untold == 0, "several at once: {most}");
    assert_eq!(reads.events, [0; 6]);
    // None left: the watchdog says so.
    let reader = &mut reads.bench.block.reader;
    reader.credits.next = number(0);
    reader.free_tags.next = number(15);
    reads.wanted = [0x40].into();
    for _ in 0..WATCHDOG + 50 {
        reads.tick();
    }
    assert_eq!((reads.events, reads.untagged.len()), ([0, 0, 0, 0, 1, 0], 0));
}
