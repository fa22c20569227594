//! The capture side: beats and verdicts in, records out.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use std::collections::VecDeque;
use writ_abi::limits::{FRAME_BYTES_MAX, RECORD_FIFO_LINES};
use writ_abi::record::{self, Record, flags};
use writ_abi::{Lookup, PortSide, Scope};
use writ_hdl::axis::TapBeat;
use writ_hdl::capture::CapturePath;
use writ_hdl::lookup::types::{Hit, Verdict};
use writ_hdl::parse::types::{Headers, Ticket};

/// Clocks from the end of a frame's window to its verdict in these tests.
const VERDICT_CLOCKS: u64 = 30;

#[derive(Clone)]
struct Frame {
    bytes: Vec<u8>,
    error: bool,
    /// By lookup.
    hits: [Option<(u32, Scope)>; 4],
    l3_end: u8,
    l4_end: u8,
    window_dropped: bool,
}

/// What a record must say.
#[derive(Debug, PartialEq, Eq)]
struct Copy {
    port: PortSide,
    stamp: u64,
    original: usize,
    payload: Vec<u8>,
    hits: Vec<(u32, Scope, Lookup)>,
    cut: bool,
}

fn expected(port: usize, stamp: u64, frame: &Frame) -> Copy {
    let original = frame.bytes.len().saturating_sub(4);
    let found = frame.hits.iter().zip(Lookup::ALL);
    let hits: Vec<_> = found.filter_map(|(hit, lookup)| hit.map(|(index, scope)| (index, scope, lookup))).collect();
    let cuts = hits.iter().map(|(_, scope, _)| match scope {
        Scope::Content => original,
        Scope::HeadersL4 => usize::from(frame.l4_end),
        Scope::HeadersL3 => usize::from(frame.l3_end),
    });
    let captured = cuts.max().unwrap_or(0).min(original);
    let payload = frame.bytes[..captured].to_vec();
    Copy { port: PortSide::ALL[port], stamp, original, payload, hits, cut: captured < original }
}

struct Side {
    queue: VecDeque<Frame>,
    sent: usize,
    start: u64,
}

/// A capture side with two ports of traffic, verdicts in the order in which windows end, and a reader of records.
struct Card {
    bench: Bench<CapturePath>,
    sides: [Side; 2],
    /// Clock, port, stamp, start in the store, frame.
    verdicts: VecDeque<(u64, usize, u64, Frame)>,
    starts: VecDeque<u64>,
    /// In the order of their numbers.
    numbered: Vec<Copy>,
    lines: VecDeque<Vec<u8>>,
    reading: bool,
    pause: u64,
    random: Random,
    flagged: usize,
}

impl Card {
    fn new() -> Self {
        let bench = Bench::new(CapturePath::default(), |block| &mut block.clock);
        let side = || Side { queue: VecDeque::new(), sent: 0, start: 0 };
        Self {
            bench,
            sides: [side(), side()],
            verdicts: VecDeque::new(),
            starts: VecDeque::new(),
            numbered: vec![],
            lines: VecDeque::new(),
            reading: true,
            pause: 0,
            random: Random(6),
            flagged: 0,
        }
    }

    fn drive_port(&mut self, port: usize) {
        let now = self.bench.clocks;
        let idle = self.random.below(100) < self.pause;
        let side = &mut self.sides[port];
        let block = &mut self.bench.block;
        let Some(frame) = side.queue.front().filter(|_| !idle).cloned() else {
            block.beat[port].next = TapBeat::default();
            block.window_complete[port].next = false;
            return;
        };
        let from = side.sent;
        let to = frame.bytes.len().min(from + 64);
        let (first, last) = (from == 0, to == frame.bytes.len());
        if first {
            side.start = now;
        }
        let complete = to == 192.min(frame.bytes.len()) || (from < 192 && last);
        let length = to.min(0xffff) as u64;
        block.beat[port].next =
            TapBeat { valid: true, first, last, error: last && frame.error, length: number(length) };
        block.data[port].next = to_bits(&frame.bytes[from..to]);
        block.window_complete[port].next = complete;
        block.window_dropped[port].next = frame.window_dropped;
        if complete && !frame.window_dropped {
            self.verdicts.push_back((now + VERDICT_CLOCKS, port, side.start, frame));
        }
        side.sent = to;
        if last {
            side.sent = 0;
            side.queue.pop_front();
        }
    }

    fn drive_verdict(&mut self) {
        let now = self.bench.clocks;
        self.bench.block.done.next = false;
        let Some((_, port, stamp, frame)) = self.verdicts.pop_front_if(|(due, ..)| *due <= now) else { return };
        let start = self.starts_of(port, stamp);
        let hit = |lookup: usize| match frame.hits[lookup] {
            Some((index, scope)) => {
                Hit { valid: true, match_index: number(u64::from(index)), scope: number(scope as u64) }
            }
            None => Hit { valid: false, match_index: number(77), scope: number(2) },
        };
        let ticket = Ticket { port: port == 1, quality: number(1), stamp: number(stamp), start: number(start) };
        let mut headers = Headers { class: number(4), protocol: number(17), ..Headers::default() };
        headers.l3_end = number(u64::from(frame.l3_end));
        headers.l4_end = number(u64::from(frame.l4_end));
        let block = &mut self.bench.block;
        block.done.next = true;
        block.hit.next = frame.hits.iter().any(Option::is_some);
        block.verdict.next = Verdict { ticket, headers, hit_0: hit(0), hit_1: hit(1), hit_2: hit(2), hit_3: hit(3) };
        if frame.hits.iter().any(Option::is_some) && !frame.error {
            self.numbered.push(expected(port, stamp, &frame));
        }
    }

    /// Where the frame with this stamp started, as the store said in that clock.
    fn starts_of(&mut self, port: usize, stamp: u64) -> u64 {
        let key = stamp << 1 | port as u64;
        let at = self.starts.iter().position(|entry| entry >> 12 == key).expect("the frame has come");
        self.starts.remove(at).expect("just found") & 0xfff
    }

    fn tick(&mut self) {
        self.drive_port(0);
        self.drive_port(1);
        self.drive_verdict();
        self.bench.settle();
        let now = self.bench.clocks;
        for port in 0..2 {
            let block = &self.bench.block;
            let beat = block.beat[port].val();
            if beat.valid && beat.first {
                self.starts.push_back((now << 1 | port as u64) << 12 | value(block.start[port].val()));
            }
        }
        self.flagged += usize::from(self.bench.block.flagged.val());
        self.read();
        self.bench.tick();
    }

    /// Takes whole records, a line a clock, header first.
    fn read(&mut self) {
        let block = &mut self.bench.block;
        block.take_header.next = false;
        block.take_payload.next = false;
        let owed = self.lines.back().map_or(0, |record: &Vec<u8>| {
            let lines =
                if record[0] == 1 { usize::from(u16::from_le_bytes([record[18], record[19]])).div_ceil(64) } else { 0 };
            lines * 64 + 64 - record.len()
        });
        if owed > 0 {
            assert!(block.payload_valid.val(), "a header came before its payload");
            block.take_payload.next = true;
            self.lines.back_mut().expect("a record").extend_from_slice(&to_bytes(block.payload.val()));
        } else if self.reading && block.header_valid.val() {
            block.take_header.next = true;
            self.lines.push_back(to_bytes(block.header.val()));
        }
    }

    fn run_until_idle(&mut self) {
        for _ in 0..20_000 {
            self.tick();
            let busy = self.sides.iter().any(|side| !side.queue.is_empty()) || !self.verdicts.is_empty();
            if !busy && self.bench.block.idle.val() {
                self.tick();
                return;
            }
        }
        panic!("the capture side does not come to rest");
    }

    /// Every number once and in order, as the right packet or in a gap; returns how many are in gaps.
    fn check(&mut self) -> usize {
        let mut next = 0;
        let mut missing = 0;
        for line in &self.lines {
            let (record, used) = record::parse(line).expect("a sound record");
            assert_eq!(used, line.len());
            match record {
                Record::Packet(packet) => {
                    assert_eq!(packet.header.record_sequence.get() as usize, next);
                    let got = Copy {
                        port: packet.port_side(),
                        stamp: packet.header.stamp_ns.get(),
                        original: usize::from(packet.header.original_bytes.get()),
                        payload: packet.payload.to_vec(),
                        hits: packet.hits().map(|hit| (hit.match_index.value(), hit.scope, hit.lookup)).collect(),
                        cut: packet.header.flags & flags::CUT != 0,
                    };
                    assert_eq!(got, self.numbered[next]);
                    let padding = &line[64 + packet.payload.len()..];
                    assert!(padding.iter().all(|&byte| byte == 0), "bytes behind the cut");
                    next += 1;
                }
                Record::Gap(gap) => {
                    assert_eq!(gap.first_sequence.get() as usize, next);
                    let last = gap.last_sequence.get() as usize;
                    assert_eq!(gap.first_stamp_ns.get(), self.numbered[next].stamp);
                    assert_eq!(gap.last_stamp_ns.get(), self.numbered[last].stamp);
                    missing += last + 1 - next;
                    next = last + 1;
                }
                Record::Skip => panic!("no skip record is made here"),
            }
        }
        assert_eq!(next, self.numbered.len());
        missing
    }
}

fn frame(random: &mut Random, bytes: usize) -> Frame {
    let mut hits = [None; 4];
    for hit in &mut hits {
        if random.one_in(4) {
            *hit = Some((random.below(32_768) as u32, Scope::ALL[random.below(3) as usize]));
        }
    }
    let l3_end = 34 + 4 * random.below(10) as u8;
    Frame {
        bytes: random.bytes(bytes),
        error: random.one_in(12),
        hits,
        l3_end,
        l4_end: l3_end + 8,
        window_dropped: random.one_in(15),
    }
}

#[test]
fn frames_of_all_kinds_become_records() {
    let mut card = Card::new();
    card.pause = 20;
    let mut random = Random(7);
    for _ in 0..250 {
        let bytes = if random.one_in(3) { 60 + random.below(600) } else { 60 + random.below(80) };
        let port = random.below(2) as usize;
        card.sides[port].queue.push_back(frame(&mut random, bytes as usize));
    }
    card.run_until_idle();
    let missing = card.check();
    assert!(card.numbered.len() > 100 && missing < card.numbered.len());
    assert!(card.flagged > 3, "flagged frames with hits were not tried");
}

#[test]
fn a_reader_that_stops_makes_gaps() {
    let mut card = Card::new();
    let mut random = Random(8);
    for n in 0..400 {
        let mut frame = frame(&mut random, 300);
        (frame.error, frame.window_dropped) = (false, false);
        frame.hits[0] = Some((n, Scope::Content));
        card.sides[n as usize % 2].queue.push_back(frame);
    }
    card.reading = false;
    for _ in 0..1_500 {
        card.tick();
    }
    let records = RECORD_FIFO_LINES / 6;
    assert!(!card.bench.block.idle.val());
    card.reading = true;
    card.run_until_idle();
    let missing = card.check();
    assert_eq!(missing, 400 - records, "what fits is copied, and no more");
}

#[test]
fn oversize_and_endless_frames_do_not_block() {
    let mut card = Card::new();
    let mut random = Random(9);
    for bytes in [FRAME_BYTES_MAX, FRAME_BYTES_MAX + 1, 70_000, 100] {
        let mut frame = frame(&mut random, bytes);
        (frame.error, frame.window_dropped) = (false, false);
        frame.hits[1] = Some((5, Scope::Content));
        card.sides[0].queue.push_back(frame.clone());
        frame.bytes.truncate(200);
        card.sides[1].queue.push_back(frame);
    }
    card.run_until_idle();
    assert_eq!(card.check(), 2);
}
