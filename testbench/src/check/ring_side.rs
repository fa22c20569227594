//! What a ring side does with records, clock by clock: which ones it has no room for.
//!
//! [`super::loss`] says when nothing may be lost. This says how much is lost beyond that. It shares no code with the gateware, but its timing was
//! read off the gateware's blocks (the decider, the ring's writer, the arbiter of the bus): it shows when they no longer do what they did, and not
//! whether what they do is the best that could be done.
//!
//! - A record is taken if the FIFO has room for all its lines, and for a gap record's line if one is due in front of it. Room comes back line by line. A
//!   FIFO that was full takes none until [`RECORD_FIFO_RESUME_LINES`] are free.
//! - Lines leave one a clock, those of a record together. Behind a gap record, an index line and a skip record, and in front of an index line and a
//!   skip record, a clock passes in which the writer looks.
//! - The index goes out behind every so many records, gap records too, and when nothing else is there to go. A skip record goes where a record
//!   does not fit in front of the ring's end.
//! - Completions of table commands take the same way: two lines each, the index behind the last. Who has the bus keeps it for eight lines at most
//!   while the other waits.

use std::collections::VecDeque;

use super::loss::RingSide;
use writ_abi::limits::RECORD_FIFO_RESUME_LINES;

/// Clocks from the decision on a record until its first line can be the next to go, its other lines not counted.
const PASSAGE_CLOCKS: u64 = 8;
/// Lines of a completion.
const COMPLETION_LINES: u64 = 2;
/// Lines for which a writer keeps the bus.
const BURST_LINES: u64 = 8;

/// Where the next record goes in a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingPlace {
    lines: u64,
    at: u64,
}

impl RingPlace {
    /// The beginning of a ring of so many lines.
    pub fn new(lines: u64) -> Self {
        Self { lines, at: 0 }
    }

    /// Whether a record of so many lines has to go to the beginning, behind a skip record.
    fn needs_skip(self, record_lines: u64) -> bool {
        record_lines > self.lines - self.at
    }

    /// A record was written.
    pub fn advance(&mut self, record_lines: u64) {
        if self.needs_skip(record_lines) {
            self.at = 0;
        }
        self.at = (self.at + record_lines) % self.lines;
    }
}

/// A ring that is offered records.
#[derive(Debug, Clone)]
pub struct RingModel {
    side: RingSide,
    clock: u64,
    reserved: u64,
    gap_open: bool,
    held: bool,
    /// The clock from which lines of the next record are made.
    makes_from: u64,
    /// When the records in the FIFO can go, and how many lines follow the first.
    ready: VecDeque<(u64, u64)>,
    place: RingPlace,
    state: Writer,
    unwritten: u64,
    dirty: bool,
    /// Lines of completions that wait, each completion's together.
    others: VecDeque<u64>,
    bus: Bus,
    taken: u64,
    dropped: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Look,
    Skip,
    First,
    Rest(u64),
    Index,
}

/// Who had the bus last, and for how many lines.
#[derive(Debug, Clone, Copy, Default)]
struct Bus {
    is_others: bool,
    lines: u64,
    /// The completions' writer looks.
    others_look: bool,
}

impl RingModel {
    /// Empty. The next record goes to `place`.
    pub fn new(side: RingSide, place: RingPlace) -> Self {
        Self {
            side,
            clock: 0,
            reserved: 0,
            gap_open: false,
            held: false,
            makes_from: 0,
            ready: VecDeque::new(),
            place,
            state: Writer::Look,
            unwritten: 0,
            dirty: false,
            others: VecDeque::new(),
            bus: Bus::default(),
            taken: 0,
            dropped: 0,
        }
    }

    /// A record of so many lines is decided on. Clocks never go back. Returns whether it is taken.
    pub fn offer(&mut self, clock: u64, lines: u64) -> bool {
        self.run_until(clock);
        let needed = lines + u64::from(self.gap_open);
        self.held &= self.reserved + RECORD_FIFO_RESUME_LINES as u64 > self.side.fifo_lines;
        if self.held || self.reserved + needed > self.side.fifo_lines {
            (self.held, self.gap_open) = (true, true);
            self.dropped += 1;
            return false;
        }
        self.reserved += needed;
        self.taken += 1;
        if std::mem::take(&mut self.gap_open) {
            self.make(clock, 1);
        }
        self.make(clock, lines);
        true
    }

    /// So many commands are done together.
    pub fn complete(&mut self, clock: u64, commands: u64) {
        self.run_until(clock);
        self.others.extend((0..commands).map(|_| COMPLETION_LINES));
        self.others.extend((commands > 0).then_some(1));
    }

    /// Records taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Records dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn make(&mut self, clock: u64, lines: u64) {
        self.makes_from = self.makes_from.max(clock) + lines;
        self.ready.push_back((self.makes_from + PASSAGE_CLOCKS, lines - 1));
    }

    fn run_until(&mut self, clock: u64) {
        while self.clock < clock {
            if self.ready.is_empty() && self.others.is_empty() && !self.dirty && self.state == Writer::Look {
                self.clock = clock;
                return;
            }
            self.step();
            self.clock += 1;
        }
    }

    /// Lines of the record that can go next.
    fn next_lines(&self) -> Option<u64> {
        self.ready.front().filter(|(from, _)| *from <= self.clock).map(|(_, rest)| rest + 1)
    }

    fn step(&mut self) {
        let others_want = !self.others.is_empty() && !std::mem::take(&mut self.bus.others_look);
        let records_want = self.state != Writer::Look;
        let keeps = if self.bus.is_others { others_want } else { records_want };
        let is_others = if others_want && records_want {
            self.bus.is_others == (keeps && self.bus.lines < BURST_LINES)
        } else {
            others_want
        };
        if self.bus.is_others == is_others && keeps {
            self.bus.lines += 1;
        } else {
            self.bus.lines = 1;
        }
        if others_want || records_want {
            self.bus.is_others = is_others;
        }
        if others_want && is_others {
            self.line_of_others();
        }
        if !records_want {
            self.look();
        } else if !is_others {
            self.line_of_records();
        }
    }

    fn line_of_others(&mut self) {
        if let Some(left) = self.others.front_mut() {
            *left -= 1;
            if *left == 0 {
                self.others.pop_front();
                self.bus.others_look = true;
            }
        }
    }

    fn look(&mut self) {
        self.state = match self.next_lines() {
            None if self.dirty => Writer::Index,
            Some(_) if self.dirty && self.unwritten >= self.side.index_records => Writer::Index,
            Some(lines) if self.place.needs_skip(lines) => Writer::Skip,
            Some(_) => Writer::First,
            None => Writer::Look,
        };
    }

    fn line_of_records(&mut self) {
        self.state = match self.state {
            Writer::Look => Writer::Look,
            Writer::Skip => {
                self.place.at = 0;
                self.dirty = true;
                Writer::Look
            }
            Writer::First => {
                let rest = self.ready.pop_front().map_or(0, |(_, rest)| rest);
                self.place.advance(rest + 1);
                self.unwritten += 1;
                self.dirty = true;
                self.reserved -= 1;
                if rest > 0 { Writer::Rest(rest) } else { Writer::Look }
            }
            Writer::Rest(1) => {
                self.reserved -= 1;
                let goes_on = self.next_lines().is_some_and(|lines| !self.place.needs_skip(lines));
                if goes_on && self.unwritten < self.side.index_records { Writer::First } else { Writer::Look }
            }
            Writer::Rest(more) => {
                self.reserved -= 1;
                Writer::Rest(more - 1)
            }
            Writer::Index => {
                self.unwritten = 0;
                self.dirty = false;
                Writer::Look
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: RingSide = RingSide { fifo_lines: 512, index_records: 16, record_lines_max: 2 };
    const RING: RingPlace = RingPlace { lines: 1 << 14, at: 0 };

    fn load(every_clocks: u64, lines: u64, count: u64) -> RingModel {
        let mut model = RingModel::new(SIDE, RING);
        for number in 0..count {
            model.offer(number * every_clocks, lines);
        }
        model
    }

    #[test]
    fn what_fits_is_taken() {
        for (every, lines) in [(3, 2), (10, 9), (160, 151)] {
            assert_eq!(load(every, lines, 20_000).dropped(), 0, "{lines} lines every {every} clocks");
        }
    }

    #[test]
    fn a_burst_is_taken_as_far_as_the_fifo_holds_it() {
        let mut model = RingModel::new(SIDE, RING);
        let taken = (0..300).filter(|_| model.offer(1, 2)).count();
        assert_eq!((taken, model.taken(), model.dropped()), (256, 256, 44));
        // 64 lines have to be free; after each 32 of them the index takes some clocks.
        let first_gone = 1 + 2 + PASSAGE_CLOCKS + 2;
        let again = (first_gone..1_000).find(|&clock| model.offer(clock, 2)).expect("room comes back");
        assert!((first_gone + 60..first_gone + 75).contains(&again), "{again}, the first line went at {first_gone}");
    }

    #[test]
    fn beyond_one_line_a_clock_the_rest_is_lost() {
        // 16 records of 9 lines take 144 clocks and the index line's 3; gap records, one a record at most, take a line and a clock.
        let (clocks, lines) = (100_000, 9);
        let model = load(5, lines, clocks / 5);
        assert_eq!(model.taken() + model.dropped(), clocks / 5);
        let most = (clocks + 512) * 16 / (16 * lines + 3);
        let least = clocks * 8 / (8 * (lines + 2) + 3);
        assert!((least..=most).contains(&model.taken()), "{} of {least} to {most}", model.taken());
    }

    #[test]
    fn completions_take_the_bus_from_records() {
        let mut alone = RingModel::new(SIDE, RING);
        let mut beside = RingModel::new(SIDE, RING);
        for number in 0..20_000 {
            alone.offer(number * 5, 9);
            beside.offer(number * 5, 9);
            if number % 16 == 0 {
                // 17 lines in 80 clocks.
                beside.complete(number * 5, 8);
            }
        }
        let share = beside.taken() as f64 / alone.taken() as f64;
        assert!((0.78..0.86).contains(&share), "{share}");
    }

    #[test]
    fn the_end_of_the_ring_costs_a_skip_record() {
        let mut place = RingPlace::new(16);
        place.advance(9);
        assert!(!place.needs_skip(7) && place.needs_skip(8));
        place.advance(9);
        assert_eq!(place, RingPlace { lines: 16, at: 9 });
        place.advance(7);
        assert_eq!(place.at, 0);
        let clocks_of_two = |at| {
            let mut model = RingModel::new(SIDE, RingPlace { lines: 256, at });
            assert!(model.offer(0, 9) && model.offer(0, 9));
            while model.reserved > 0 {
                model.run_until(model.clock + 1);
            }
            model.clock
        };
        // Nine lines to be made, the passage, a look, and 18 lines without a gap.
        assert_eq!(clocks_of_two(0), 9 + PASSAGE_CLOCKS + 1 + 18);
        assert_eq!(clocks_of_two(238), clocks_of_two(0), "18 lines fit in front of the end");
        // The skip record and a look behind it; between two records a look in front of it too.
        assert_eq!(clocks_of_two(250), clocks_of_two(0) + 2);
        assert_eq!(clocks_of_two(240), clocks_of_two(0) + 3);
    }
}
