//! What a card has to lose: a small calculation that knows nothing of the card but its ABI.
//!
//! In front of each ring stands a FIFO, and behind all FIFOs one way to host memory. Records whose lines fit are never lost. How much is lost
//! beyond that, always with the FIFO as its cause, says [`super::ring_side`].

/// What stands between verdicts and host memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSide {
    /// Lines that a ring's FIFO holds.
    pub fifo_lines: u64,
    /// Records behind which the index of a ring is written.
    pub index_records: u64,
    /// Lines of the biggest record: where one that big may come, that much of the FIFO does not count.
    pub record_lines_max: u64,
}

/// Clocks that an index line takes: its own, and one before and behind it in which the writer looks what comes next.
const INDEX_CLOCKS: u64 = 3;

/// Lines that are offered, and what of them has to wait when one a clock is taken.
#[derive(Debug, Clone)]
pub struct Backlog {
    side: RingSide,
    clock: u64,
    waiting: u64,
    waiting_max: u64,
    records: u64,
}

impl Backlog {
    /// Nothing offered yet.
    pub fn new(side: RingSide) -> Self {
        Self { side, clock: 0, waiting: 0, waiting_max: 0, records: 0 }
    }

    /// Offers a record. Clocks never go back.
    pub fn record(&mut self, clock: u64, lines: u64) {
        self.records += 1;
        let is_index_due = self.records.is_multiple_of(self.side.index_records);
        self.other(clock, lines + if is_index_due { INDEX_CLOCKS } else { 0 });
    }

    /// Offers lines that are no records, but take the same way.
    pub fn other(&mut self, clock: u64, lines: u64) {
        self.waiting = self.waiting.saturating_sub(clock.saturating_sub(self.clock)) + lines;
        self.waiting_max = self.waiting_max.max(self.waiting);
        self.clock = self.clock.max(clock);
    }

    /// Whether everything that was offered fits: then nothing may be lost.
    pub fn fits(&self) -> bool {
        self.waiting_max + self.side.record_lines_max <= self.side.fifo_lines
    }

    /// Most lines that waited.
    pub fn waiting_max(&self) -> u64 {
        self.waiting_max
    }
}

/// Lines of a record with a header of one line. `frame_bytes`: without FCS.
pub fn record_lines(frame_bytes: u16) -> u64 {
    const LINE_BYTES: u64 = 64;
    1 + u64::from(frame_bytes).div_ceil(LINE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: RingSide = RingSide { fifo_lines: 512, index_records: 16, record_lines_max: 2 };

    fn offered(count: u64, every_clocks: u64, lines: u64) -> Backlog {
        let mut backlog = Backlog::new(SIDE);
        for number in 0..count {
            backlog.record(number * every_clocks, lines);
        }
        backlog
    }

    #[test]
    fn what_fits_is_not_lost() {
        let backlog = offered(100_000, 3, 2);
        assert!(backlog.fits(), "{}", backlog.waiting_max());
    }

    #[test]
    fn index_lines_take_their_share() {
        // 16 records of two lines and the index take 35 clocks.
        assert!(offered(1000, 2, 2).fits());
        assert!(!offered(20_000, 2, 2).fits());
        let mut backlog = Backlog::new(SIDE);
        for number in 0..20_000 {
            backlog.record(number * 35 / 16, 2);
        }
        assert!(backlog.fits(), "{}", backlog.waiting_max());
    }

    #[test]
    fn a_burst_fits_as_long_as_the_fifo_holds_it() {
        let mut backlog = Backlog::new(SIDE);
        backlog.record(0, 510);
        assert!(backlog.fits());
        backlog.record(1, 2);
        assert!(!backlog.fits());
    }

    #[test]
    fn records_are_whole_lines() {
        assert_eq!([60, 64, 65, 128, 129, 9600].map(record_lines), [2, 2, 3, 3, 4, 151]);
    }
}
