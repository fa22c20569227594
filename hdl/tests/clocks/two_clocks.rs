//! A block with two clocks, driven by hand.

use crate::bench::Random;
use rust_hdl::core::prelude::*;
use rust_hdl::core::simulate::simulate;

/// Rounds that a block may take to settle.
const ROUNDS: usize = 1_000;

/// A block under test. Inputs are set through `block` before [`TwoClocks::rise`]; outputs read before it are those that the edge sees.
pub(crate) struct TwoClocks<B: Block> {
    pub(crate) block: B,
    set: fn(&mut B, [Clock; 2]),
}

impl<B: Block> TwoClocks<B> {
    pub(crate) fn new(mut block: B, set: fn(&mut B, [Clock; 2])) -> Self {
        block.connect_all();
        let mut bench = Self { block, set };
        bench.settle();
        bench
    }

    fn level(&mut self, high: [bool; 2]) {
        (self.set)(&mut self.block, high.map(|clk| Clock { clk }));
        assert!(simulate(&mut self.block, ROUNDS), "the block does not settle");
    }

    /// Lets inputs act on outputs without a clock edge.
    pub(crate) fn settle(&mut self) {
        self.level([false; 2]);
    }

    /// Raises clocks, all at once.
    pub(crate) fn rise(&mut self, edges: [bool; 2]) {
        self.level([false; 2]);
        self.level(edges);
        self.level([false; 2]);
    }
}

/// When the two clocks rise.
pub(crate) enum Schedule {
    /// Periods, and the times of the next edges, in femtoseconds; how late an edge may come, by chance.
    Periods { period_fs: [u64; 2], next_fs: [u64; 2], late_fs: u64, late: [u64; 2], random: Random },
    /// Any order, often together.
    Chaos(Random),
}

/// Period of 322.265625 MHz.
pub(crate) const NOMINAL_FS: u64 = 3_103_030;

impl Schedule {
    /// Two clocks of these periods; the second one's first edge comes `phase_fs` behind the first one's.
    pub(crate) fn periods(period_fs: [u64; 2], phase_fs: u64) -> Self {
        let next_fs = [period_fs[0], period_fs[0] + phase_fs];
        Self::Periods { period_fs, next_fs, late_fs: 0, late: [0; 2], random: Random(1) }
    }

    /// Nominal clocks, faster by so many parts in a million.
    pub(crate) fn ppm(ppm: [i64; 2], phase_fs: u64) -> Self {
        let period = |ppm: i64| NOMINAL_FS.checked_add_signed(-(NOMINAL_FS as i64) * ppm / 1_000_000);
        Self::periods(ppm.map(|ppm| period(ppm).expect("a period")), phase_fs)
    }

    /// Lets each edge come up to `fs` late.
    pub(crate) fn with_jitter(mut self, fs: u64) -> Self {
        if let Self::Periods { late_fs, .. } = &mut self {
            *late_fs = fs;
        }
        self
    }

    /// The time of the next edges in femtoseconds, and which clocks rise. Chaos has no time.
    pub(crate) fn next(&mut self) -> (u64, [bool; 2]) {
        match self {
            Self::Periods { period_fs, next_fs, late_fs, late, random } => {
                let at = [next_fs[0] + late[0], next_fs[1] + late[1]];
                let now = at[0].min(at[1]);
                let edges = at.map(|next| next == now);
                for side in 0..2 {
                    if edges[side] {
                        next_fs[side] += period_fs[side];
                        late[side] = random.below(*late_fs + 1);
                    }
                }
                (now, edges)
            }
            Self::Chaos(random) => (0, [random.one_in(2), random.one_in(2)]),
        }
    }
}
