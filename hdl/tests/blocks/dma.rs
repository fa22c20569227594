//! Ring writers and the command reader against a piece of host memory.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use std::collections::{BTreeMap, VecDeque};
use writ_abi::limits::{INDEX_WRITE_BACK_RECORDS, RING_LINES_MIN};
use writ_abi::record::{RecordKind, SKIP_LINE, flags};
use writ_hdl::dma::arbiter::WRITERS;
use writ_hdl::dma::types::LineWrite;
use writ_hdl::dma::{CommandRing, CompletionRing, RecordRing, WriteArbiter};

const BASE: u64 = 0x1_0000_0000;
const INDEX: u64 = 0x8000;

/// A record of which nothing but kind and length matters here.
fn record(random: &mut Random, sequence: u32) -> Vec<Vec<u8>> {
    if random.one_in(5) {
        let mut gap = random.bytes(64);
        gap[0] = RecordKind::Gap as u8;
        return vec![gap];
    }
    let captured = if random.one_in(6) { 9_664 } else { random.below(700) as u16 };
    let mut header = random.bytes(64);
    header[0] = RecordKind::Packet as u8;
    header[4..8].copy_from_slice(&sequence.to_le_bytes());
    header[18..20].copy_from_slice(&captured.to_le_bytes());
    let second = u16::from(header[1] & flags::SECOND_LINE);
    let rest = (0..second + captured.div_ceil(64)).map(|_| random.bytes(64));
    std::iter::once(header).chain(rest).collect()
}

struct Writer {
    bench: Bench<RecordRing>,
    records: VecDeque<Vec<Vec<u8>>>,
    rest: VecDeque<Vec<u8>>,
    memory: BTreeMap<u64, Vec<u8>>,
    index_lines: usize,
    stalls: bool,
    random: Random,
}

impl Writer {
    fn new(lines: u32) -> Self {
        let mut bench = Bench::new(RecordRing::default(), |block| &mut block.clock);
        bench.block.base.next = number(BASE);
        bench.block.ring_lines.next = number(u64::from(lines));
        bench.block.index_address.next = number(INDEX);
        bench.block.enable.next = true;
        bench.tick();
        Self {
            bench,
            records: VecDeque::new(),
            rest: VecDeque::new(),
            memory: BTreeMap::new(),
            index_lines: 0,
            stalls: false,
            random: Random(13),
        }
    }

    fn tick(&mut self) {
        let block = &mut self.bench.block;
        block.header_valid.next = !self.records.is_empty();
        if let Some(record) = self.records.front() {
            block.header.next = to_bits(&record[0]);
        }
        block.rest_valid.next = !self.rest.is_empty();
        if let Some(line) = self.rest.front() {
            block.rest.next = to_bits(line);
        }
        block.line_accept.next = false;
        self.bench.settle();
        let take = self.bench.block.line_valid.val() && !(self.stalls && self.random.one_in(2));
        self.bench.block.line_accept.next = take;
        self.bench.settle();
        let block = &self.bench.block;
        if take {
            let line = block.line.val();
            self.memory.insert(value(line.address), to_bytes(line.data));
            assert_eq!(line.index, value(line.address) == INDEX);
            self.index_lines += usize::from(line.index);
        }
        if block.take_rest.val() {
            self.rest.pop_front().expect("a line behind a first line");
        }
        if block.take_header.val() {
            let record = self.records.pop_front().expect("a record");
            self.rest.extend(record.into_iter().skip(1));
        }
        self.bench.tick();
    }

    fn producer(&self) -> u32 {
        let line = self.memory.get(&INDEX);
        line.map_or(0, |line| u32::from_le_bytes(line[..4].try_into().expect("four bytes")))
    }

    fn line(&self, lines: u32, index: u32) -> &Vec<u8> {
        &self.memory[&(BASE + 64 * u64::from(index % lines))]
    }
}

#[test]
fn records_follow_each_other_and_never_straddle_the_end() {
    for (lines, stalls) in [(RING_LINES_MIN, true), (1 << 12, false), (1 << 12, true)] {
        follow_each_other(lines, stalls);
    }
}

fn follow_each_other(lines: u32, stalls: bool) {
    let mut writer = Writer::new(lines);
    writer.stalls = stalls;
    let mut random = Random(14);
    let mut expected: VecDeque<Vec<Vec<u8>>> = (0..300).map(|n| record(&mut random, n)).collect();
    writer.records = expected.clone();
    let (mut consumer, mut skips) = (0_u32, 0);
    while !expected.is_empty() {
        writer.tick();
        assert!(writer.bench.clocks < 200_000, "the ring stands still");
        if !writer.random.one_in(40) {
            continue;
        }
        // The host reads all it knows of, and releases it.
        while consumer != writer.producer() {
            if *writer.line(lines, consumer) == SKIP_LINE {
                consumer += lines - consumer % lines;
                skips += 1;
                continue;
            }
            let record = expected.pop_front().expect("no more records than were made");
            assert!(consumer % lines + record.len() as u32 <= lines, "straddles the end");
            for line in &record {
                assert_eq!(writer.line(lines, consumer), line);
                consumer += 1;
            }
        }
        writer.bench.block.consumer.next = number(u64::from(consumer));
    }
    assert!(skips > if lines == RING_LINES_MIN { 3 } else { 0 });
    writer.tick();
    writer.tick();
    assert!(writer.bench.block.idle.val());
}

#[test]
fn the_index_is_written_once_a_batch_and_at_rest() {
    let mut writer = Writer::new(1 << 12);
    let mut random = Random(15);
    let one_line = |random: &mut Random| {
        let mut gap = random.bytes(64);
        gap[0] = RecordKind::Gap as u8;
        vec![gap]
    };
    writer.records = (0..40).map(|_| one_line(&mut random)).collect();
    for _ in 0..200 {
        writer.tick();
    }
    assert_eq!((writer.producer(), writer.index_lines), (40, 40_usize.div_ceil(INDEX_WRITE_BACK_RECORDS as usize)));
    // A full ring: what is there is announced although more waits.
    let mut writer = Writer::new(RING_LINES_MIN);
    writer.records = (0..RING_LINES_MIN + 5).map(|_| one_line(&mut random)).collect();
    for _ in 0..1_000 {
        writer.tick();
    }
    // One of the five waits in the writer.
    assert_eq!((writer.producer(), writer.records.len()), (RING_LINES_MIN, 4));
}

#[test]
fn nothing_is_written_without_leave() {
    let mut random = Random(16);
    for (lines, consumer, enable) in [(0, 0, true), (300, 0, true), (128, 0, true), (256, 1, true), (256, 0, false)] {
        let mut writer = Writer::new(lines);
        writer.bench.block.consumer.next = number(consumer);
        writer.bench.block.enable.next = enable;
        writer.records = (0..4).map(|n| record(&mut random, n)).collect();
        for _ in 0..300 {
            writer.tick();
        }
        assert!(writer.memory.is_empty(), "{lines} lines, consumer {consumer}, enable {enable}");
    }
}

#[test]
fn an_enabled_ring_starts_at_zero() {
    let mut writer = Writer::new(RING_LINES_MIN);
    let mut random = Random(17);
    writer.records.push_back(record(&mut random, 0));
    for _ in 0..300 {
        writer.tick();
    }
    assert_ne!(writer.producer(), 0);
    writer.bench.block.enable.next = false;
    writer.tick();
    writer.bench.block.enable.next = true;
    let again = record(&mut random, 1);
    writer.records.push_back(again.clone());
    for _ in 0..300 {
        writer.tick();
    }
    assert_eq!(writer.producer() as usize, again.len());
    assert_eq!(*writer.line(RING_LINES_MIN, 0), again[0]);
}

/// Answers reads after a while, in order.
struct Reader {
    bench: Bench<CommandRing>,
    owed: VecDeque<(u64, u64)>,
    latency: u64,
    got: Vec<u64>,
    taking: bool,
}

impl Reader {
    fn new() -> Self {
        let mut bench = Bench::new(CommandRing::default(), |block| &mut block.clock);
        bench.block.base.next = number(BASE);
        bench.block.ring_commands.next = number(64);
        bench.block.ring_completions.next = number(64);
        bench.block.read_ready.next = true;
        bench.block.enable.next = true;
        Self { bench, owed: VecDeque::new(), latency: 30, got: vec![], taking: true }
    }

    fn tick(&mut self) {
        let now = self.bench.clocks;
        let answer = self.owed.pop_front_if(|(due, _)| *due <= now);
        let block = &mut self.bench.block;
        block.data_valid.next = answer.is_some();
        if let Some((_, address)) = answer {
            block.data.next = to_bits(&address.to_le_bytes());
        }
        self.bench.settle();
        let taken = self.taking && self.bench.block.command_valid.val();
        self.bench.block.command_take.next = taken;
        self.bench.settle();
        let block = &self.bench.block;
        if taken {
            self.got.push(u64::from_le_bytes(to_bytes(block.command.val())[..8].try_into().expect("eight bytes")));
        }
        if block.read_valid.val() {
            self.owed.push_back((now + self.latency, value(block.read_address.val())));
        }
        assert!(self.owed.len() <= 16);
        self.bench.tick();
    }
}

#[test]
fn commands_come_in_order_and_faster_than_the_latency() {
    let mut reader = Reader::new();
    reader.bench.block.producer.next = number(150);
    for _ in 0..600 {
        reader.tick();
    }
    let expected: Vec<u64> = (0..150).map(|n| BASE + 64 * (n % 64)).collect();
    assert_eq!(reader.got, expected);
    assert!(reader.bench.block.idle.val());
}

#[test]
fn answers_to_a_disabled_ring_are_swallowed() {
    let mut reader = Reader::new();
    // Late enough that all ten are still owed: a request goes out every third clock.
    reader.latency = 60;
    reader.bench.block.producer.next = number(10);
    for _ in 0..40 {
        reader.tick();
    }
    assert_eq!((reader.owed.len(), reader.got.len()), (10, 0));
    reader.bench.block.enable.next = false;
    reader.bench.block.producer.next = number(3);
    reader.tick();
    reader.bench.block.base.next = number(2 * BASE);
    reader.bench.block.enable.next = true;
    for _ in 0..200 {
        reader.tick();
    }
    assert_eq!(reader.got, [2 * BASE, 2 * BASE + 64, 2 * BASE + 128]);
    // A ring size that is none.
    reader.bench.block.ring_completions.next = number(63);
    reader.bench.block.producer.next = number(9);
    for _ in 0..100 {
        reader.tick();
    }
    assert_eq!(reader.got.len(), 3);
}

#[test]
fn completions_are_announced_when_no_command_waits() {
    let mut bench = Bench::new(CompletionRing::default(), |block| &mut block.clock);
    bench.block.base.next = number(BASE);
    bench.block.ring_completions.next = number(4);
    bench.block.index_address.next = number(INDEX);
    bench.block.enable.next = true;
    bench.block.line_accept.next = true;
    let (mut made, mut writes) = (0_u64, vec![]);
    for clock in 0..120 {
        bench.block.valid.next = made < 6;
        bench.block.more.next = made < 6;
        bench.block.head.next = number(100 + made);
        bench.block.row.next = number(200 + made);
        bench.block.line_accept.next = clock % 3 != 0;
        bench.settle();
        if bench.block.line_valid.val() && clock % 3 != 0 {
            let line = bench.block.line.val();
            let low = u64::from_le_bytes(to_bytes(line.data)[..8].try_into().expect("eight bytes"));
            writes.push((value(line.address), low, line.index));
        }
        let taken = bench.block.take.val();
        bench.tick();
        made += u64::from(taken);
    }
    let mut expected = vec![];
    for n in 0..6 {
        expected.push((BASE + 128 * (n % 4), 100 + n, false));
        expected.push((BASE + 128 * (n % 4) + 64, 200 + n, false));
    }
    expected.push((INDEX, 6, true));
    assert_eq!(writes, expected);
}

#[test]
fn writers_have_the_bus_in_turn_and_keep_their_order() {
    let mut bench = Bench::new(WriteArbiter::default(), |block| &mut block.clock);
    let mut random = Random(18);
    let mut made = [0_u64; WRITERS];
    let mut came = [0_u64; WRITERS];
    let mut taken: Vec<usize> = vec![];
    let line = |writer: usize, n: u64| LineWrite {
        address: number((writer as u64) << 32 | n << 6),
        index: n % 8 == 7,
        data: number(n),
    };
    // Whose index line went in the clock before.
    let mut went = None;
    for clock in 0..4_000 {
        // All at once, then each now and then.
        let crowd = clock < 2_000;
        for (writer, &count) in made.iter().enumerate() {
            bench.block.valid[writer].next = crowd || random.one_in(4);
            bench.block.line[writer].next = line(writer, count);
        }
        bench.block.ready.next = !random.one_in(3);
        bench.settle();
        let block = &bench.block;
        let takes: Vec<usize> =
            (0..WRITERS).filter(|&writer| block.valid[writer].val() && block.accept[writer].val()).collect();
        let announced = block.index_sent.val().then(|| value(block.index_writer.val()) as usize);
        assert_eq!(announced, went.take(), "an index line is announced one clock later, as its writer's");
        if block.out_valid.val() && block.ready.val() {
            let got = block.out_line.val();
            let writer = (value(got.address) >> 32) as usize;
            assert_eq!(got, line(writer, came[writer]));
            went = got.index.then_some(writer);
            came[writer] += 1;
            if crowd {
                taken.push(writer);
            }
        }
        bench.tick();
        takes.into_iter().for_each(|writer| made[writer] += 1);
    }
    // Four lines wait in a writer's buffer, one in front of the bus.
    assert!(came.iter().zip(&made).all(|(came, made)| made - came <= 5) && came.iter().all(|&lines| lines > 250));
    // Eight lines each while all want the bus.
    for (position, eight) in taken.chunks_exact(8).enumerate() {
        assert_eq!(eight, [position % WRITERS; 8]);
    }
    assert!(taken.len() > 1_000);
}
