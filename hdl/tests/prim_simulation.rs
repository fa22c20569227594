//! Primitives in RustHDL's own simulator, step by step, against plain Rust models.

use rust_hdl::core::prelude::*;
use writ_hdl::prim::{Fifo, Ram1r1w, RamStyle};

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
