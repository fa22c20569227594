//! The whole adapter on two clocks, between a core and a hard block that are a few lines each.

use super::beats::{Completion, RqReader, Sent, data_bytes, field, set, user_bytes};
use crate::bench::{Random, number, to_bits, to_bytes, value};
use std::collections::{BTreeMap, VecDeque};
use two_clocks::{Schedule, TwoClocks};
use writ_abi::pci::adapter::{
    COUNTERS, MODERATION_AT, RQ_PATIENCE_AT, RQ_PATIENCE_DEFAULT, STATE_AT, counter_at, state,
};
use writ_abi::pci::{COMPLETION_VECTOR, ERROR_VECTOR, MSIX_ENTRY_BYTES, MSIX_TABLE_AT, VECTORS, record_vector};
use writ_hdl::pcie::PcieAdapter;

#[path = "../../clocks/two_clocks.rs"]
#[allow(dead_code)] // what only other tests use
mod two_clocks;

const MESSAGES: u64 = 0xfee0_0000;
const INDEX: u64 = 0x8000;
/// Places of indices: of the record rings, then of the completion ring.
const INDICES: u64 = 5;

/// Vector of the index at this place.
fn index_vector(address: u64) -> Option<u16> {
    let place = address.checked_sub(INDEX)? / 64;
    match place {
        0..4 => Some(record_vector(place as u8)),
        4 => Some(COMPLETION_VECTOR),
        _ => None,
    }
}

/// Address and data of a vector's message.
fn message(vector: u16) -> (u64, u32) {
    (MESSAGES + 4 * u64::from(vector), 0x70 + u32::from(vector))
}

/// What stands in host memory.
fn line_at(address: u64) -> Vec<u8> {
    Random(address).bytes(64)
}

struct Card {
    bench: TwoClocks<PcieAdapter>,
    schedule: Schedule,
    random: Random,
    // The core.
    registers: BTreeMap<u64, u32>,
    reads: VecDeque<(u64, u64)>,
    lines: VecDeque<(u64, Vec<u8>)>,
    wanted: VecDeque<u64>,
    got: Vec<(bool, Vec<u8>)>,
    core_clocks: u64,
    core_resets: usize,
    was_reset: bool,
    irq: Option<u16>,
    // The hard block.
    rq: RqReader,
    rc: VecDeque<(rust_hdl::core::prelude::Bits<512>, u16, bool)>,
    asked: VecDeque<u64>,
    seen: usize,
    tag: u8,
    /// Reads end with UR.
    fails: bool,
    cq: Option<Vec<u8>>,
    enables: (u64, u64),
    answer: Option<Vec<u8>>,
    flr_done: usize,
    /// RQ takes nothing.
    stands: bool,
    /// What RQ was shown and did not take.
    shown: Option<(Vec<u8>, Vec<u8>)>,
}

impl Card {
    fn new(schedule: Schedule) -> Self {
        let mut bench = TwoClocks::new(PcieAdapter::new(4_000), |block, clocks| {
            (block.clk_core.next, block.clk_pcie.next) = (clocks[0], clocks[1]);
        });
        bench.block.cfg_max_payload.next = number(1);
        bench.block.link_up.next = true;
        bench.block.pcie_tfc_nph_av.next = number(15);
        bench.block.pcie_rq_tag_av.next = number(15);
        let mut card = Self {
            bench,
            schedule,
            random: Random(111),
            registers: BTreeMap::new(),
            reads: VecDeque::new(),
            lines: VecDeque::new(),
            wanted: VecDeque::new(),
            got: vec![],
            core_clocks: 0,
            core_resets: 0,
            was_reset: false,
            irq: None,
            rq: RqReader::default(),
            rc: VecDeque::new(),
            asked: VecDeque::new(),
            seen: 0,
            tag: 0,
            fails: false,
            cq: None,
            enables: (0, 0),
            answer: None,
            flr_done: 0,
            stands: false,
            shown: None,
        };
        card.run(500);
        card
    }

    fn step(&mut self) {
        let (_, edges) = self.schedule.next();
        if edges[0] {
            self.core();
        }
        if edges[1] {
            self.hard_block();
        }
        self.bench.rise(edges);
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    /// A clock of the core: registers that answer after four clocks, lines out, reads.
    fn core(&mut self) {
        self.core_clocks += 1;
        let due = self.reads.pop_front_if(|(at, _)| *at <= self.core_clocks);
        let block = &mut self.bench.block;
        block.mmio_read_data_valid.next = due.is_some();
        let word = due.map_or(0, |(_, address)| self.registers.get(&address).copied().unwrap_or(0));
        block.mmio_read_data.next = number(u64::from(word));
        block.dma_write_valid.next = !self.lines.is_empty();
        if let Some((address, data)) = self.lines.front() {
            block.dma_write_address.next = number(*address);
            block.dma_write_data.next = to_bits(data);
        }
        block.dma_read_valid.next = !self.wanted.is_empty();
        block.dma_read_address.next = number(self.wanted.front().copied().unwrap_or(0));
        block.irq.next = self.irq.is_some();
        // Between index lines it says anything.
        block.irq_vector.next = number(self.irq.take().map_or(self.random.below(8), u64::from));
        self.bench.settle();
        let block = &self.bench.block;
        if block.mmio_write_valid.val() {
            self.registers.insert(value(block.mmio_write_address.val()), value(block.mmio_write_data.val()) as u32);
        }
        if block.mmio_read_valid.val() {
            self.reads.push_back((self.core_clocks + 4, value(block.mmio_read_address.val())));
        }
        if block.dma_write_ready.val()
            && let Some((address, _)) = self.lines.pop_front()
        {
            self.irq = index_vector(address);
        }
        if block.dma_read_ready.val() {
            self.wanted.pop_front();
        }
        if block.dma_read_data_valid.val() {
            self.got.push((block.dma_read_error.val(), to_bytes(block.dma_read_data.val())));
        }
        let reset = block.core_reset.val();
        self.core_resets += usize::from(reset && !self.was_reset);
        self.was_reset = reset;
    }

    /// A clock of the hard block: one request of the host, RQ, tags, RC.
    fn hard_block(&mut self) {
        let ready = !self.random.one_in(4) && !self.stands;
        let block = &mut self.bench.block;
        block.rq_tready.next = ready;
        block.cc_tready.next = true;
        block.cq_tvalid.next = self.cq.is_some();
        block.cq_tlast.next = true;
        if let Some(packet) = &self.cq {
            block.cq_tdata.next = to_bits(packet);
            block.cq_tuser.next = number(self.enables.0 | self.enables.1 << 8);
        }
        // Behind the last beats: a read that went out gets a tag, and an answer one clock later at the earliest.
        let beat = if self.random.one_in(3) { self.rc.pop_front() } else { None };
        block.pcie_rq_tag_vld0.next = false;
        if let Some(address) = self.asked.pop_front() {
            self.tag = self.tag.wrapping_add(1);
            block.pcie_rq_tag_vld0.next = true;
            block.pcie_rq_tag0.next = number(u64::from(self.tag));
            let completion = Completion {
                lower: address & 0xfff,
                byte_count: 64,
                payload: if self.fails { vec![] } else { line_at(address) },
                tag: self.tag,
                code: u64::from(self.fails) * 2,
                completed: true,
            };
            self.rc.extend(completion.beats());
        }
        block.rc_tvalid.next = beat.is_some();
        if let Some((data, keep, last)) = beat {
            block.rc_tdata.next = data;
            block.rc_tkeep.next = number(u64::from(keep));
            block.rc_tlast.next = last;
        }
        self.bench.settle();
        let block = &self.bench.block;
        if block.cq_tvalid.val() && block.cq_tready.val() {
            self.cq = None;
        }
        if block.cc_tvalid.val() {
            assert!(block.cc_tlast.val() && self.answer.is_none());
            let words = value(block.cc_tkeep.val()).count_ones() as usize;
            let user = user_bytes(block.cc_tuser.val());
            assert_eq!(field(&user, 0, 2), 1, "is_sop");
            assert_eq!((field(&user, 6, 2), field(&user, 8, 4)), (1, words as u64 - 1), "is_eop, is_eop0_ptr");
            self.answer = Some(data_bytes(block.cc_tdata.val())[..words * 4].to_vec());
        }
        self.flr_done += usize::from(block.cfg_flr_done.val());
        let beat = (data_bytes(block.rq_tdata.val()), user_bytes(block.rq_tuser.val()));
        let beat = block.rq_tvalid.val().then_some(beat);
        assert!(self.shown.is_none() || self.shown == beat, "a beat that was shown stays");
        if let Some((data, user)) = beat.as_ref().filter(|_| ready) {
            self.rq.beat(data, user);
        }
        self.shown = beat.filter(|_| !ready);
        for sent in &self.rq.sent[self.seen..] {
            if let Sent::Read { address, .. } = sent {
                self.asked.push_back(*address);
            }
        }
        self.seen = self.rq.sent.len();
    }

    fn request(&mut self, kind: u64, address: u64, payload: &[u8], words: u64) {
        let mut packet = vec![0; 16];
        set(&mut packet, 2, 62, address >> 2);
        set(&mut packet, 64, 11, words);
        set(&mut packet, 75, 4, kind);
        packet.extend(payload);
        self.enables = (15, if words == 1 { 0 } else { 15 });
        self.cq = Some(packet);
        while self.cq.is_some() {
            self.step();
        }
    }

    fn write(&mut self, address: u64, value: u32) {
        self.request(1, address, &value.to_le_bytes(), 1);
    }

    fn read(&mut self, address: u64) -> u32 {
        self.answer = None;
        self.request(0, address, &[], 1);
        let mut steps = 0;
        while self.answer.is_none() {
            self.step();
            steps += 1;
            assert!(steps < 20_000, "no completion for {address:x}");
        }
        let answer = self.answer.take().expect("a completion");
        assert_eq!((field(&answer, 43, 3), answer.len()), (0, 16));
        field(&answer, 96, 32) as u32
    }

    /// Bus master on, a message for each vector.
    fn start(&mut self) {
        self.bench.block.bus_master.next = true;
        self.bench.block.cfg_interrupt_msix_enable.next = true;
        for vector in 0..VECTORS {
            let (at, (address, data)) = (MSIX_TABLE_AT + u32::from(vector) * MSIX_ENTRY_BYTES, message(vector));
            for (offset, word) in [(0, address as u32), (4, (address >> 32) as u32), (8, data), (12, 0)] {
                self.write(u64::from(at + offset), word);
            }
        }
        self.run(100);
    }

    fn records(&mut self, count: u64) {
        for n in 0..count {
            self.lines.push_back((0x10_0000 + 64 * n, line_at(n)));
            if n % 10 == 9 {
                self.lines.push_back((INDEX + 64 * (n / 10 % INDICES), line_at(0)));
            }
        }
    }

    fn counter(&mut self, number: u32) -> u32 {
        self.read(u64::from(counter_at(number)))
    }
}

fn schedules() -> Vec<Schedule> {
    // 322.27 and 250 MHz; the same the other way round; no relation.
    let card = [3_103_030, 4_000_000];
    vec![Schedule::periods(card, 17), Schedule::periods([9_000, 4_000], 3), Schedule::Chaos(Random(112))]
}

#[test]
fn registers_lines_and_interrupts_between_any_two_clocks() {
    for schedule in schedules() {
        let mut card = Card::new(schedule);
        assert_eq!(card.core_resets, 1);
        card.write(0x200, 0x1234_5678);
        card.write(0xffc, 0x9abc_def0);
        assert_eq!((card.read(0x200), card.read(0xffc), card.read(0x204)), (0x1234_5678, 0x9abc_def0, 0));
        card.start();
        assert_eq!(card.read(u64::from(STATE_AT)) >> state::SESSION_LSB, state::SESSION_ON, "on");
        card.records(100);
        let addresses: Vec<u64> = (0..50).map(|n| 0x5_0000_0000 + 64 * (n * 7 % 64)).collect();
        card.wanted = addresses.iter().copied().collect();
        let mut steps = 0;
        while card.got.len() < 50 || !card.lines.is_empty() {
            card.step();
            steps += 1;
            assert!(steps < 20_000);
        }
        card.run(600);
        for (address, (error, line)) in addresses.iter().zip(&card.got) {
            assert!(!error && *line == line_at(*address));
        }
        let (mut next, mut messages) = (0, 0);
        // By vector: index lines since its last message.
        let (mut indices, mut untold) = (0, [0; VECTORS as usize]);
        for sent in &card.rq.sent {
            match sent {
                Sent::Write { address, data } if *address >= MESSAGES && *address < MESSAGES + 64 => {
                    let vector = ((address - MESSAGES) / 4) as u16;
                    assert_eq!((*address, &data[..]), (message(vector).0, &message(vector).1.to_le_bytes()[..]));
                    assert!(untold[usize::from(vector)] > 0, "vector {vector} before an index of its ring");
                    untold[usize::from(vector)] = 0;
                    messages += 1;
                }
                Sent::Write { address, .. } if index_vector(*address).is_some() => {
                    indices += 1;
                    assert_eq!(next, 10 * indices, "an index before its records");
                    index_vector(*address).into_iter().for_each(|vector| untold[usize::from(vector)] += 1);
                }
                Sent::Write { address, data } => {
                    for (n, part) in data.chunks(64).enumerate() {
                        assert_eq!((address + 64 * n as u64, part), (0x10_0000 + 64 * next, &line_at(next)[..]));
                        next += 1;
                    }
                }
                Sent::Read { .. } => {}
            }
        }
        assert!(next == 100 && indices == 10 && messages >= INDICES as u32);
        assert_eq!(untold, [0; VECTORS as usize], "the last index of each ring has its interrupt");
        assert_eq!(card.counter(11), messages);
        assert_eq!((0..11).map(|n| card.counter(n)).collect::<Vec<_>>(), [0; 11]);
    }
}

#[test]
fn a_read_that_failed_is_told_by_the_vector_of_errors() {
    let mut card = Card::new(schedules().remove(0));
    card.start();
    card.fails = true;
    card.wanted.push_back(0x4000);
    card.run(900);
    assert_eq!(card.got, [(true, vec![0xff; 64])]);
    let (address, data) = message(ERROR_VECTOR);
    let told = Sent::Write { address, data: data.to_le_bytes().to_vec() };
    assert_eq!(card.rq.sent, [Sent::Read { address: 0x4000, bytes: 64 }, told]);
    let counted = (0..COUNTERS.len() as u32).filter(|&n| card.counter(n) == 1).map(|n| COUNTERS[n as usize].0);
    assert_eq!(counted.collect::<Vec<_>>(), ["READS_UNSUPPORTED", "MESSAGES"]);
}

#[test]
fn bus_master_off_stops_rq_resets_the_core_and_stalls_nothing() {
    for schedule in schedules() {
        let mut card = Card::new(schedule);
        card.start();
        card.records(400);
        card.wanted = (0..200).map(|n| 0x40 * n).collect();
        card.run(260);
        card.bench.block.bus_master.next = false;
        card.run(900);
        assert!(card.rq.is_between(), "what had begun was finished");
        let sent = card.rq.sent.len();
        assert!(sent > 3 && card.core_resets == 2);
        // This core does not mind its reset: its lines are taken and dropped, its reads fail.
        card.got.clear();
        card.records(50);
        card.wanted.extend([0x1000, 0x1040]);
        let mut steps = 0;
        while !card.lines.is_empty() || !card.wanted.is_empty() {
            card.step();
            steps += 1;
            assert!(steps < 20_000, "the core stands still");
        }
        card.run(200);
        assert_eq!((card.rq.sent.len(), card.rq.beats), (sent, card.rq.beats));
        assert!(card.got.len() >= 2 && card.got.iter().all(|got| *got == (true, vec![0xff; 64])));
        card.write(0x40, 5);
        assert_eq!(card.read(0x40), 5, "registers go on");
        assert!(card.counter(3) >= 50 && card.counter(4) >= 2 && card.counter(12) == 1);

        // On again: nothing of before comes out.
        card.bench.block.bus_master.next = true;
        card.run(200);
        card.got.clear();
        card.lines.push_back((0xabc0, vec![9; 64]));
        card.wanted.push_back(0x7_0040);
        card.run(800);
        assert_eq!(card.got, [(false, line_at(0x7_0040))]);
        assert_eq!(card.rq.sent.len(), sent + 2);
        assert!(card.rq.sent.contains(&Sent::Write { address: 0xabc0, data: vec![9; 64] }));
    }
}

#[test]
fn a_function_level_reset_masks_all_vectors_and_is_reported_done() {
    let mut card = Card::new(schedules().remove(0));
    card.start();
    card.write(u64::from(MODERATION_AT), 40);
    card.records(60);
    card.run(120);
    card.bench.block.cfg_flr_in_process.next = true;
    card.run(1_500);
    assert_eq!((card.flr_done, card.core_resets), (1, 2));
    card.bench.block.cfg_flr_in_process.next = false;
    card.bench.block.bus_master.next = false;
    card.run(100);
    assert_eq!(card.read(u64::from(MODERATION_AT)), 0);
    assert_eq!(card.read(u64::from(MSIX_TABLE_AT) + 12), 1);
    assert_eq!((card.read(u64::from(STATE_AT)) >> state::SESSION_LSB, card.flr_done), (state::SESSION_OFF, 1));
}

/// The hard block takes no write any more: answers wait as long as they may, then the session ends, and the TLP that stood there is whole when RQ moves again.
#[test]
fn rq_that_stands_still_ends_the_session_and_answers_go_out() {
    let mut card = Card::new(schedules().remove(0));
    card.start();
    assert_eq!(card.read(u64::from(RQ_PATIENCE_AT)), RQ_PATIENCE_DEFAULT);
    card.write(u64::from(RQ_PATIENCE_AT), 3);
    card.records(100);
    card.run(160);
    card.stands = true;
    // Four units of 256 clocks.
    let clocks = card.core_clocks;
    card.read(0x200);
    // 1024 clocks of the hard block are 1320 of the core.
    assert!((1_300..1_500).contains(&(card.core_clocks - clocks)), "{} clocks", card.core_clocks - clocks);
    let stands = card.read(u64::from(STATE_AT));
    assert_eq!(stands >> state::SESSION_LSB, state::SESSION_DRAIN, "the rest of a TLP waits");
    assert!(stands & state::RQ_STALLED != 0 && card.shown.is_some());
    assert_eq!((card.counter(12), card.counter(13)), (1, 1), "one session, for this");
    let (sent, resets) = (card.rq.sent.len(), card.core_resets);
    card.stands = false;
    card.run(2_000);
    assert!(
        card.rq.is_between() && card.rq.sent.len() <= sent + 2,
        "the one that had begun, and what its last beat held"
    );
    assert_eq!((card.core_resets, card.counter(13)), (resets + 1, 1));
    let state = card.read(u64::from(STATE_AT));
    assert_eq!((state >> state::SESSION_LSB, state & state::RQ_STALLED), (state::SESSION_ON, 0));
    card.got.clear();
    card.lines.clear();
    card.lines.push_back((0xabc0, vec![9; 64]));
    card.wanted.push_back(0x7_0040);
    card.run(1_200);
    assert_eq!(card.got, [(false, line_at(0x7_0040))]);
    assert!(card.rq.sent.contains(&Sent::Write { address: 0xabc0, data: vec![9; 64] }));
}

/// Without credit for reads none is on RQ: lines and answers go past it, and the read when credit comes.
#[test]
fn a_read_without_credit_holds_up_neither_lines_nor_answers() {
    let mut card = Card::new(schedules().remove(0));
    card.start();
    for (credits, tags) in [(0, 15), (15, 0)] {
        card.bench.block.pcie_tfc_nph_av.next = number(credits);
        card.bench.block.pcie_rq_tag_av.next = number(tags);
        card.run(20);
        let (sent, got) = (card.rq.sent.len(), card.got.len());
        card.wanted.push_back(0x7_0040);
        card.run(20);
        card.records(40);
        for _ in 0..2 {
            card.write(0x200, 0x1234_5678);
            let clocks = card.core_clocks;
            assert_eq!(card.read(0x200), 0x1234_5678);
            assert!(card.core_clocks - clocks < 700, "{} clocks", card.core_clocks - clocks);
        }
        card.run(400);
        assert!(card.lines.is_empty() && card.got.len() == got);
        assert!(!card.rq.sent[sent..].iter().any(|sent| matches!(sent, Sent::Read { .. })));
        card.bench.block.pcie_tfc_nph_av.next = number(1);
        card.bench.block.pcie_rq_tag_av.next = number(1);
        card.run(300);
        assert_eq!(card.got[got..], [(false, line_at(0x7_0040))]);
    }
    assert_eq!((card.counter(12), card.counter(13)), (0, 0));
}
