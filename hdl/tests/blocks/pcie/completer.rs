//! Requests of a host on CQ, and what comes back on CC.

use super::beats::{field, set};
use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use std::collections::BTreeMap;
use writ_hdl::pcie::completer::Completer;

const READ: u64 = 0;
const WRITE: u64 = 1;

/// A request as it stands on CQ.
#[derive(Clone)]
struct Request {
    kind: u64,
    address: u64,
    words: u64,
    first: u64,
    last: u64,
    bar: u64,
    payload: Vec<u8>,
    discontinue: bool,
    requester: u64,
    tag: u64,
    class: u64,
    attributes: u64,
}

impl Request {
    fn new(kind: u64, address: u64, words: u64) -> Self {
        Self {
            kind,
            address,
            words,
            first: 15,
            last: if words == 1 { 0 } else { 15 },
            bar: 0,
            payload: vec![],
            discontinue: false,
            requester: 0x1a5,
            tag: 0x9c,
            class: 3,
            attributes: 5,
        }
    }

    fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0; 16];
        set(&mut packet, 2, 62, self.address >> 2);
        set(&mut packet, 64, 11, self.words);
        set(&mut packet, 75, 4, self.kind);
        set(&mut packet, 80, 16, self.requester);
        set(&mut packet, 96, 8, self.tag);
        set(&mut packet, 112, 3, self.bar);
        set(&mut packet, 115, 6, 14);
        set(&mut packet, 121, 3, self.class);
        set(&mut packet, 124, 3, self.attributes);
        packet.extend(&self.payload);
        packet
    }
}

/// A completion as it stood on CC.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u64,
    lower: u64,
    byte_count: u64,
    data: Vec<u8>,
}

struct Host {
    bench: Bench<Completer>,
    random: Random,
    /// The core's registers and the adapter's own, by address in BAR 0.
    memory: BTreeMap<u64, u32>,
    accesses: Vec<(bool, u64)>,
    /// Answers of the core that are on their way: clock, number, address.
    owed: Vec<(u64, u64, u64)>,
    is_deaf: bool,
    events: [usize; 3],
}

fn initial(address: u64) -> u32 {
    (address as u32).wrapping_mul(0x9e37_79b1)
}

impl Host {
    fn new() -> Self {
        let mut bench = Bench::new(Completer::default(), |block| &mut block.clock);
        bench.tick();
        Self {
            bench,
            random: Random(81),
            memory: BTreeMap::new(),
            accesses: vec![],
            owed: vec![],
            is_deaf: false,
            events: [0; 3],
        }
    }

    fn word(&self, address: u64) -> u32 {
        self.memory.get(&address).copied().unwrap_or_else(|| initial(address))
    }

    /// The core and the adapter's registers, for a clock.
    fn tick(&mut self) {
        let now = self.bench.clocks;
        let due = self.owed.iter().position(|(at, _, _)| *at <= now).map(|at| self.owed.remove(at));
        let word = due.map_or(0, |(_, _, address)| self.word(address));
        let block = &mut self.bench.block;
        block.answer_valid.next = due.is_some() && !self.is_deaf;
        block.answer.next.number = number(due.map_or(0, |(_, number, _)| number));
        block.answer.next.failed = false;
        block.answer.next.data = number(u64::from(word));
        block.cc_may_go.next = true;
        block.request_ready.next = !self.random.one_in(3);
        self.bench.settle();
        let block = &mut self.bench.block;
        let request = block.request.val();
        if block.request_valid.val() && block.request_ready.val() {
            let address = value(request.address);
            self.accesses.push((request.write, address));
            if request.write {
                self.memory.insert(address, value(request.data) as u32);
            } else {
                self.owed.push((now + 5 + self.random.below(20), value(request.number), address));
            }
        }
        let address = value(block.local_address.val());
        assert!(!(block.local_read.val() || block.local_write.val()) || address >= 0x1000);
        if block.local_write.val() {
            self.memory.insert(address, value(block.local_data.val()) as u32);
            self.accesses.push((true, address));
        }
        if block.local_read.val() {
            let word = self.memory.get(&address).copied().unwrap_or_else(|| initial(address));
            block.local_answer.next = number(u64::from(word));
            self.accesses.push((false, address));
        }
        for (count, event) in self.events.iter_mut().zip([&block.unsupported, &block.dropped, &block.aborted]) {
            *count += usize::from(event.val());
        }
        self.bench.tick();
    }

    /// Sends a request; the answer, if one comes before the next request is taken.
    fn ask(&mut self, request: &Request) -> Option<Answer> {
        let packet = request.packet();
        let beats: Vec<Vec<u8>> = packet.chunks(64).map(<[u8]>::to_vec).collect();
        for (n, beat) in beats.iter().enumerate() {
            let block = &mut self.bench.block;
            block.cq_valid.next = true;
            block.cq_last.next = n + 1 == beats.len();
            block.cq_data.next = to_bits(beat);
            block.cq_first_enables.next = number(if n == 0 { request.first } else { 0 });
            block.cq_last_enables.next = number(if n == 0 { request.last } else { 0 });
            block.cq_discontinue.next = request.discontinue && n + 1 == beats.len();
            loop {
                self.bench.settle();
                let taken = self.bench.block.cq_ready.val();
                self.tick();
                if taken {
                    break;
                }
            }
            self.bench.block.cq_valid.next = false;
            self.bench.block.cq_last.next = false;
        }
        let mut answer = None;
        for _ in 0..5_000 {
            self.bench.block.cc_ready.next = self.random.one_in(2);
            self.bench.settle();
            let block = &self.bench.block;
            if block.cq_ready.val() {
                break;
            }
            if block.cc_valid.val() && block.cc_ready.val() {
                let words = value(block.cc_words.val()) as usize;
                let bytes = to_bytes(block.cc_data.val());
                assert!(answer.is_none(), "two answers");
                answer = Some(parse(&bytes[..words * 4], request));
            }
            self.tick();
        }
        for _ in 0..2 {
            self.tick();
        }
        answer
    }
}

fn parse(bytes: &[u8], request: &Request) -> Answer {
    assert_eq!(field(bytes, 48, 16), request.requester);
    assert_eq!(field(bytes, 64, 8), request.tag);
    assert_eq!(field(bytes, 121 - 32, 3), request.class);
    assert_eq!(field(bytes, 124 - 32, 3), request.attributes);
    assert_eq!((field(bytes, 7, 3), field(bytes, 88, 1), field(bytes, 95, 1), field(bytes, 46, 1)), (0, 0, 0, 0));
    assert_eq!(field(bytes, 29, 1) == 1, request.kind == 7, "locked");
    assert_eq!(field(bytes, 32, 11) as usize * 4, bytes.len() - 12, "length");
    Answer {
        status: field(bytes, 43, 3),
        lower: field(bytes, 0, 7),
        byte_count: field(bytes, 16, 13),
        data: bytes[12..].to_vec(),
    }
}

/// First and last enabled byte of a request, from its enables; the same without any.
fn span(request: &Request) -> (u64, u64) {
    let mut enabled = vec![];
    for word in 0..request.words {
        let enables = match word {
            0 => request.first,
            n if n + 1 == request.words => request.last,
            _ => 15,
        };
        enabled.extend((0..4).filter(|byte| enables >> byte & 1 == 1).map(|byte| 4 * word + byte));
    }
    (enabled.first().copied().unwrap_or(0), enabled.last().copied().unwrap_or(0))
}

#[test]
fn reads_of_one_and_two_words_with_every_enable() {
    let mut host = Host::new();
    for words in [1, 2] {
        for first in 0..16_u64 {
            for last in [0_u64, 1, 3, 4, 8, 15] {
                if words == 1 && last != 0 {
                    continue;
                }
                let address = [0x104, 0xf00, 0xffc, 0x2008][host.random.below(4) as usize];
                let mut request = Request::new(READ, 0x7_c000_0000 + address, words);
                (request.first, request.last) = (first, last);
                host.accesses.clear();
                let answer = host.ask(&request).expect("a completion");
                let (from, to) = span(&request);
                // A gap in the first word counts to its lowest byte.
                let from = if first == 0 && words == 2 { 0 } else { from };
                let to = if last == 0 && words == 2 { 4 } else { to };
                let mut data = vec![];
                let mut touched = vec![];
                for (n, enables) in [first, last].into_iter().take(words as usize).enumerate() {
                    let at = address + 4 * n as u64;
                    let word = if enables == 0 { 0 } else { host.word(at) };
                    if enables != 0 {
                        touched.push((false, at));
                    }
                    data.extend(word.to_le_bytes());
                }
                let expected = Answer { status: 0, lower: (address & 0x7f) + from, byte_count: to + 1 - from, data };
                assert_eq!(answer, expected, "{words} words, enables {first:x} {last:x}");
                assert_eq!(host.accesses, touched);
            }
        }
    }
    assert_eq!(host.events, [0; 3]);
}

#[test]
fn writes_are_whole_words_in_order() {
    let mut host = Host::new();
    let mut dropped = 0;
    for round in 0..120_u64 {
        let words = 1 + round % 2;
        let address = [0x200, 0x2a4, 0x1004, 0x2010, 0x3ff8][host.random.below(5) as usize];
        let mut request = Request::new(WRITE, address, words);
        request.payload = host.random.bytes(4 * words as usize);
        if host.random.one_in(3) {
            request.first = host.random.below(16);
        }
        if words == 2 && host.random.one_in(3) {
            request.last = host.random.below(16);
        }
        host.accesses.clear();
        assert_eq!(host.ask(&request), None, "posted");
        let enables = [request.first, request.last];
        let is_whole = enables.iter().all(|&e| e == 0 || e == 15);
        dropped += usize::from(!is_whole);
        let mut expected = vec![];
        for (n, part) in request.payload.chunks(4).enumerate() {
            if is_whole && enables[n] == 15 {
                let at = address + 4 * n as u64;
                expected.push((true, at));
                assert_eq!(host.word(at).to_le_bytes(), part);
            }
        }
        assert_eq!(host.accesses, expected);
        assert_eq!(host.events, [0, dropped, 0]);
    }
    assert!(dropped > 10);
}

#[test]
fn what_is_no_register_access_is_refused() {
    let mut host = Host::new();
    let (mut unsupported, mut dropped) = (0, 0);
    let with = |kind, words, payload: usize| {
        let mut request = Request::new(kind, 0x40, words);
        request.payload = vec![0xaa; payload];
        request
    };
    let mut wrong_bar = with(READ, 1, 0);
    wrong_bar.bar = 2;
    let mut wrong_bar_write = with(WRITE, 1, 4);
    wrong_bar_write.bar = 2;
    let mut short = with(READ, 4, 0);
    (short.first, short.last) = (0b1100, 0b0001);
    let non_posted = [
        (with(2, 1, 0), 4),
        (with(3, 1, 4), 4),
        (with(4, 1, 4), 4),
        (with(5, 2, 8), 4),
        (with(6, 4, 16), 4),
        (with(7, 1, 0), 4),
        (with(READ, 3, 0), 12),
        (with(READ, 1_024, 0), 4_096),
        (short, 11),
        (wrong_bar, 4),
    ];
    for (request, bytes) in &non_posted {
        let answer = host.ask(request).unwrap_or_else(|| panic!("type {}", request.kind));
        unsupported += 1;
        let memory = request.kind == READ || request.kind == 7;
        let lower = if memory { 0x40 + span(request).0 } else { 0 };
        let expected = Answer { status: 1, lower, byte_count: *bytes, data: vec![] };
        assert_eq!(answer, expected, "type {}, {} words", request.kind, request.words);
    }
    let mut broken = with(WRITE, 1, 4);
    broken.discontinue = true;
    let mut broken_read = with(READ, 1, 0);
    broken_read.discontinue = true;
    let posted = [
        with(WRITE, 3, 12),
        with(WRITE, 128, 512),
        with(12, 1, 4),
        with(13, 4, 16),
        wrong_bar_write,
        broken,
        broken_read,
    ];
    for request in &posted {
        assert_eq!(host.ask(request), None, "type {}, {} words", request.kind, request.words);
        dropped += 1;
    }
    assert_eq!((host.events, host.accesses.len()), ([unsupported, dropped, 0], 0));
    // And goes on.
    assert_eq!(host.ask(&Request::new(READ, 0x40, 1)).map(|answer| answer.status), Some(0));
}

#[test]
fn a_core_that_does_not_answer_is_an_abort_and_its_late_answer_is_nobodys() {
    let mut host = Host::new();
    host.is_deaf = true;
    let answer = host.ask(&Request::new(READ, 0x40, 1)).expect("a completion");
    assert_eq!((answer.status, answer.byte_count, answer.data.len()), (4, 4, 0));
    assert_eq!(host.events, [0, 0, 1]);
    host.is_deaf = false;
    // The late one comes in front of the right one.
    let old = (value(host.bench.block.request.val().number) + 15) % 16;
    host.owed = vec![(0, old, 0x44)];
    let answer = host.ask(&Request::new(READ, 0x40, 1)).expect("a completion");
    assert_eq!(answer.data, initial(0x40).to_le_bytes());
}
