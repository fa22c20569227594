//! Primitives in RustHDL's own simulator, step by step, against plain Rust models.

use rust_hdl::core::prelude::*;
use writ_hdl::prim::{DualClockRam, Fifo, GrayCounter, Ram1r1w, Ram2p, RamStyle, WideCounter};

/// One clock: inputs are settled while the clock is low, then it rises.
fn clock<B: Block>(block: &mut B, set_clock: fn(&mut B, bool)) {
    for level in [false, true] {
        set_clock(block, level);
        assert!(simulate(block, 100), "does not settle");
    }
}

/// Small reproducible random source (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn fifo_is_a_queue_that_shows_words_after_two_clocks() {
    let mut fifo: Fifo<Bits<8>, 3, 4> = Fifo::new(RamStyle::Block);
    fifo.connect_all();
    let mut random = Random(7);
    // Model: words with the clock of their write.
    let mut model = std::collections::VecDeque::new();
    let mut seen = 0;
    for now in 0..4000_u64 {
        let mode = now / 500 % 4;
        let write = random.below(4) < [3, 1, 2, 4][mode as usize];
        let read = random.below(4) < [1, 3, 2, 4][mode as usize];
        let reset = random.below(400) == 0;
        let word = random.below(256);
        fifo.write.next = write;
        fifo.read.next = read;
        fifo.reset.next = reset;
        fifo.data_in.next = word.into();
        fifo.clock.next = false.into();
        assert!(simulate(&mut fifo, 100));
        let shows = model.front().is_some_and(|&(written, _)| now >= written + 2);
        assert_eq!(fifo.valid.val(), shows, "clock {now}");
        assert_eq!(fifo.count.val(), model.len() as u64);
        assert_eq!(fifo.space.val(), 8 - model.len() as u64);
        assert_eq!(fifo.full.val(), model.len() == 8);
        if shows {
            assert_eq!(fifo.data_out.val(), model[0].1);
        }
        clock(&mut fifo, |fifo, level| fifo.clock.next = level.into());
        let full = model.len() == 8;
        if read && shows {
            model.pop_front();
            seen += 1;
        }
        if write && !full {
            model.push_back((now, word));
        }
        if reset {
            model.clear();
        }
    }
    assert!(seen > 1000);
}

#[test]
fn ram_returns_old_word_on_collision() {
    let mut ram: Ram1r1w<Bits<8>, 4> = Ram1r1w::new(RamStyle::Ultra);
    ram.connect_all();
    let mut step = |write: Option<u64>, read: bool| {
        ram.write_enable.next = write.is_some();
        ram.write_data.next = write.unwrap_or(0).into();
        ram.write_address.next = 5.into();
        ram.read_enable.next = read;
        ram.read_address.next = 5.into();
        clock(&mut ram, |ram, level| ram.clock.next = level.into());
        LiteralType::from(ram.read_data.val())
    };
    assert_eq!(step(None, true), 0);
    assert_eq!(step(Some(9), true), 0);
    assert_eq!(step(Some(7), true), 9);
    assert_eq!(step(None, false), 9);
    assert_eq!(step(None, true), 7);
}

/// What port 0 shows after a write is the memory's own.
#[test]
fn shared_ram_writes_through_port_0() {
    for (style, after_write) in [(RamStyle::Ultra, 0), (RamStyle::Block, 9)] {
        let mut ram: Ram2p<Bits<8>, 4> = Ram2p::new(style);
        ram.connect_all();
        let mut step = |enable: bool, write: Option<u64>| {
            ram.enable_0.next = enable;
            ram.write_0.next = write.is_some();
            ram.write_data.next = write.unwrap_or(0).into();
            ram.address_0.next = 5.into();
            ram.enable_1.next = true;
            ram.address_1.next = 5.into();
            clock(&mut ram, |ram, level| ram.clock.next = level.into());
            (LiteralType::from(ram.read_data_0.val()), LiteralType::from(ram.read_data_1.val()))
        };
        assert_eq!(step(true, None), (0, 0));
        assert_eq!(step(true, Some(9)), (0, 0));
        assert_eq!(step(false, Some(8)), (0, 9), "no write without enable");
        assert_eq!(step(true, Some(7)), (after_write, 9), "{style:?}");
        assert_eq!(step(true, None), (7, 7));
    }
}

#[test]
fn gray_counter_changes_one_bit_at_a_time() {
    let mut counter: GrayCounter<5> = GrayCounter::default();
    counter.connect_all();
    let mut random = Random(3);
    let (mut count, mut gray) = (0_u64, 0_u64);
    for _ in 0..400 {
        let (step, reset) = (random.below(3) != 0, random.below(150) == 0);
        counter.step.next = step;
        counter.reset.next = reset;
        clock(&mut counter, |counter, level| counter.clock.next = level.into());
        count = if reset { 0 } else { (count + u64::from(step)) % 32 };
        assert_eq!(counter.count.val(), count);
        let now = LiteralType::from(counter.gray.val());
        // The number in front of each bit's changes: bit i of the number is the parity of the code's bits from i on.
        assert_eq!((0..5).fold(0, |number, i| number | u64::from((now >> i).count_ones() % 2) << i), count);
        assert!(reset || (now ^ gray).count_ones() == u32::from(step), "{gray:b} then {now:b}");
        gray = now;
    }
}

#[test]
fn dual_clock_ram_reads_and_writes_on_its_own_clocks() {
    let mut ram: DualClockRam<Bits<8>, 4> = DualClockRam::default();
    ram.connect_all();
    ram.write_enable.next = true;
    ram.read_enable.next = true;
    let mut edge = |write: bool, read: bool, word: u64| {
        ram.write_data.next = word.into();
        for level in [false, true] {
            ram.write_clock.next = (level && write).into();
            ram.read_clock.next = (level && read).into();
            assert!(simulate(&mut ram, 100), "does not settle");
        }
        LiteralType::from(ram.read_data.val())
    };
    assert_eq!(edge(true, false, 7), 0);
    assert_eq!(edge(false, true, 8), 7);
    assert_eq!(edge(true, true, 9), 7);
    assert_eq!(edge(true, false, 10), 7);
    assert_eq!(edge(false, true, 11), 10);
}

#[test]
fn a_wide_counter_is_exact_across_its_carries() {
    let mut counter = WideCounter::default();
    counter.connect_all();
    let mut tick = |add: u64, reset: bool| {
        counter.add.next = add.into();
        counter.reset.next = reset;
        for level in [false, true, false] {
            counter.clock.next = level.into();
            assert!(simulate(&mut counter, 100));
        }
        let value: LiteralType = counter.value.val().into();
        value
    };
    let mut expected = 0;
    // The largest addend, so that carries come as near to each other as they can, and some that do not fit evenly.
    for n in 0..4_000_u64 {
        let add = if n % 7 == 0 { n } else { 0xffff };
        expected += add;
        assert_eq!(tick(add, false), expected, "after {n} clocks");
    }
    assert!(expected >> 24 > 10, "carries were not tried");
    assert_eq!(tick(1, true), 0);
    assert_eq!((tick(5, false), tick(0, false)), (5, 5));
    let near: u64 = (0..257).map(|_| tick(0xffff, false)).last().unwrap_or_default();
    assert_eq!(near, 5 + 257 * 0xffff, "a carry soon after a reset");
}
