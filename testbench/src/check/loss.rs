//! What a card has to lose: a small calculation that knows nothing of the card but its ABI.
//!
//! In front of each ring stands a FIFO, and behind all FIFOs one way to host memory. Records whose lines fit are never lost. What is
//! offered beyond that is lost, and nothing else: offered less accepted, all of it with the FIFO as its cause.

/// What stands between verdicts and host memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSide {
    /// Lines that a ring's FIFO holds.
    pub fifo_lines: u64,
    /// Records behind which the index of a ring is written, one line of its own.
    pub index_records: u64,
    /// Lines of the biggest record: where one that big may come, that much of the FIFO does not count.
    pub record_lines_max: u64,
}

/// Lines that are offered, and what of them has to wait when one a clock is taken.
#[derive(Debug, Clone)]
pub struct Backlog {
    side: RingSide,
    clock: u64,
    waiting: u64,
    waiting_max: u64,
    records: u64,
    lines: u64,
}

impl Backlog {
    /// Nothing offered yet.
    pub fn new(side: RingSide) -> Self {
        Self { side, clock: 0, waiting: 0, waiting_max: 0, records: 0, lines: 0 }
    }

    /// Offers a record. Clocks never go back.
    pub fn record(&mut self, clock: u64, lines: u64) {
        let index = u64::from((self.records + 1).is_multiple_of(self.side.index_records));
        self.records += 1;
        self.other(clock, lines + index);
    }

    /// Offers lines that are no records, but take the same way.
    pub fn other(&mut self, clock: u64, lines: u64) {
        self.waiting = self.waiting.saturating_sub(clock.saturating_sub(self.clock)) + lines;
        self.waiting_max = self.waiting_max.max(self.waiting);
        self.clock = self.clock.max(clock);
        self.lines += lines;
    }

    /// Whether everything that was offered fits: then nothing may be lost.
    pub fn fits(&self) -> bool {
        self.waiting_max + self.side.record_lines_max <= self.side.fifo_lines
    }

    /// Most lines that waited.
    pub fn waiting_max(&self) -> u64 {
        self.waiting_max
    }

    /// Lines offered so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What is lost of so many records when so many were accepted. `None`: more were accepted than offered.
    pub fn expected(&self, offered: u64, accepted: u64) -> Option<u64> {
        if self.fits() { Some(0) } else { offered.checked_sub(accepted) }
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
        assert_eq!(backlog.expected(100_000, 99_999), Some(0), "a record that is missing is a record too many");
    }

    #[test]
    fn what_does_not_fit_is_lost_exactly() {
        let backlog = offered(100_000, 1, 2);
        assert!(!backlog.fits());
        assert_eq!(backlog.expected(100_000, 48_000), Some(52_000));
        assert_eq!(backlog.expected(100, 101), None);
    }

    #[test]
    fn index_lines_take_their_share() {
        // Two lines every two clocks fit for ever, but for the index lines: 1 in 32.
        assert!(offered(1000, 2, 2).fits());
        assert!(!offered(20_000, 2, 2).fits());
        assert_eq!(offered(16, 2, 2).lines(), 33);
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
