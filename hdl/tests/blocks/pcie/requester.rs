//! Lines, reads and messages on their way to RQ.

use super::beats::{RqReader, Sent, data_bytes, field, user_bytes};
use crate::bench::{Bench, Random, number, to_bits, value};
use std::collections::VecDeque;
use writ_hdl::pcie::requester::RequestPath;

#[derive(Clone)]
struct Line {
    address: u64,
    index: bool,
    vector: u8,
    data: Vec<u8>,
}

/// Where messages and reads go, so that they are known apart.
const MESSAGES: u64 = 0xfee0_0000;
const READS: u64 = 0x77_0000_0000;

/// What a message says: its number and the vector that was named.
fn message_data(number: usize, vector: u8) -> u64 {
    (number as u64) << 8 | u64::from(vector)
}

struct Path {
    bench: Bench<RequestPath>,
    rq: RqReader,
    lines: VecDeque<Line>,
    reads: VecDeque<u64>,
    /// Vectors of the index writes that are in the queue, and how many messages were taken.
    announced: Vec<u8>,
    messages: usize,
    dropped: usize,
    reads_sent: usize,
    /// A beat that RQ was shown and did not take.
    shown: Option<(Vec<u8>, Vec<u8>)>,
    random: Random,
    /// One in so many clocks RQ is not ready; 0: never.
    stall_one_in: u64,
    /// One in so many clocks there is no line; 0: never.
    pause_one_in: u64,
}

impl Path {
    fn new(max_payload: u64) -> Self {
        let mut bench = Bench::new(RequestPath::default(), |block| &mut block.clock);
        bench.block.max_payload.next = number(max_payload);
        bench.block.open.next = true;
        bench.block.message_address.next = number(MESSAGES);
        bench.tick();
        Self {
            bench,
            rq: RqReader::default(),
            lines: VecDeque::new(),
            reads: VecDeque::new(),
            announced: vec![],
            messages: 0,
            dropped: 0,
            reads_sent: 0,
            shown: None,
            random: Random(41),
            stall_one_in: 0,
            pause_one_in: 0,
        }
    }

    fn tick(&mut self) {
        let mut rarely = |n: u64| n != 0 && self.random.one_in(n);
        let (stalls, pauses) = (rarely(self.stall_one_in), rarely(self.pause_one_in));
        let block = &mut self.bench.block;
        block.rq_ready.next = !stalls;
        block.line_valid.next = !pauses && !self.lines.is_empty();
        if let Some(line) = self.lines.front() {
            block.line.next.address = number(line.address);
            block.line.next.index = line.index;
            block.line.next.vector = number(u64::from(line.vector));
            block.line.next.data = to_bits(&line.data);
        }
        block.read_valid.next = !self.reads.is_empty();
        block.read_address.next = number(self.reads.front().copied().unwrap_or(0));
        let message = self.announced.get(self.messages);
        block.message_valid.next = message.is_some();
        block.message_data.next = number(message.map_or(0, |&vector| message_data(self.messages, vector)));
        self.bench.settle();
        let block = &self.bench.block;
        let beat = block.rq.val();
        let beat = block.rq_valid.val().then(|| (data_bytes(beat.data), user_bytes(beat.user)));
        assert!(self.shown.is_none() || self.shown == beat, "a beat that was shown stays");
        if let Some((data, user)) = beat.as_ref().filter(|_| !stalls) {
            self.rq.beat(data, user);
        }
        self.shown = beat.filter(|_| stalls);
        self.reads_sent += usize::from(block.read_sent.val());
        if block.line_take.val() && block.line_valid.val() {
            self.lines.pop_front();
        }
        if block.read_take.val() {
            self.reads.pop_front().expect("a read");
        }
        self.messages += usize::from(block.message_take.val());
        if block.index_queued.val() {
            self.announced.push(value(block.index_vector.val()) as u8);
        }
        self.dropped += usize::from(block.dropped.val());
        self.bench.tick();
    }

    fn shown_begins(&self) -> bool {
        self.shown.as_ref().is_some_and(|(_, user)| field(user, 20, 1) == 1)
    }

    fn run_dry(&mut self) {
        let mut rest = 0;
        while rest < 250 {
            self.tick();
            rest = if self.lines.is_empty() && self.reads.is_empty() { rest + 1 } else { 0 };
            assert!(self.bench.clocks < 30_000, "it stands still");
        }
        assert!(self.rq.is_between() && self.bench.block.idle.val() && self.bench.block.between.val());
    }
}

/// Lines in runs at neighbouring addresses, with index lines here and there.
fn runs(random: &mut Random, count: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut next = 0x2_0000_0000_u64;
    while lines.len() < count {
        match random.below(6) {
            0 => {
                let ring = random.below(5);
                let line =
                    Line { address: 0x9000 + 64 * ring, index: true, vector: ring as u8, data: random.bytes(64) };
                lines.push(line);
            }
            1 => next = random.below(1 << 40) << 6,
            2 => next = (random.below(1 << 30) << 12) - 64 * random.below(10),
            _ => {
                for _ in 0..random.below(14) {
                    // A vector means nothing but with an index line.
                    let vector = random.below(8) as u8;
                    lines.push(Line { address: next, index: false, vector, data: random.bytes(64) });
                    next += 64;
                }
            }
        }
    }
    lines
}

#[test]
fn lines_go_out_once_in_order_and_messages_stay_behind_their_index() {
    for (max_payload, stall, pause) in [(0, 0, 0), (1, 3, 0), (2, 0, 3), (2, 2, 2), (3, 5, 9)] {
        let mut path = Path::new(max_payload);
        (path.stall_one_in, path.pause_one_in) = (stall, pause);
        let mut random = Random(50 + max_payload);
        let expected = runs(&mut random, 400);
        path.lines = expected.clone().into();
        path.reads = (0..40).map(|n| READS + 64 * n).collect();
        path.run_dry();

        let most = 128 << max_payload.min(2);
        let vectors: Vec<u8> = expected.iter().filter(|line| line.index).map(|line| line.vector).collect();
        let (mut lines, mut reads, mut messages, mut indices) = (expected.iter(), 0, 0, 0);
        for sent in &path.rq.sent {
            match sent {
                Sent::Read { address, bytes } => {
                    assert_eq!((*address, *bytes), (READS + 64 * reads, 64));
                    reads += 1;
                }
                Sent::Write { address: MESSAGES, data } => {
                    let message = message_data(messages, vectors[messages]) as u32;
                    assert_eq!(*data, message.to_le_bytes(), "message {messages}, that of its index line");
                    messages += 1;
                    assert!(messages <= indices, "a message in front of its index");
                }
                Sent::Write { address, data } => {
                    assert!(data.len() <= most, "{} bytes", data.len());
                    for (n, part) in data.chunks(64).enumerate() {
                        let line = lines.next().expect("a line that was given");
                        assert_eq!((line.address, line.data.as_slice()), (address + 64 * n as u64, part));
                        indices += usize::from(line.index);
                        assert!(!line.index || (n + 1) * 64 == data.len(), "behind an index line nothing joins");
                    }
                }
            }
        }
        assert!(lines.next().is_none() && reads == 40 && messages == indices && indices > 10);
        assert!(path.rq.straddled > 20, "{} beats with two TLPs", path.rq.straddled);
    }
}

#[test]
fn payload_fills_what_framing_leaves() {
    // A write of n lines takes 2n + 1 halves of a beat.
    for (max_payload, lines) in [(0_u64, 2.0), (1, 4.0), (2, 8.0)] {
        let limit = 128.0 * lines / (2.0 * lines + 1.0);
        for record_lines in [2, 3, 10, 152] {
            let mut path = Path::new(max_payload);
            let mut at = 0x4000_0000;
            while path.lines.len() < 1_200 {
                for _ in 0..16 * record_lines {
                    path.lines.push_back(Line { address: at, index: false, vector: 0, data: vec![0x5a; 64] });
                    at += 64;
                }
                path.lines.push_back(Line { address: 0x9000, index: true, vector: 1, data: vec![1; 64] });
            }
            for _ in 0..60 {
                path.tick();
            }
            let (payload, clocks) = (path.rq.payload(), path.bench.clocks);
            for _ in 0..700 {
                path.tick();
            }
            assert!(!path.lines.is_empty());
            let rate = (path.rq.payload() - payload) as f64 / (path.bench.clocks - clocks) as f64;
            println!("{max_payload} {record_lines}: {rate:.2} of {limit:.2} bytes a clock");
            assert!(rate >= 0.95 * limit, "{record_lines} lines a record: {rate:.2} of {limit:.2} bytes a clock");
        }
    }
}

/// Closed in any clock, with RQ ready or not: the TLP that has begun goes out whole, and none begins, not even in its last beat. Each line is sent or counted.
#[test]
fn a_closed_path_finishes_what_has_begun_begins_nothing_and_counts_the_rest() {
    let mut finished = [0; 3];
    for round in 0..90 {
        let mut path = Path::new(round % 3);
        (path.stall_one_in, path.pause_one_in) = ([0, 2, 3][round as usize % 3], 7);
        path.random = Random(600 + round);
        let given = runs(&mut Random(60 + round), 300);
        path.lines = given.clone().into();
        path.reads = (0..60).map(|n| READS + 64 * n).collect();
        for _ in 0..70 + round {
            path.tick();
        }
        let begun = usize::from(!path.rq.is_between()) + usize::from(path.shown_begins());
        let sent = path.rq.sent.len();
        path.bench.block.open.next = false;
        let mut clocks = 0;
        // Of what stood in front of RQ nothing else goes, however long it waits.
        while !path.bench.block.between.val() || clocks < 60 {
            path.tick();
            clocks += 1;
            assert!(clocks < 120);
        }
        assert!(path.rq.is_between() && path.shown.is_none());
        assert_eq!(path.rq.sent.len() - sent, begun, "round {round}");
        finished[begun] += 1;
        let flushed = value(path.bench.block.waiting.val()) as usize;
        path.bench.block.reset.next = true;
        path.tick();
        path.bench.block.reset.next = false;
        while !path.lines.is_empty() {
            path.tick();
        }
        for _ in 0..10 {
            path.tick();
        }
        assert_eq!(path.rq.sent.len(), sent + begun, "nothing more on RQ");
        let is_line = |address: u64| address != MESSAGES;
        let lines = path.rq.sent.iter().map(|sent| match sent {
            Sent::Write { address, data } if is_line(*address) => data.len() / 64,
            _ => 0,
        });
        assert_eq!(lines.sum::<usize>() + flushed + path.dropped, given.len(), "round {round}: {flushed} flushed");
        let reads = path.rq.sent.iter().filter(|sent| matches!(sent, Sent::Read { .. })).count();
        assert_eq!(path.reads_sent, reads, "reads are told when they are on RQ");

        // Open again: as if nothing had been.
        (path.reads, path.announced, path.messages) = (VecDeque::new(), vec![], 0);
        path.bench.block.open.next = true;
        path.tick();
        path.lines.push_back(Line { address: 0x1000, index: false, vector: 0, data: vec![7; 64] });
        path.run_dry();
        assert_eq!(path.rq.sent[sent + begun..], [Sent::Write { address: 0x1000, data: vec![7; 64] }]);
    }
    assert!(
        finished.iter().all(|&rounds| rounds > 2),
        "none, one, and one with the next in its last beat: {finished:?}"
    );
}
