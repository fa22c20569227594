//! A block with a clock, driven by hand.

use rust_hdl::core::prelude::*;
use rust_hdl::core::simulate::simulate;

/// Rounds that a block may take to settle.
const ROUNDS: usize = 1_000;

/// A block under test.
pub(crate) struct Bench<B: Block> {
    /// Set inputs through `.next` before, read outputs after [`Bench::settle`] or [`Bench::tick`].
    pub(crate) block: B,
    clock: fn(&mut B) -> &mut Signal<In, Clock>,
    /// Rising edges so far.
    pub(crate) clocks: u64,
}

impl<B: Block> Bench<B> {
    pub(crate) fn new(mut block: B, clock: fn(&mut B) -> &mut Signal<In, Clock>) -> Self {
        block.connect_all();
        let mut bench = Self { block, clock, clocks: 0 };
        bench.level(false);
        bench
    }

    fn level(&mut self, high: bool) {
        (self.clock)(&mut self.block).next = Clock { clk: high };
        assert!(simulate(&mut self.block, ROUNDS), "the block does not settle");
    }

    /// Lets inputs act on outputs without a clock edge.
    pub(crate) fn settle(&mut self) {
        self.level(false);
    }

    /// One clock. Outputs show the state after the edge, with the inputs as they are.
    pub(crate) fn tick(&mut self) {
        self.level(false);
        self.level(true);
        self.level(false);
        self.clocks += 1;
    }
}

/// A small generator of reproducible numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Bytes as bits: byte `i` is bits `8 * i` to `8 * i + 7`.
pub(crate) fn to_bits<const N: usize>(bytes: &[u8]) -> Bits<N> {
    let mut bits = Bits::<N>::default();
    for (i, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            if byte >> bit & 1 == 1 {
                bits = bits.replace_bit(i * 8 + bit, true);
            }
        }
    }
    bits
}

/// Bits as bytes.
pub(crate) fn to_bytes<const N: usize>(bits: Bits<N>) -> Vec<u8> {
    (0..N / 8).map(|i| (0..8).fold(0, |byte, bit| byte | u8::from(bits.get_bit(i * 8 + bit)) << bit)).collect()
}

/// A number as bits.
pub(crate) fn number<const N: usize>(value: u64) -> Bits<N> {
    value.into()
}

/// Bits as a number.
pub(crate) fn value<const N: usize>(bits: Bits<N>) -> u64 {
    bits.into()
}
